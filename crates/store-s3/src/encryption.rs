//! Server-side encryption of the objects that the store writes. Reading needs nothing of it.

use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;

/// How S3 encrypts an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Encryption {
    /// As the bucket's default says.
    #[default]
    BucketDefault,
    /// With keys that S3 manages (SSE-S3).
    S3Managed,
    /// With a key of KMS (SSE-KMS).
    Kms {
        /// The ARN of the key; `None` is the account's key `aws/s3`.
        key: Option<String>,
    },
}

/// The calls that write an object. A multipart upload is encrypted as its creation says.
pub(crate) trait Encrypted: Sized {
    /// Adds the headers of the encryption to the call.
    fn encrypted(self, encryption: &Encryption) -> Self;
}

macro_rules! encrypted {
    ($($builder:ty),*) => {$(
        impl Encrypted for $builder {
            fn encrypted(self, encryption: &Encryption) -> Self {
                match encryption {
                    Encryption::BucketDefault => self,
                    Encryption::S3Managed => {
                        self.server_side_encryption(ServerSideEncryption::Aes256)
                    }
                    // Without a bucket key, S3 asks KMS once for each object, and KMS charges it.
                    Encryption::Kms { key } => self
                        .server_side_encryption(ServerSideEncryption::AwsKms)
                        .set_ssekms_key_id(key.clone())
                        .bucket_key_enabled(true),
                }
            }
        }
    )*};
}

encrypted!(PutObjectFluentBuilder, CreateMultipartUploadFluentBuilder, CopyObjectFluentBuilder);

impl Encryption {
    /// What an object has that differs from this; `None` if nothing differs, or if the bucket decides.
    ///
    /// S3 says the key of `aws/s3` as its ARN, which has a random id. So any key fits where none is named.
    pub(crate) fn difference(
        &self,
        algorithm: Option<&ServerSideEncryption>,
        key: Option<&str>,
    ) -> Option<String> {
        let found = |what: &str| Some(what.to_owned());
        match (self, algorithm) {
            (Self::BucketDefault, _) | (Self::S3Managed, Some(ServerSideEncryption::Aes256)) => {
                None
            }
            (Self::Kms { key: wanted }, Some(ServerSideEncryption::AwsKms)) => {
                let other = wanted.is_some() && wanted.as_deref() != key;
                other.then(|| format!("kms with {}", key.unwrap_or("an unknown key")))
            }
            (_, None) => found("none"),
            (_, Some(ServerSideEncryption::Aes256)) => found("aes"),
            (_, Some(ServerSideEncryption::AwsKms)) => found("kms"),
            (_, Some(other)) => found(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";

    fn kms(key: Option<&str>) -> Encryption {
        Encryption::Kms { key: key.map(str::to_owned) }
    }

    #[test]
    fn an_object_differs_if_its_algorithm_or_its_key_does() {
        use ServerSideEncryption::{Aes256, AwsKms, AwsKmsDsse};
        for (wanted, algorithm, key, difference) in [
            (Encryption::BucketDefault, Some(Aes256), None, None),
            (Encryption::BucketDefault, Some(AwsKms), Some(KEY), None),
            (Encryption::S3Managed, Some(Aes256), None, None),
            (Encryption::S3Managed, Some(AwsKms), Some(KEY), Some("kms")),
            (kms(None), Some(AwsKms), Some(KEY), None),
            (kms(None), Some(Aes256), None, Some("aes")),
            (kms(Some(KEY)), Some(AwsKms), Some(KEY), None),
            (kms(Some(KEY)), Some(AwsKms), Some("arn:other"), Some("kms with arn:other")),
            (kms(Some(KEY)), Some(AwsKmsDsse), Some(KEY), Some("aws:kms:dsse")),
            (kms(Some(KEY)), None, None, Some("none")),
        ] {
            let found = wanted.difference(algorithm.as_ref(), key);
            assert_eq!(found.as_deref(), difference, "{wanted:?} {algorithm:?} {key:?}");
        }
    }
}
