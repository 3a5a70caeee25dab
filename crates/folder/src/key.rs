//! Keys, and the file in the lake for each.

use crate::lake_folder::HIDDEN;
use std::io;
use std::path::PathBuf;

/// The path of an object, relative to the lake.
///
/// It refuses a key whose file would be outside the lake, or whose file is also that of another key.
pub(crate) fn relative_path(key: &str) -> io::Result<PathBuf> {
    let parts: Vec<&str> = key.split('/').collect();
    let unusable = |part: &&str| matches!(*part, "" | "." | "..") || part.contains('\0');
    if parts.iter().any(unusable) {
        return Err(invalid(key, "has empty, `.` or `..` parts"));
    }
    if parts[0] == HIDDEN {
        return Err(invalid(key, "is in the folder that the lake reserves for itself"));
    }
    Ok(parts.into_iter().collect())
}

fn invalid(key: &str, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("the key {key:?} {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::path::Path;

    #[test]
    fn a_key_is_a_path_below_the_lake() {
        let path = relative_path("42/_slices/2026/11/10.json").unwrap();
        assert_eq!(path, Path::new("42/_slices/2026/11/10.json"));
    }

    #[rstest]
    #[case::empty("")]
    #[case::absolute("/etc/passwd")]
    #[case::up("../other")]
    #[case::up_inside("a/../../other")]
    #[case::here("a/./b")]
    #[case::hole("a//b")]
    #[case::folder("a/b/")]
    #[case::nul("a\0b")]
    #[case::hidden(".mixlake/catalog/mixpanel/t.json")]
    fn a_key_that_means_another_place_is_refused(#[case] key: &str) {
        let error = relative_path(key).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{key:?}")), "{error}");
    }
}
