// The app of test_cdk.py. CASES has the constructs of each stack, with their properties, as JSON; PACKAGE is the folder of the package.

const { createRequire } = require('node:module');
const load = createRequire(`${process.env.PACKAGE}/package.json`);
const { App, CfnOutput, Stack } = load('aws-cdk-lib');
const { Role, ServicePrincipal } = load('aws-cdk-lib/aws-iam');
const { Key } = load('aws-cdk-lib/aws-kms');
const { Bucket } = load('aws-cdk-lib/aws-s3');
const { Topic } = load('aws-cdk-lib/aws-sns');
const constructs = load('./lib');

const app = new App();
for (const [name, { construct, ids, props }] of Object.entries(JSON.parse(process.env.CASES))) {
  const stack = new Stack(app, name);
  for (const [id, more] of Object.entries(ids)) new constructs[construct](stack, id, { ...props, ...more });
}

if (process.env.WIRED) {
  const stack = new Stack(app, 'wired');
  const mixlake = new constructs.Mixlake(stack, 'Mixlake', {
    ...JSON.parse(process.env.WIRED),
    createBucket: false,
    bucketName: new Bucket(stack, 'Own').bucketName,
    s3Encryption: 'kms',
    s3KmsKeyArn: new Key(stack, 'Key').keyArn,
    rawPipelineBucket: new Bucket(stack, 'Raw').bucketName,
    alarmTopicArn: new Topic(stack, 'Topic').topicArn,
  });
  mixlake.exportFunction.grantInvoke(new Role(stack, 'Operator', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
  const values = {
    BucketOfAttribute: mixlake.bucket.bucketName,
    TopicOfAttribute: mixlake.alarmTopic.topicArn,
    ExportOfAttribute: mixlake.exportFunction.functionArn,
    ProfilesOfAttribute: mixlake.profilesFunction.functionArn,
    CatalogOfAttribute: mixlake.catalogFunction.functionArn,
    MaintenanceOfAttribute: mixlake.maintenanceFunction.functionArn,
    BackfillOfAttribute: mixlake.backfill.stateMachineArn,
    QueueOfAttribute: mixlake.catalogQueue.queueArn,
    SlicesOfAttribute: mixlake.failedSlices.queueArn,
    ObjectsOfAttribute: mixlake.failedObjects.queueArn,
  };
  for (const [id, value] of Object.entries(values)) new CfnOutput(stack, id, { value });
}
