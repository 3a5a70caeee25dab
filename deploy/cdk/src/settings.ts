// Written by `make cdk` from the parameters of template.yaml and account.yaml. Change those instead.

/** The values of `architecture`. */
export enum Architecture {
  /** The value arm64. */
  ARM64 = 'arm64',
  /** The value x86_64. */
  X86_64 = 'x86_64',
}

/** The values of `catalog`. */
export enum Catalog {
  /** The value direct. */
  DIRECT = 'direct',
  /** The value crawler. */
  CRAWLER = 'crawler',
}

/** The values of `compression`. */
export enum Compression {
  /** The value snappy. */
  SNAPPY = 'snappy',
  /** The value zstd. */
  ZSTD = 'zstd',
  /** The value gzip. */
  GZIP = 'gzip',
}

/** The values of `dataFormat`. */
export enum DataFormat {
  /** The value parquet. */
  PARQUET = 'parquet',
  /** The value json. */
  JSON = 'json',
}

/** The values of `eventName`. */
export enum EventName {
  /** The value cleaned. */
  CLEANED = 'cleaned',
  /** The value raw. */
  RAW = 'raw',
}

/** The values of `frequency`. */
export enum Frequency {
  /** The value hourly. */
  HOURLY = 'hourly',
  /** The value daily. */
  DAILY = 'daily',
  /** The value 15min. */
  EVERY_15MIN = '15min',
  /** The value 5min. */
  EVERY_5MIN = '5min',
}

/** The values of `idMerge`. */
export enum IdMerge {
  /** The value simplified. */
  SIMPLIFIED = 'simplified',
  /** The value original. */
  ORIGINAL = 'original',
}

/** The values of `lakeFormation`. */
export enum LakeFormation {
  /** The value none. */
  NONE = 'none',
  /** The value tables. */
  TABLES = 'tables',
  /** The value location. */
  LOCATION = 'location',
}

/** The values of `lateData`. */
export enum LateData {
  /** The value sync. */
  SYNC = 'sync',
  /** The value ingestion_cursor. */
  INGESTION_CURSOR = 'ingestion_cursor',
}

/** The values of `mpDateZone`. */
export enum MpDateZone {
  /** The value project. */
  PROJECT = 'project',
  /** The value UTC. */
  UTC = 'UTC',
}

/** The values of `onDrift`. */
export enum OnDrift {
  /** The value fail. */
  FAIL = 'fail',
  /** The value repair. */
  REPAIR = 'repair',
}

/** The values of `peopleFrequency`. */
export enum PeopleFrequency {
  /** The value off. */
  OFF = 'off',
  /** The value hourly. */
  HOURLY = 'hourly',
  /** The value daily. */
  DAILY = 'daily',
  /** The value weekly. */
  WEEKLY = 'weekly',
}

/** The values of `residency`. */
export enum Residency {
  /** The value us. */
  US = 'us',
  /** The value eu. */
  EU = 'eu',
  /** The value in. */
  IN = 'in',
}

/** The values of `s3Encryption`. */
export enum S3Encryption {
  /** The value none. */
  NONE = 'none',
  /** The value aes. */
  AES = 'aes',
  /** The value kms. */
  KMS = 'kms',
}

/** The values of `scheduleState`. */
export enum ScheduleState {
  /** The value ENABLED. */
  ENABLED = 'ENABLED',
  /** The value DISABLED. */
  DISABLED = 'DISABLED',
}

/** The values of `schemaProfile`. */
export enum SchemaProfile {
  /** The value portable. */
  PORTABLE = 'portable',
  /** The value mixpanel. */
  MIXPANEL = 'mixpanel',
}

/** The values of `schemaType`. */
export enum SchemaType {
  /** The value monoschema. */
  MONOSCHEMA = 'monoschema',
  /** The value multischema. */
  MULTISCHEMA = 'multischema',
}

/** The values of `timeType`. */
export enum TimeType {
  /** The value timestamp. */
  TIMESTAMP = 'timestamp',
  /** The value bigint. */
  BIGINT = 'bigint',
}

/** The parameters of template.yaml. */
export interface MixlakeSettings {
  /**
   * Number of the Mixpanel project (Project settings, Overview).
   */
  readonly projectId: string;

  /**
   * ARN of an existing Secrets Manager secret with the JSON text {"username":"...","secret":"..."} of a Mixpanel
   * service account, or {"project_secret":"..."}. This stack never sees its value.
   */
  readonly mixpanelSecretArn: string;

  /**
   * ARN of the KMS key that encrypts the secret, if it has a customer managed key. Empty if it has the account's
   * key aws/secretsmanager.
   *
   * @default - empty
   */
  readonly secretKmsKeyArn?: string;

  /**
   * Region in which Mixpanel stores the project's data.
   *
   * @default Residency.US
   */
  readonly residency?: Residency;

  /**
   * Time zone of the Mixpanel project, as an IANA name such as Europe/Berlin.
   *
   * @default "UTC"
   */
  readonly timezone?: string;

  /**
   * Whether the project is older than 2023-01-01 (Mixpanel exports such projects in local time).
   *
   * @default false
   */
  readonly projectCreatedBefore2023?: boolean;

  /**
   * Token of the Mixpanel project. It is the external id of `s3Role` and `glueRole` if they have none of their own.
   *
   * @default - empty
   */
  readonly projectToken?: string;

  /**
   * For tests only. Address that replaces Mixpanel's; empty in production.
   *
   * @default - empty
   */
  readonly mixpanelEndpoint?: string;

  /**
   * How many queries of its export API Mixpanel answers the project in an hour, and as many of its query API, which
   * has the profiles. All that runs for the project shares them.
   *
   * @default 60
   */
  readonly queriesPerHour?: number;

  /**
   * Bucket that a JSON pipeline of Mixpanel fills. Its files are read instead of Mixpanel's export API. Empty to
   * use the API.
   *
   * @default - empty
   */
  readonly rawPipelineBucket?: string;

  /**
   * Path above the pipeline's folder <project_id>/mp_master_event, without a slash at either end.
   *
   * @default - empty
   */
  readonly rawPipelinePrefix?: string;

  /**
   * Region of `rawPipelineBucket`, such as eu-central-1. Empty is the stack's region.
   *
   * @default - empty
   */
  readonly rawPipelineRegion?: string;

  /**
   * Hours after the end of a slice until the pipeline has written all of it.
   *
   * @default 24
   */
  readonly rawPipelineDelayHours?: number;

  /**
   * Length of a slice, and how often one is exported.
   *
   * @default Frequency.HOURLY
   */
  readonly frequency?: Frequency;

  /**
   * Whether the schedule runs. With DISABLED, manual invocations still work.
   *
   * @default ScheduleState.ENABLED
   */
  readonly scheduleState?: ScheduleState;

  /**
   * Minutes after the end of a slice until it is exported. Events that Mixpanel receives later are not in the
   * slice.
   *
   * @default 120
   */
  readonly exportDelayMinutes?: number;

  /**
   * How many days back each scheduled run looks for slices that are not published. It exports those first, oldest
   * first. 0 turns this off.
   *
   * @default 5
   */
  readonly catchUpDays?: number;

  /**
   * Export only these events: a JSON array of names such as ["Sign Up","Purchase"], or one name. Empty means all.
   * If a day is exported again with other names, it holds only those events.
   *
   * @default - empty
   */
  readonly events?: string;

  /**
   * Mixpanel segmentation expression; only events that match it are exported. Empty means all.
   *
   * @default - empty
   */
  readonly where?: string;

  /**
   * Whether duplicate events in a slice are removed (the newest one is kept).
   *
   * @default true
   */
  readonly deduplicate?: boolean;

  /**
   * Whether this stack creates the lake bucket. With false, `bucketName` is an existing bucket that has EventBridge
   * notifications turned on.
   *
   * @default true
   */
  readonly createBucket?: boolean;

  /**
   * Name of the lake bucket. Empty lets CloudFormation choose one.
   *
   * @default - empty
   */
  readonly bucketName?: string;

  /**
   * Folder inside the bucket, without a slash at either end. Empty means the root of the bucket.
   *
   * @default - empty
   */
  readonly s3Prefix?: string;

  /**
   * ARN of a role that all functions assume for the lake bucket, such as the one that account.yaml makes in the
   * account of the bucket. Empty uses the rights of this stack. The functions then have no other right on S3.
   *
   * @default - empty
   */
  readonly s3Role?: string;

  /**
   * External id that the trust policy of `s3Role` expects. Empty is `projectToken`.
   *
   * @default - empty
   */
  readonly s3ExternalId?: string;

  /**
   * Encryption of every object that is written. none is the default of the bucket; aes is SSE-S3; kms is SSE-KMS
   * with the key of `createKmsKey` or `s3KmsKeyArn`, or else with the account's key aws/s3. Existing objects keep
   * theirs.
   *
   * @default S3Encryption.NONE
   */
  readonly s3Encryption?: S3Encryption;

  /**
   * With `s3Encryption`=kms, whether this stack creates the key. It outlives the stack, as the bucket does.
   *
   * @default false
   */
  readonly createKmsKey?: boolean;

  /**
   * With `s3Encryption`=kms, ARN of an existing KMS key in the region of the bucket. Its key policy must let IAM
   * policies of this account (with `s3Role`, of the role's account) decide.
   *
   * @default - empty
   */
  readonly s3KmsKeyArn?: string;

  /**
   * ARN of a KMS key that objects of the lake were encrypted with before its encryption was changed. The functions
   * may still read these objects.
   *
   * @default - empty
   */
  readonly formerKmsKeyArn?: string;

  /**
   * Whether this stack creates the Glue database. Set false if `glueDatabase` already exists, such as the
   * "mixpanel" that Mixpanel's own pipeline created: with true the deployment fails with AlreadyExistsException.
   *
   * @default true
   */
  readonly createDatabase?: boolean;

  /**
   * Name of the Glue database that holds the tables.
   *
   * @default "mixpanel"
   */
  readonly glueDatabase?: string;

  /**
   * Prefix of every table name. Empty for none.
   *
   * @default - empty
   */
  readonly glueTablePrefix?: string;

  /**
   * What keeps the tables up to date. direct is the catalog function, at once and exactly. crawler is a Glue
   * crawler, once a day; docs/COMPAT.md says what it cannot do.
   *
   * @default Catalog.DIRECT
   */
  readonly catalog?: Catalog;

  /**
   * With Catalog=crawler, the level of the table folders, where the bucket is level 1: 3 without an `s3Prefix`, and
   * 1 more for each folder in it.
   *
   * @default 3
   */
  readonly crawlerTableLevel?: number;

  /**
   * What happens to a table that somebody changed so that it no longer matches its files. fail reports an error and
   * sends the objects to the dead-letter queue; repair corrects the table.
   *
   * @default OnDrift.FAIL
   */
  readonly onDrift?: OnDrift;

  /**
   * Whether the database has views for Athena and Trino, of events with the original names of their properties,
   * with their user, and with its profile. docs/COMPAT.md lists them. false removes them.
   *
   * @default false
   */
  readonly views?: boolean;

  /**
   * ARN of a role that the catalog and maintenance functions assume for Glue, such as the one that account.yaml
   * makes in the account of the catalog. Empty uses the rights of this stack.
   *
   * @default - empty
   */
  readonly glueRole?: string;

  /**
   * External id that the trust policy of `glueRole` expects. Empty is `projectToken`.
   *
   * @default - empty
   */
  readonly glueExternalId?: string;

  /**
   * Whether the last `syncDays` are fetched again once a day, so that late events appear and deleted events
   * disappear. A day with equal rows is not written. Has no effect with `lateData`=ingestion_cursor.
   *
   * @default true
   */
  readonly sync?: boolean;

  /**
   * How many closed days Sync fetches again. Each costs one query a day.
   *
   * @default 10
   */
  readonly syncDays?: number;

  /**
   * How late events are found. With ingestion_cursor, a slice is the hour or day in which Mixpanel processed the
   * events, whenever they happened. Not yet tested on a live project.
   *
   * @default LateData.SYNC
   */
  readonly lateData?: LateData;

  /**
   * With `lateData`=ingestion_cursor, the first date of these slices, such as 2026-11-10.
   *
   * @default - empty
   */
  readonly ingestionStart?: string;

  /**
   * With `lateData`=ingestion_cursor, the number of days that an event may be late.
   *
   * @default 150
   */
  readonly ingestionWindowDays?: number;

  /**
   * With `lateData`=ingestion_cursor, minutes after the end of a slice until it is exported.
   *
   * @default 60
   */
  readonly ingestionMarginMinutes?: number;

  /**
   * How often the profiles of users and groups are exported: once an hour, a day or a week (from Monday on) of the
   * project's zone. With off, manual invocations of the profiles function still work.
   *
   * @default PeopleFrequency.DAILY
   */
  readonly peopleFrequency?: PeopleFrequency;

  /**
   * Groups whose profiles are exported beside those of users: a group key and its ID in Mixpanel, such as
   * company_id:8372645. More than one is a JSON array of such texts. Empty exports only users.
   *
   * @default - empty
   */
  readonly dataGroupId?: string;

  /**
   * Whether an answer without any profile empties a table of profiles that has rows. With false, such an answer is
   * an error, and the rows stay.
   *
   * @default false
   */
  readonly allowEmpty?: boolean;

  /**
   * Whether the files of a closed day are merged once a day, sorted by event and time over the whole day. Queries
   * then read less, with fewer requests. Rows do not change.
   *
   * @default true
   */
  readonly compact?: boolean;

  /**
   * Whether the table mp_identity_mappings_data is brought up to date with the events once a day. Only days whose
   * rows changed are read.
   *
   * @default true
   */
  readonly identities?: boolean;

  /**
   * The ID merge system of the project in Mixpanel. With simplified it counts which user had a device first, with
   * original the events $identify, $create_alias and $merge.
   *
   * @default IdMerge.SIMPLIFIED
   */
  readonly idMerge?: IdMerge;

  /**
   * How long replaced files stay after the change of their day, so that running queries can still read them. Then
   * they are deleted.
   *
   * @default 24
   */
  readonly keepReplacedHours?: number;

  /**
   * monoschema is one table for all events, multischema one table per event.
   *
   * @default SchemaType.MONOSCHEMA
   */
  readonly schemaType?: SchemaType;

  /**
   * Parquet, or gzip JSON lines. A table keeps the format of its first slice.
   *
   * @default DataFormat.PARQUET
   */
  readonly dataFormat?: DataFormat;

  /**
   * Codec of the Parquet files. Empty means the default of `schemaProfile`: snappy with portable, zstd with
   * mixpanel. Redshift Spectrum reads snappy and gzip.
   *
   * @default - empty
   */
  readonly compression?: Compression;

  /**
   * Limits of a table. portable works with Athena and Redshift Spectrum (1,597 columns); mixpanel has Mixpanel's
   * own limits (9,500 columns).
   *
   * @default SchemaProfile.PORTABLE
   */
  readonly schemaProfile?: SchemaProfile;

  /**
   * Whether mp_event_name holds the cleaned name (add_to_cart) or the raw one (Add to cart).
   *
   * @default EventName.CLEANED
   */
  readonly eventName?: EventName;

  /**
   * Type of the column time. bigint is milliseconds since the epoch.
   *
   * @default TimeType.TIMESTAMP
   */
  readonly timeType?: TimeType;

  /**
   * Time zone of mp_date, the date of a partition.
   *
   * @default MpDateZone.PROJECT
   */
  readonly mpDateZone?: MpDateZone;

  /**
   * Which properties are kept, as a JSON object by event name, or * for all events, such as
   * {"*":{"exclude":["email"]},"Sign Up":{"freeze":true}}. Empty keeps all.
   *
   * @default - empty
   */
  readonly contracts?: string;

  /**
   * Whether this stack creates an Athena workgroup with example queries and a bucket for their results. With
   * `glueRole`, the tables are in another account, and so this stack creates none.
   *
   * @default true
   */
  readonly createWorkgroup?: boolean;

  /**
   * The most bytes that one query of the workgroup may read; Athena cancels it then. It charges by the bytes read:
   * 100 GB cost about 0.50 USD.
   *
   * @default 100000000000
   */
  readonly queryBytesLimit?: number;

  /**
   * Processor architecture of the functions. It must match the zip files: make build writes it to samconfig.toml,
   * where sam deploy reads it.
   *
   * @default Architecture.X86_64
   */
  readonly architecture?: Architecture;

  /**
   * Memory of the export function and of the profiles function in MB. 1769 gives one full CPU.
   *
   * @default 1769
   */
  readonly exportMemory?: number;

  /**
   * Size of /tmp of the export function and of the profiles function in MB. A slice of more than 65,536 rows stores
   * 32 bytes per row there while it looks for duplicates: 2048 is enough for 60 million rows.
   *
   * @default 2048
   */
  readonly exportStorage?: number;

  /**
   * Memory of the maintenance function in MB. It needs less than 512, but Lambda gives CPU by memory: 1769 gives
   * one full CPU, and compaction computes.
   *
   * @default 1769
   */
  readonly maintenanceMemory?: number;

  /**
   * Size of the maintenance function's /tmp in MB. Compaction copies the files of one day of a table there.
   * Identities need about 500 bytes for each pair of identifiers.
   *
   * @default 4096
   */
  readonly maintenanceStorage?: number;

  /**
   * Number of days for which the logs of the functions are kept.
   *
   * @default 30
   */
  readonly logRetentionDays?: number;

  /**
   * Whether AWS X-Ray traces the invocations of the functions.
   *
   * @default false
   */
  readonly tracing?: boolean;

  /**
   * The largest share of bad lines in a slice, from 0.01 to 1. A slice with more bad lines fails, and the live data
   * stays.
   *
   * @default "0.5"
   */
  readonly maxQuarantineShare?: string;

  /**
   * ARN of an existing SNS topic that the alarms notify. Without it and `alarmEmail`, the alarms notify nobody.
   *
   * @default - empty
   */
  readonly alarmTopicArn?: string;

  /**
   * E-mail address that the alarms notify, by a topic of this stack. SNS asks it for a confirmation first.
   *
   * @default - empty
   */
  readonly alarmEmail?: string;
}

/** The parameters of account.yaml. */
export interface MixlakeAccountSettings {
  /**
   * Account in which template.yaml is deployed.
   */
  readonly exporterAccountId: string;

  /**
   * Name of the stack of template.yaml in that account. Only the roles of its functions are trusted.
   *
   * @default "mixlake"
   */
  readonly exporterStack?: string;

  /**
   * Name of one more role of the exporter's account that may assume both roles, for the command line. With its path
   * and wildcards, such as aws-reserved/sso.amazonaws.com/*\/AWSReservedSSO_DataEngineer_*. Empty for none.
   *
   * @default - empty
   */
  readonly operatorRole?: string;

  /**
   * What the exporter must say to assume the roles. The Mixpanel project token, unless the exporter sets
   * `s3ExternalId` and `glueExternalId`.
   */
  readonly externalId: string;

  /**
   * Another external id for the Glue role. Empty for the same.
   *
   * @default - empty
   */
  readonly glueExternalId?: string;

  /**
   * Number of the Mixpanel project. The S3 role reaches only the folder of this name.
   */
  readonly projectId: string;

  /**
   * Whether this stack creates the lake bucket. With false, `bucketName` is an existing bucket that has EventBridge
   * notifications turned on. Its bucket policy stays as it is.
   *
   * @default true
   */
  readonly createBucket?: boolean;

  /**
   * Name of the lake bucket. Empty lets CloudFormation choose one.
   *
   * @default - empty
   */
  readonly bucketName?: string;

  /**
   * Folder inside the bucket, without a slash at either end. Empty means the root of the bucket.
   *
   * @default - empty
   */
  readonly s3Prefix?: string;

  /**
   * Encryption that the exporter asks for, and the default of a bucket that this stack creates. none leaves it to
   * the bucket, where S3 encrypts with its own keys. kms uses `createKmsKey` or `s3KmsKeyArn`, else the account's
   * default key aws/s3.
   *
   * @default S3Encryption.NONE
   */
  readonly s3Encryption?: S3Encryption;

  /**
   * Whether this stack creates the KMS key. Only with `s3Encryption`=kms.
   *
   * @default false
   */
  readonly createKmsKey?: boolean;

  /**
   * ARN of an existing KMS key of this account. Its key policy must let the account's IAM policies decide, as the
   * policy of a new key does. Only with `s3Encryption`=kms.
   *
   * @default - empty
   */
  readonly s3KmsKeyArn?: string;

  /**
   * ARN of a KMS key that objects of the lake were encrypted with before its encryption was changed. The roles may
   * still read these objects.
   *
   * @default - empty
   */
  readonly formerKmsKeyArn?: string;

  /**
   * Whether this stack creates the Glue database. Set false if `glueDatabase` already exists, such as the
   * "mixpanel" that Mixpanel's own pipeline created.
   *
   * @default true
   */
  readonly createDatabase?: boolean;

  /**
   * Name of the Glue database that holds the tables.
   *
   * @default "mixpanel"
   */
  readonly glueDatabase?: string;

  /**
   * Prefix of every table name. Empty for none. The Glue role reaches only tables with this prefix.
   *
   * @default - empty
   */
  readonly glueTablePrefix?: string;

  /**
   * What keeps the tables up to date. direct is the exporter's catalog function, with the Glue role. crawler is a
   * Glue crawler of this stack, once a day; there is no Glue role then, and no notification is forwarded.
   *
   * @default Catalog.DIRECT
   */
  readonly catalog?: Catalog;

  /**
   * With Catalog=crawler, the level of the table folders, where the bucket is level 1: 3 without an `s3Prefix`, and
   * 1 more for each folder in it.
   *
   * @default 3
   */
  readonly crawlerTableLevel?: number;

  /**
   * Grants for an account where Lake Formation decides who may use the database. location also grants the folder of
   * the lake, which must be registered with Lake Formation. The deployer must be an administrator of Lake
   * Formation.
   *
   * @default LakeFormation.NONE
   */
  readonly lakeFormation?: LakeFormation;

  /**
   * Whether this stack creates a role that lets Redshift read the tables of the lake.
   *
   * @default false
   */
  readonly createSpectrumRole?: boolean;
}
