use super::*;
use rstest::rstest;

const FOLDER: &str = "s3://b/t/";

fn column(name: &str, hive_type: &str) -> Column {
    Column { name: name.into(), hive_type: hive_type.into(), comment: None }
}

fn columns(of: &[(&str, &str)]) -> Vec<Column> {
    of.iter().map(|(n, t)| column(n, t)).collect()
}

fn table(of: &[(&str, &str)]) -> TableState {
    TableState {
        version: "1".into(),
        columns: columns(of),
        partition_keys: vec!["mp_date".into()],
        location: FOLDER.into(),
        format: Format::Lake(DataFormat::Parquet),
        memo: None,
    }
}

fn to_be<'a>(columns: &'a [Column], given: &'a [Column]) -> Wanted<'a> {
    let partitioning = Partitioning::ByDate;
    Wanted { folder: FOLDER, partitioning, format: DataFormat::Parquet, columns, given }
}

fn compare(current: &TableState, wanted: &[(&str, &str)], given: &[(&str, &str)]) -> Difference {
    let (columns, given) = (columns(wanted), columns(given));
    diff(Some(current), &to_be(&columns, &given))
}

#[track_caller]
fn told(difference: Difference) -> Vec<String> {
    let Difference::Conflict(conflicts) = difference else { panic!("no conflict: {difference:?}") };
    conflicts.iter().map(ToString::to_string).collect()
}

#[test]
fn a_missing_table_is_created() {
    let columns = columns(&[("a", "string")]);
    assert_eq!(diff(None, &to_be(&columns, &[])), Difference::Create);
}

#[test]
fn what_is_there_in_any_order_with_columns_of_others_is_left_alone() {
    let current = table(&[("mine", "int"), ("b", "double"), ("A", "STRING")]);
    let wanted = [("a", "string"), ("b", "double")];
    assert_eq!(compare(&current, &wanted, &[]), Difference::Unchanged);
    let given = [("b", "double"), ("a", "string")];
    assert_eq!(compare(&current, &wanted, &given), Difference::Unchanged);
}

#[test]
fn only_what_is_missing_is_appended_in_the_order_wanted() {
    let wanted = [("c", "string"), ("a", "string"), ("b", "double")];
    let expected = columns(&[("c", "string"), ("b", "double")]);
    assert_eq!(
        compare(&table(&[("a", "string")]), &wanted, &[("a", "string")]),
        Difference::Append(expected)
    );
}

#[test]
fn another_type_is_a_conflict_that_names_both() {
    let wanted = [("a", "double"), ("new", "string")];
    assert_eq!(
        told(compare(&table(&[("a", "int")]), &wanted, &[])),
        ["column a is int in the catalog, but double in the files"]
    );
}

#[test]
fn a_column_that_we_gave_and_that_is_gone_is_not_given_again() {
    let given = [("a", "string"), ("b", "double")];
    let current = table(&[("a", "string")]);
    assert_eq!(
        told(compare(&current, &given, &given)),
        ["column b was dropped in the catalog, but is double in the files"]
    );
    assert_eq!(compare(&current, &[("a", "string")], &given), Difference::Unchanged);
}

#[test]
fn columns_that_changed_places_are_told_where_the_files_have_them() {
    let given = [("a", "string"), ("b", "double"), ("c", "string"), ("d", "string")];
    let current = table(&[
        ("a", "string"),
        ("c", "string"),
        ("mine", "int"),
        ("b", "double"),
        ("d", "string"),
    ]);
    assert_eq!(
        told(compare(&current, &[("b", "double")], &given)),
        ["column c was moved before column b in the catalog"]
    );
    assert_eq!(compare(&current, &[("a", "string")], &given), Difference::Unchanged);
}

#[test]
fn another_way_of_reading_is_a_conflict() {
    let read_as = |format| told(compare(&TableState { format, ..table(&[]) }, &[], &[])).remove(0);
    let text = "the files are parquet, but the catalog says to read them as";
    assert_eq!(read_as(Format::Other("x.CsvSerDe".into())), format!("{text} x.CsvSerDe"));
    assert_eq!(read_as(Format::Lake(DataFormat::Json)), format!("{text} json"));
}

#[test]
fn another_partitioning_is_a_conflict() {
    let current = TableState { partition_keys: vec!["day".into()], ..table(&[("a", "string")]) };
    assert!(told(compare(&current, &[], &[]))[0].contains("[day]"));
}

#[test]
fn a_table_of_another_folder_is_left_to_whoever_made_it() {
    let current = TableState { location: "s3://b/other/".into(), ..table(&[("a", "string")]) };
    assert!(told(compare(&current, &[("new", "string")], &[]))[0].contains("s3://b/other/"));
}

#[rstest]
#[case::retyped(&[("a", "int"), ("mine", "int"), ("b", "double")], &["a string", "mine int", "b double", "c string"])]
#[case::dropped_in_the_middle(&[("a", "string"), ("mine", "int")], &["a string", "mine int", "b double", "c string"])]
#[case::turned(&[("b", "double"), ("mine", "int"), ("a", "string")], &["a string", "mine int", "b double", "c string"])]
#[case::nothing_left(&[("mine", "int")], &["mine int", "a string", "b double", "c string"])]
#[case::not_noted(&[("a", "string"), ("C", "int")], &["a string", "c string", "b double"])]
fn a_repaired_table_has_ours_in_our_order_and_keeps_the_others(
    #[case] current: &[(&str, &str)],
    #[case] expected: &[&str],
) {
    let wanted = columns(&[("c", "string"), ("a", "string")]);
    let given = columns(&[("a", "string"), ("b", "double")]);
    let wanted = to_be(&wanted, &given);
    let mut table = table(current);
    table.columns = repaired(&table.columns, &wanted);
    let shown: Vec<String> =
        table.columns.iter().map(|c| format!("{} {}", c.name, c.hive_type)).collect();
    assert_eq!(shown, expected);
    assert_eq!(diff(Some(&table), &wanted), Difference::Unchanged);
}
