//! What S3 requires of a multipart upload, decided from its earlier calls.
//!
//! Source: the API reference of S3 and "Checking object integrity" in its user guide. If the reference
//! has no text for an error, the text is ours; the codes are S3's.

use s3s::dto::{ChecksumAlgorithm, ChecksumType, ETag};
use s3s::{S3Result, s3_error};
use std::collections::BTreeMap;

/// The smallest size of a part that is not the last.
pub(crate) const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// The highest number of a part, and the largest number of parts of an object.
pub(crate) const MOST_PARTS: usize = 10_000;

/// The algorithms that both S3 and s3s support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) fn of(name: &ChecksumAlgorithm) -> S3Result<Self> {
        match name.as_str() {
            ChecksumAlgorithm::CRC32 => Ok(Self::Crc32),
            ChecksumAlgorithm::CRC32C => Ok(Self::Crc32c),
            ChecksumAlgorithm::CRC64NVME => Ok(Self::Crc64Nvme),
            ChecksumAlgorithm::SHA1 => Ok(Self::Sha1),
            ChecksumAlgorithm::SHA256 => Ok(Self::Sha256),
            other => Err(s3_error!(InvalidRequest, "{other} is no checksum algorithm")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// Checksums of a request, in base64.
pub(crate) type Checksums = BTreeMap<Algorithm, String>;

/// What the checksum of the whole object is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The checksums of the parts: each part must have one.
    Composite,
    /// The bytes of the object: a part may have no checksum.
    FullObject,
}

impl Kind {
    fn of(name: &ChecksumType) -> S3Result<Self> {
        match name.as_str() {
            ChecksumType::COMPOSITE => Ok(Self::Composite),
            ChecksumType::FULL_OBJECT => Ok(Self::FullObject),
            other => Err(s3_error!(InvalidRequest, "{other} is no checksum type")),
        }
    }
}

/// What an upload named at its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
}

/// Reads the algorithm and the type of a creation; S3 may not support the combination.
pub(crate) fn named(
    algorithm: Option<&ChecksumAlgorithm>,
    kind: Option<&ChecksumType>,
) -> S3Result<Option<Named>> {
    let Some(algorithm) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(s3_error!(InvalidRequest, "a checksum type needs an algorithm")),
        };
    };
    let algorithm = Algorithm::of(algorithm)?;
    let kind = kind.map(Kind::of).transpose()?;
    let kind = match (algorithm, kind) {
        (Algorithm::Crc64Nvme, None | Some(Kind::FullObject))
        | (Algorithm::Crc32 | Algorithm::Crc32c, Some(Kind::FullObject)) => Kind::FullObject,
        (Algorithm::Crc64Nvme, Some(Kind::Composite))
        | (Algorithm::Sha1 | Algorithm::Sha256, Some(Kind::FullObject)) => {
            let name = algorithm.name();
            return Err(s3_error!(InvalidRequest, "{name} does not make a checksum of this type"));
        }
        (_, None | Some(Kind::Composite)) => Kind::Composite,
    };
    Ok(Some(Named { algorithm, kind }))
}

/// A part that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) etag: ETag,
    pub(crate) size: u64,
    pub(crate) checksums: Checksums,
}

/// A part in the list of a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) number: i32,
    pub(crate) etag: Option<ETag>,
    pub(crate) checksums: Checksums,
}

/// An upload that has started.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) named: Option<Named>,
    pub(crate) parts: BTreeMap<i32, Part>,
}

impl Upload {
    pub(crate) fn new(named: Option<Named>) -> Self {
        Self { named, parts: BTreeMap::new() }
    }

    /// Whether a part with these checksums is allowed.
    pub(crate) fn admit(&self, checksums: &Checksums) -> S3Result<()> {
        let Some(Named { algorithm, kind }) = self.named else { return Ok(()) };
        let found = match checksums.keys().find(|&&found| found != algorithm) {
            Some(other) => other.name(),
            None if checksums.is_empty() && kind == Kind::Composite => "null",
            None => return Ok(()),
        };
        let name = algorithm.name();
        Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {name}, actual checksum Type: {found}"
        ))
    }

    /// Whether the list matches the parts that arrived.
    pub(crate) fn complete(&self, claims: &[Claim]) -> S3Result<()> {
        if claims.is_empty() || claims.len() > MOST_PARTS {
            return Err(s3_error!(MalformedXML, "a list has 1 to {MOST_PARTS} parts"));
        }
        if claims.windows(2).any(|pair| pair[0].number >= pair[1].number) {
            return Err(s3_error!(InvalidPartOrder, "the parts are not in ascending order"));
        }
        let mut parts = Vec::with_capacity(claims.len());
        for claim in claims {
            parts.push(self.claimed(claim)?);
        }
        let all_but_last = &parts[..parts.len() - 1];
        if all_but_last.iter().any(|part| part.size < SMALLEST_PART) {
            return Err(s3_error!(EntityTooSmall, "only the last part may have less than 5 MiB"));
        }
        Ok(())
    }

    fn claimed(&self, claim: &Claim) -> S3Result<&Part> {
        let number = claim.number;
        let odd = |what| s3_error!(InvalidPart, "part {number}: {what}");
        let part = self.parts.get(&number).ok_or_else(|| odd("it was not uploaded"))?;
        if claim.etag.as_ref().is_none_or(|etag| etag.value() != part.etag.value()) {
            return Err(odd("its ETag is another one"));
        }
        let Some(Named { algorithm, kind }) = self.named else {
            // The checksum of the part was checked, but not kept.
            return if claim.checksums.is_empty() {
                Ok(part)
            } else {
                Err(odd("it has no checksum, because the upload has named no algorithm"))
            };
        };
        if kind == Kind::Composite && !claim.checksums.contains_key(&algorithm) {
            let name = algorithm.name();
            return Err(s3_error!(
                InvalidRequest,
                "The upload was created using a {name} checksum. The complete request must include the \
                 checksum for each part. It was missing for part {number} in the request."
            ));
        }
        let same = |(found, sum): (&Algorithm, &String)| {
            *found == algorithm && part.checksums.get(found).is_none_or(|known| known == sum)
        };
        if claim.checksums.iter().all(same) {
            Ok(part)
        } else {
            Err(odd("its checksum is another one"))
        }
    }
}
