import { join } from 'path';
import { CfnResource } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, Function, IFunction } from 'aws-cdk-lib/aws-lambda';
import { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnTopic, ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { CfnQueue, IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine, IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { include } from './include';
import { MixlakeSettings } from './settings';

/** What a `Mixlake` is made of. */
export interface MixlakeProps extends MixlakeSettings {
  /**
   * Folder with the zip files of the functions, such as `export-lambda/bootstrap.zip`. In the repository of Mixlake,
   * `make build` makes it: `target/lambda`. The zip files must be for `architecture`.
   */
  readonly functionsFolder: string;

  /**
   * Comes before each logical id, for a second Mixlake in the same stack: letters and digits. Without it, the logical
   * ids and outputs are those of template.yaml. The trust policies of `MixlakeAccount` expect a stack without a prefix.
   * A second Mixlake needs a `glueDatabase` of its own.
   *
   * @default - no prefix
   */
  readonly logicalIdPrefix?: string;
}

/** Exports the events and profiles of a Mixpanel project to typed Parquet tables, every hour or day. */
export class Mixlake extends Construct {
  /** The bucket that holds the lake: the one of this construct, or the one that `bucketName` names. */
  public readonly bucket: IBucket;
  /** Invoke it with `{"from_date":"...","to_date":"..."}` to backfill a few past days. */
  public readonly exportFunction: IFunction;
  /** Start it with `{"from_date":"...","to_date":"..."}` to export any range of days. */
  public readonly backfill: IStateMachine;
  /** Invoke it with `{}` to export the profiles of users and of all groups. */
  public readonly profilesFunction: IFunction;
  /** The function that updates the Glue tables. */
  public readonly catalogFunction: IFunction;
  /** The function that merges the files of closed days and deletes replaced files. */
  public readonly maintenanceFunction: IFunction;
  /** ARN of the role of the export and profiles functions, which `s3Role` of another account must trust. */
  public readonly exportRoleArn: string;
  /** ARN of the role of the catalog function, which `s3Role` and `glueRole` of another account must trust. */
  public readonly catalogRoleArn: string;
  /** ARN of the role of the maintenance function, which `s3Role` and `glueRole` of another account must trust. */
  public readonly maintenanceRoleArn: string;
  /** Objects that the catalog has not processed yet. */
  public readonly catalogQueue: IQueue;
  /** Requests for slices that failed for good. */
  public readonly failedSlices: IQueue;
  /** Objects that the catalog could not process. */
  public readonly failedObjects: IQueue;
  /** The topic of the alarms: the one of `alarmEmail`, or the one that `alarmTopicArn` names. */
  public readonly alarmTopic?: ITopic;
  /** All resources and outputs, by their logical id in template.yaml: `template.getResource('ExportSchedule')`. */
  public readonly template: CfnInclude;

  public constructor(scope: Construct, id: string, props: MixlakeProps) {
    super(scope, id);
    const { template, source } = include(this, 'template.json', props, props.logicalIdPrefix);
    this.template = template;
    for (const [name, resource] of Object.entries(source.Resources)) {
      if (resource.Type === CfnFunction.CFN_RESOURCE_TYPE_NAME) {
        this.addCode(name, join(props.functionsFolder, resource.Properties.Code.S3Key));
      }
    }
    this.bucket = Bucket.fromBucketName(this, 'Bucket', template.getOutput('Bucket').value);
    this.exportFunction = this.functionOf('ExportFunction');
    this.profilesFunction = this.functionOf('ProfilesFunction');
    this.catalogFunction = this.functionOf('CatalogFunction');
    this.maintenanceFunction = this.functionOf('MaintenanceFunction');
    const backfillArn = this.resource<CfnStateMachine>('Backfill').attrArn;
    this.backfill = StateMachine.fromStateMachineArn(this, 'Backfill', backfillArn);
    this.exportRoleArn = this.resource<CfnRole>('ExportRole').attrArn;
    this.catalogRoleArn = this.resource<CfnRole>('CatalogRole').attrArn;
    this.maintenanceRoleArn = this.resource<CfnRole>('MaintenanceRole').attrArn;
    this.catalogQueue = this.queueOf('CatalogQueue');
    this.failedSlices = this.queueOf('FailedSlices');
    this.failedObjects = this.queueOf('FailedObjects');
    const topicArn = source.Resources.AlarmTopic ? this.resource<CfnTopic>('AlarmTopic').ref : props.alarmTopicArn;
    this.alarmTopic = topicArn ? Topic.fromTopicArn(this, 'AlarmTopic', topicArn) : undefined;
  }

  private addCode(name: string, path: string): void {
    const asset = new Asset(this, `${name}Code`, { path });
    const resource = this.resource<CfnFunction>(name);
    resource.code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
    asset.addResourceMetadata(resource, 'Code');
  }

  private functionOf(name: string): IFunction {
    const functionArn = this.resource<CfnFunction>(name).attrArn;
    return Function.fromFunctionAttributes(this, name, { functionArn, sameEnvironment: true });
  }

  private queueOf(name: string): IQueue {
    return Queue.fromQueueArn(this, name, this.resource<CfnQueue>(name).attrArn);
  }

  private resource<T extends CfnResource>(name: string): T {
    return this.template.getResource(name) as T;
  }
}
