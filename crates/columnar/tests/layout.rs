//! The form of the Parquet files: what a reader can skip, and what it is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a lake has no other kinds of columns")]

mod support;

use bytes::Bytes;
use mixlake_columnar::{Compression, Options, Transformed};
use mixlake_testkit::generate::Shape;
use parquet::basic::{BoundaryOrder, ColumnOrder, Compression as Codec, Encoding};
use parquet::file::metadata::{ParquetMetaData, SortingColumn};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::file::statistics::Statistics;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use support::{all_rows, generated, line, options, run};

fn metadata(file: &Bytes) -> ParquetMetaData {
    let options = ReadOptionsBuilder::new().with_page_index();
    let reader = SerializedFileReader::new_with_options(file.clone(), options.build()).unwrap();
    reader.metadata().clone()
}

/// What the page index says of a column in a row group: bounds, and places.
fn index(
    metadata: &ParquetMetaData,
    group: usize,
    column: usize,
) -> (ColumnIndexMetaData, OffsetIndexMetaData) {
    let index = metadata.page_index_for_row_group(group);
    (index.column_index(column).unwrap().clone(), index.offset_index(column).unwrap().clone())
}

/// The place of a column in a file.
fn place(metadata: &ParquetMetaData, name: &str) -> usize {
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().position(|column| column.name() == name).unwrap()
}

/// 20,000 rows of one day in a file of row groups of 9,000.
static FILE: LazyLock<(Bytes, Transformed)> = LazyLock::new(|| {
    let lines = generated(Shape { rows: 20_000, ..Shape::default() });
    let mut options = options();
    options.bounds.group_rows = 9_000;
    let done = run(&options, &[&lines]).unwrap();
    assert_eq!(done.files.len(), 1);
    (done.files[0].bytes.clone(), done)
});

#[test]
fn a_file_says_where_it_comes_from() {
    let (file, done) = &*FILE;
    let metadata = metadata(file);
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let said: BTreeMap<&str, &str> =
        pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap())).collect();
    assert_eq!(said["mixlake.project"], "42");
    assert_eq!(said["mixlake.table"], "mp_master_event");
    assert_eq!(said["mixlake.slice"], "2026-11-10");
    assert_eq!(said["mixlake.rows"], "20000");
    assert_eq!(said["mixlake.rows_hash"].parse(), Ok(done.files[0].rows_hash));
    assert_eq!(said["mixlake.version"], env!("CARGO_PKG_VERSION"));
    let columns: Vec<[String; 3]> = serde_json::from_str(said["mixlake.columns"]).unwrap();
    let described = metadata.file_metadata().schema_descr().columns();
    assert_eq!(columns.len(), described.len());
    assert!(columns.iter().zip(described).all(|(column, leaf)| column[0] == leaf.name()));
    assert_eq!(columns[0], ["mp_event_name", "event", "string"]);
    assert!(
        columns
            .iter()
            .any(|[name, property, _]| name == "mp_insert_id" && property == "$insert_id")
    );
    let events: BTreeMap<String, String> = serde_json::from_str(said["mixlake.events"]).unwrap();
    assert!(!events.is_empty());
    assert_eq!(metadata.file_metadata().version(), 1);
}

#[test]
fn a_file_of_one_row_group_says_how_it_is_sorted() {
    let lines = generated(Shape { rows: 100, ..Shape::default() });
    let done = run(&options(), &[&lines]).unwrap();
    let metadata = metadata(&done.files[0].bytes);
    let by = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
    assert_eq!(metadata.num_row_groups(), 1);
    assert_eq!(metadata.row_group(0).sorting_columns().unwrap(), &[by(0), by(1)]);
}

#[test]
fn row_groups_are_cut_by_rows() {
    let (file, _) = &*FILE;
    let metadata = metadata(file);
    let rows: Vec<i64> = metadata
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(rows, [9_000, 9_000, 2_000]);
    // An engine may take the order of a row group for that of the file.
    for group in metadata.row_groups() {
        assert_eq!(group.sorting_columns(), None);
    }
    assert_eq!((place(&metadata, "mp_event_name"), place(&metadata, "time")), (0, 1));
}

#[test]
fn texts_that_repeat_are_in_a_dictionary() {
    let (file, _) = &*FILE;
    let metadata = metadata(file);
    let encodings = |name: &str| {
        let chunk = metadata.row_group(0).column(place(&metadata, name));
        chunk.encodings().collect::<Vec<_>>()
    };
    assert!(encodings("mp_event_name").contains(&Encoding::PLAIN_DICTIONARY));
    assert!(encodings("mp_os").contains(&Encoding::PLAIN_DICTIONARY));
    assert!(!encodings("mp_insert_id").contains(&Encoding::PLAIN_DICTIONARY), "all are different");
    assert!(!encodings("time").contains(&Encoding::PLAIN_DICTIONARY));
}

#[test]
fn a_day_in_each_compression_is_read_back_and_every_chunk_says_it() {
    assert_eq!(options().compression, Compression::Snappy, "every engine reads it");
    let lines = generated(Shape { rows: 3_000, ..Shape::default() });
    let mut all = Vec::new();
    for compression in Compression::ALL {
        let mut options = Options { compression, ..options() };
        options.bounds.group_rows = 2_000;
        let done = run(&options, &[&lines]).unwrap();
        let metadata = metadata(&done.files[0].bytes);
        for chunk in metadata
            .row_groups()
            .iter()
            .flat_map(parquet::file::metadata::RowGroupMetaData::columns)
        {
            let codec = match chunk.compression() {
                Codec::SNAPPY => Compression::Snappy,
                Codec::ZSTD(_) => Compression::Zstd,
                Codec::GZIP(_) => Compression::Gzip,
                other => panic!("{other:?} is no setting"),
            };
            assert_eq!(codec, compression);
        }
        all.push(all_rows(&done));
    }
    assert_eq!(all[0].len(), 3_000);
    assert!(all.iter().all(|rows| *rows == all[0]));
}

#[test]
fn large_values_are_in_pages_of_a_few_even_within_64_rows() {
    let large = |row: u32| format!("{row}-{}", "x".repeat(300_000));
    let lines: String = (0..100)
        .map(|row| match row % 3 {
            0 => line("e", row, &json!({"a": row})),
            _ => line("e", row, &json!({"a": row, "large": large(row)})),
        })
        .collect();
    let done = run(&options(), &[lines.as_bytes()]).unwrap();
    assert_eq!(done.files.len(), 1);
    let file = &done.files[0].bytes;
    let metadata = metadata(file);
    let at = place(&metadata, "large");
    assert_eq!(metadata.row_groups().len(), 1);
    let (_, places) = index(&metadata, 0, at);
    // Four of them are more than a megabyte.
    assert_eq!(places.page_locations().len(), 66_usize.div_ceil(4));
    let rows = all_rows(&done);
    for (row, cells) in (0..).zip(&rows) {
        assert_eq!(cells["a"], json!(f64::from(row)));
        let expected = (row % 3 != 0).then(|| json!(large(row)));
        assert!(cells.get("large") == expected.as_ref(), "{row}");
    }
}

#[test]
fn a_bloom_filter_finds_every_person_and_hardly_anybody_else() {
    let (file, done) = &*FILE;
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let people = place(reader.metadata(), "distinct_id");
    let filters: Vec<_> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(|group| {
            let column = group.column(people);
            parquet::bloom_filter::Sbbf::read_from_column_chunk(column, file).unwrap().unwrap()
        })
        .collect();
    let rows = all_rows(done);
    for (number, row) in rows.iter().enumerate() {
        assert!(filters[number / 9_000].check(&row["distinct_id"].as_str().unwrap()));
    }
    let strangers = (0..10_000).filter(|i| filters[0].check(&format!("stranger-{i}").as_str()));
    assert!(strangers.count() < 300, "one in a hundred is expected");
    let event = reader.metadata().row_group(0).column(0);
    assert!(event.bloom_filter_offset().is_none(), "only distinct_id has one");
}

#[test]
fn columns_without_a_value_are_left_out_and_late_ones_are_null_before() {
    let mut options = options();
    options.bounds.group_rows = 2;
    let late = line("e", 9, &json!({"late": 1}));
    let text = line("e", 1, &json!({"a": null})).repeat(3) + &late;
    let done = run(&options, &[text.as_bytes()]).unwrap();
    let file = &done.files[0];
    assert_eq!(file.columns, ["mp_event_name", "time", "late"]);
    let metadata = metadata(&file.bytes);
    let chunk = metadata.row_group(0).column(2);
    assert_eq!(chunk.statistics().unwrap().null_count_opt(), Some(2));
    assert!(chunk.statistics().unwrap().min_bytes_opt().is_none());
    assert!(index(&metadata, 0, 2).0.is_null_page(0));
}

#[test]
fn the_page_index_encloses_the_values_of_its_pages() {
    let (file, done) = &*FILE;
    let metadata = metadata(file);
    let rows = all_rows(done);
    for name in ["mp_event_name", "time", "distinct_id", "property_8", "property_13", "property_19"]
    {
        let column = place(&metadata, name);
        let mut first = 0;
        for (group, rows_of_group) in metadata.row_groups().iter().enumerate() {
            let length = usize::try_from(rows_of_group.num_rows()).unwrap();
            let (bounds, offsets) = index(&metadata, group, column);
            let pages = offsets.page_locations();
            let starts: Vec<usize> =
                pages.iter().map(|page| usize::try_from(page.first_row_index).unwrap()).collect();
            for (page, &start) in starts.iter().enumerate() {
                let end = starts.get(page + 1).copied().unwrap_or(length);
                for row in &rows[first + start..first + end] {
                    let Some(cell) = row.get(name) else { continue };
                    let within = match &bounds {
                        ColumnIndexMetaData::BYTE_ARRAY(index) => {
                            let text = cell.as_str().unwrap().as_bytes();
                            index.min_value(page).unwrap() <= text
                                && text <= index.max_value(page).unwrap()
                        }
                        ColumnIndexMetaData::DOUBLE(index) => {
                            let number = cell.as_f64().unwrap();
                            *index.min_value(page).unwrap() <= number
                                && number <= *index.max_value(page).unwrap()
                        }
                        ColumnIndexMetaData::INT64(index) => {
                            let number = cell.as_i64().unwrap();
                            *index.min_value(page).unwrap() <= number
                                && number <= *index.max_value(page).unwrap()
                        }
                        other => panic!("no index of {name}: {other:?}"),
                    };
                    assert!(within, "{name} {cell} is outside of page {page} of group {group}");
                }
            }
            first += length;
        }
    }
}

#[test]
fn names_of_events_ascend_so_that_a_reader_can_search() {
    let (file, _) = &*FILE;
    let metadata = metadata(file);
    let (bounds, _) = index(&metadata, 0, 0);
    assert_eq!(bounds.get_boundary_order(), Some(BoundaryOrder::ASCENDING));
}

#[test]
fn a_query_for_one_event_reads_a_fraction_of_the_pages() {
    let lines = generated(Shape { rows: 60_000, per_event: 6, properties: 40, ..Shape::default() });
    // Bytes of the pages of a column in which, by the index, rows of an event may be.
    let needed = |clustered: bool| {
        let done = run(&Options { clustered, ..options() }, &[&lines]).unwrap();
        let metadata = metadata(&done.files[0].bytes);
        let name = b"event_30".as_slice();
        let (names, places) = index(&metadata, 0, 0);
        let (_, time_places) = index(&metadata, 0, 1);
        let ColumnIndexMetaData::BYTE_ARRAY(names) = names else { panic!("texts") };
        let rows_of = |places: &OffsetIndexMetaData, page: usize| {
            let pages = places.page_locations();
            let end = pages.get(page + 1).map_or(60_000, |next| next.first_row_index);
            pages[page].first_row_index..end
        };
        let found = |page: &usize| {
            names.min_value(*page).unwrap() <= name && name <= names.max_value(*page).unwrap()
        };
        let pages = 0..places.page_locations().len();
        let hits: Vec<_> = pages.filter(found).map(|page| rows_of(&places, page)).collect();
        let pages = time_places.page_locations();
        let read = (0..pages.len()).filter(|&page| {
            let rows = rows_of(&time_places, page);
            hits.iter().any(|hit| hit.start < rows.end && rows.start < hit.end)
        });
        read.map(|page| i64::from(pages[page].compressed_page_size)).sum::<i64>()
    };
    let (clustered, unclustered) = (needed(true), needed(false));
    assert!(clustered * 2 < unclustered, "{clustered} of {unclustered}");
}

#[test]
fn bounds_of_doubles_can_be_used_by_readers_old_and_new() {
    let mut options = options();
    options.bounds.group_rows = 2;
    let text = line("e", 1, &json!({"n": 2.5, "later": "x"}))
        + &line("e", 2, &json!({"n": 0}))
        + &line("e", 3, &json!({"n": -1}))
        + &line("e", 4, &json!({"n": -0.0}))
        + &line("e", 5, &json!({}));
    let done = run(&options, &[text.as_bytes()]).unwrap();
    let metadata = metadata(&done.files[0].bytes);
    for column in 0..metadata.file_metadata().schema_descr().num_columns() {
        let order = metadata.file_metadata().column_order(column);
        assert!(
            matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)),
            "an order since 2017: {order:?}"
        );
    }
    let n = place(&metadata, "n");
    let of = |group: usize| {
        let statistics = metadata.row_group(group).column(n).statistics().unwrap().clone();
        let Statistics::Double(of) = statistics else { panic!("doubles") };
        assert_eq!(of.nan_count_opt(), Some(0), "it is said that there is none");
        assert_eq!(index(&metadata, group, n).0.nan_counts(), Some(&vec![0]));
        [of.min_opt(), of.max_opt()].map(|bound| bound.map(|number| number.to_bits()))
    };
    let bounds = |numbers: [f64; 2]| numbers.map(|number| Some(number.to_bits()));
    assert_eq!(of(0), bounds([-0.0, 2.5]), "either zero is looked for");
    assert_eq!(of(1), bounds([-1.0, 0.0]));
    assert_eq!(of(2), [None, None]);
    let texts = index(&metadata, 0, place(&metadata, "later")).0;
    assert_eq!(texts.nan_counts(), None);
}

#[test]
fn chunk_statistics_are_the_extremes_of_the_values() {
    let numbers = [3.5, -0.0, 0.0, 7.25, -2.0];
    let text: String =
        numbers.iter().map(|n| line("e", 1, &json!({"n": n, "long": "x".repeat(200)}))).collect();
    let done = run(&options(), &[text.as_bytes()]).unwrap();
    let metadata = metadata(&done.files[0].bytes);
    let statistics = |name: &str| {
        metadata.row_group(0).column(place(&metadata, name)).statistics().unwrap().clone()
    };
    let Statistics::Double(n) = statistics("n") else { panic!("doubles") };
    assert_eq!((n.min_opt(), n.max_opt()), (Some(&-2.0), Some(&7.25)));
    let Statistics::ByteArray(long) = statistics("long") else { panic!("texts") };
    assert!(!long.min_is_exact() && !long.max_is_exact() && long.max_opt().unwrap().len() <= 67);
    assert!(
        !done.files[0].bytes.is_empty() && done.files[0].bytes.get_bytes(0, 4).unwrap() == "PAR1"
    );
}
