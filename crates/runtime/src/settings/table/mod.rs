//! Every setting there is: one row each.
//!
//! A row is a static that the configuration reads by its name (`reader.get(&EXPORT_DELAY_MINUTES)`),
//! and an entry of `rows()`, of which the reference page is made.

use super::row::{Kind, Row};

/// Makes the rows of a file: a static for each, and the list of them.
macro_rules! rows {
    (list $list:ident; $($setting:ident: $value:ty { $($field:tt)* })*) => {
        $(
            #[doc = concat!("The setting of the variable `", stringify!($setting), "`.")]
            pub static $setting: Setting<$value> = Setting { $($field)* };
        )*
        /// The rows of this file, in the order of the reference page.
        pub(super) static $list: &[&dyn Row] = &[$(&$setting),*];
    };
}

mod catalog;
mod lake;
mod maintenance;
mod profiles;
mod project;
mod slices;
mod source;
mod tables;

pub use catalog::*;
pub use lake::*;
pub use maintenance::*;
pub use profiles::*;
pub use project::*;
pub use slices::*;
pub use source::*;
pub use tables::*;

/// All rows, in the order of the reference page.
pub fn rows() -> impl Iterator<Item = &'static dyn Row> {
    [
        PROJECT_ROWS,
        SOURCE_ROWS,
        SLICE_ROWS,
        PROFILE_ROWS,
        TABLE_ROWS,
        LAKE_ROWS,
        CATALOG_ROWS,
        MAINTENANCE_ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rows of which this version accepts one value.
pub(crate) fn with_one_value() -> impl Iterator<Item = &'static dyn Row> {
    rows().filter(|row| matches!(row.kind(), Kind::Only(_)))
}

/// The row of a setting.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Row> {
    rows().find(|row| row.name() == name)
}

/// What to say of a name that is no setting.
pub(super) fn unknown(name: &str) -> String {
    let close = |row: &&dyn Row| {
        let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
        let (ours, theirs) = (row.name(), fold(name));
        ours == theirs || (theirs.len() > 3 && (ours.contains(&theirs) || theirs.contains(ours)))
    };
    if name.to_lowercase().contains("lookup") {
        return "lookup tables are not exported; leave it out".to_owned();
    }
    match rows().find(close) {
        Some(row) => format!("there is no such setting; did you mean {}?", row.name()),
        None => "there is no such setting; `mixlake settings` lists them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::setting::Preset;
    use super::*;
    use mixlake_columnar::Compression;
    use mixlake_domain::DataFormat;
    use mixlake_schema::Profile;
    use std::collections::BTreeSet;

    #[test]
    fn a_name_stands_in_one_row_and_the_default_is_accepted() {
        let mut names = BTreeSet::new();
        for row in rows() {
            assert!(names.insert(row.name()), "{} is there twice", row.name());
            assert_eq!(row.check(&[]), Ok(()), "{}", row.name());
        }
    }

    #[test]
    fn what_this_version_does_not_have_is_refused_and_named() {
        let refused: Vec<_> = with_one_value().map(Row::name).collect();
        assert_eq!(refused, ["use_glue"]);
        for row in with_one_value() {
            let problem = row.check(&["x".to_owned()]).unwrap_err();
            assert!(problem.contains("not supported"), "{}: {problem}", row.name());
        }
    }

    #[test]
    fn every_format_and_every_compression_can_be_chosen() {
        let formats = DataFormat::ALL.map(DataFormat::name).to_vec();
        assert_eq!(DATA_FORMAT.kind(), Kind::Choice(formats));
        let compressions = Compression::ALL.map(Compression::name).to_vec();
        assert_eq!(COMPRESSION.kind(), Kind::Choice(compressions));
    }

    #[test]
    fn the_default_compression_is_that_of_the_profile() {
        let [portable, mixpanel] = [Profile::Portable, Profile::Mixpanel]
            .map(|profile| Compression::of_profile(profile).name());
        let told = format!("`{portable}`; `{mixpanel}` with `schema_profile=mixpanel`");
        assert_eq!(COMPRESSION.default.to_string(), told);
    }

    #[test]
    fn bounds_belong_to_the_accepted_values() {
        for (row, accepted, refused) in [
            (&EXPORT_DELAY_MINUTES as &dyn Row, vec!["0", "1440"], vec!["-1", "1441", "1.5", ""]),
            (&MAX_QUARANTINE_SHARE, vec!["0", "0.5", "1"], vec!["-0.1", "1.1", "NaN", "50%"]),
            (&INGESTION_START, vec!["2026-11-10"], vec!["2026-11-1", "2026-02-30", "soon"]),
            (&SYNC_DAYS, vec!["1", "3660"], vec!["0", "3661"]),
            (&DEDUPLICATE, vec!["true", "false"], vec!["yes", "TRUE", "1"]),
            (&GLUE_TABLE_PREFIX, vec!["a_1", ""], vec!["A", "a b"]),
        ] {
            for text in accepted {
                assert_eq!(row.check(&[text.to_owned()]), Ok(()), "{}={text}", row.name());
            }
            for text in refused {
                assert!(row.check(&[text.to_owned()]).is_err(), "{}={text}", row.name());
            }
        }
        assert_eq!(GLUE_TABLE_PREFIX.check(&["a".repeat(64)]), Ok(()));
        let problem = GLUE_TABLE_PREFIX.check(&["a".repeat(65)]).unwrap_err();
        assert_eq!(problem, "must have at most 64 bytes, and has 65");
    }

    #[test]
    fn a_row_that_can_be_required_has_no_default() {
        assert!(matches!(PROJECT_ID.default(), Preset::Required { .. }));
        assert_eq!(PROJECT_ID.read(&[]).unwrap(), None);
    }

    #[test]
    fn a_misspelt_setting_is_answered_with_the_one_that_was_meant() {
        assert!(unknown("Project-ID").contains("project_id"));
        assert!(unknown("zone").contains("timezone"));
        assert!(unknown("xyz").contains("mixlake settings"));
        assert!(unknown("lookup_tables").contains("lookup tables are not exported"));
    }
}
