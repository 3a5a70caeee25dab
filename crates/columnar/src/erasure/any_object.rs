//! Searches an object of any kind for a person.

use super::data_file::find_rows;
use super::person::Person;
use crate::parquet::footer::{Footer, TailRead};
use crate::people::data_rows::TableColumns;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use mixlake_domain::DataFormat;
use std::io::Read;

/// The first bytes of a gzip file, and of a Parquet file.
const GZIP: &[u8] = &[0x1f, 0x8b];
const PARQUET: &[u8] = b"PAR1";

/// Whether an object names a person, compressed or not.
#[must_use]
pub fn is_mentioned_in_object(person: &Person, object: &Bytes) -> bool {
    if object.starts_with(PARQUET)
        && let Ok(TailRead::Whole(footer)) = Footer::read(object, object.len() as u64)
    {
        // Which columns identify a person is not known here, so any of them may.
        let identity = footer.columns.into_iter().map(|(name, _)| (name.clone(), name)).collect();
        let columns = TableColumns { identity, ..TableColumns::default() };
        if let Ok(found) = find_rows(object, DataFormat::Parquet, &columns, person) {
            return !(found.rows.is_empty() && found.mentions.is_empty());
        }
    }
    let mut text = Vec::new();
    let is_gzip =
        object.starts_with(GZIP) && MultiGzDecoder::new(&object[..]).read_to_end(&mut text).is_ok();
    person.is_mentioned_in(if is_gzip { &text } else { object })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn compressed_text_is_searched_and_damaged_text_as_it_is() {
        let person = Person::new(["ann"]);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"{\"a\":\"ann\"}").unwrap();
        let gzip: Bytes = gzip.finish().unwrap().into();
        assert!(is_mentioned_in_object(&person, &gzip));
        assert!(is_mentioned_in_object(&person, &Bytes::from_static(b"PAR1 ann")));
        assert!(!is_mentioned_in_object(&person, &gzip.slice(..9)));
    }
}
