// One Mixlake with a bucket and a key of its own, and what an app may add to it. Its settings are in cdk.json too.

import { App, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Mixlake, Residency, S3Encryption } from 'mixlake-cdk';

const app = new App();
const stack = new Stack(app, 'mixlake', { description: 'Mixpanel events as Parquet tables' });

const alarms = new Topic(stack, 'Alarms', { displayName: 'Mixlake' });
alarms.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com'));

new Mixlake(stack, 'Mixlake', {
  functionsFolder: app.node.getContext('functionsFolder'),
  projectId: app.node.getContext('projectId'),
  mixpanelSecretArn: app.node.getContext('mixpanelSecretArn'),
  residency: Residency.EU,
  timezone: 'Europe/Berlin',
  s3Encryption: S3Encryption.KMS,
  createKmsKey: true,
  alarmTopicArn: alarms.topicArn,
});
