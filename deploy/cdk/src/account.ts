import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { include } from './include';
import { MixlakeAccountSettings } from './settings';

/** What a `MixlakeAccount` is made of. */
export interface MixlakeAccountProps extends MixlakeAccountSettings {
  /**
   * Comes before each logical id, for a second one in the same stack. Without it, they are those of account.yaml.
   *
   * @default - no prefix
   */
  readonly logicalIdPrefix?: string;
}

/**
 * What the owner of a lake's bucket and Glue catalog gives to a `Mixlake` in another account: two roles that it assumes,
 * and the notifications of the bucket.
 */
export class MixlakeAccount extends Construct {
  /** The bucket that holds the lake: the one of this construct, or the one that `bucketName` names. */
  public readonly bucket: IBucket;
  /** The value of `s3Role` of the `Mixlake`. */
  public readonly s3RoleArn: string;
  /** The value of `glueRole` of the `Mixlake`, where it needs one. */
  public readonly glueRoleArn?: string;
  /** All resources and outputs, by their logical id in account.yaml. */
  public readonly template: CfnInclude;

  public constructor(scope: Construct, id: string, props: MixlakeAccountProps) {
    super(scope, id);
    const { template, source } = include(this, 'account.json', props, props.logicalIdPrefix);
    this.template = template;
    this.bucket = Bucket.fromBucketName(this, 'Bucket', template.getOutput('BucketName').value);
    const arnOf = (role: string) => (template.getResource(role) as CfnRole).attrArn;
    this.s3RoleArn = arnOf('S3Role');
    this.glueRoleArn = source.Resources.GlueRole && arnOf('GlueRole');
  }
}
