//! The file that `sam deploy` reads.
//!
//! `make build` keeps the processor of the functions in it, and `sam deploy --guided` the answers of its user. So what
//! the file has stays, and only what is new is added.

use super::parameters::Parameters;
use toml_edit::{DocumentMut, Item, Table, value};

const OVERRIDES: &str = "parameter_overrides";

/// The file with a stack and its parameters in the default environment. Other values that the file has are
/// problems, unless they are to be replaced.
pub fn merged(
    before: &str,
    stack: &str,
    parameters: &Parameters,
    force: bool,
) -> Result<String, Vec<String>> {
    let mut document: DocumentMut =
        before.parse().map_err(|error| vec![format!("it is not TOML: {error}")])?;
    document.entry("version").or_insert(value(0.1));
    let deploy = parameters_of_deploy(document.as_table_mut()).map_err(|what| vec![what])?;
    let mut overrides = overrides(deploy.get(OVERRIDES)).map_err(|what| vec![what])?;
    let had = overrides.clone();
    let mut problems = Vec::new();
    if let Some(other) = deploy.get("stack_name").and_then(Item::as_str) {
        problems.extend(other_value("stack_name", other, stack));
    }
    for (name, wanted) in parameters {
        match overrides.iter_mut().find(|(known, _)| known == name) {
            Some((_, is)) => {
                problems.extend(other_value(name, is, wanted));
                is.clone_from(wanted);
            }
            None => overrides.push((name.clone(), wanted.clone())),
        }
    }
    if !force && !problems.is_empty() {
        return Err(problems);
    }
    if deploy.get("stack_name").and_then(Item::as_str) != Some(stack) {
        deploy["stack_name"] = value(stack);
    }
    deploy.entry("capabilities").or_insert(value("CAPABILITY_IAM"));
    if !deploy.contains_key("s3_bucket") {
        deploy.entry("resolve_s3").or_insert(value(true));
    }
    if overrides != had {
        deploy[OVERRIDES] = written(&overrides);
    }
    Ok(document.to_string())
}

fn other_value(name: &str, is: &str, wanted: &str) -> Option<String> {
    let what = || format!("it has {name}={is:?}, and would get {wanted:?}; --force replaces it");
    (is != wanted).then(what)
}

/// `[default.deploy.parameters]`, made where it is missing.
fn parameters_of_deploy(document: &mut Table) -> Result<&mut Table, String> {
    let mut table = document;
    for (name, implicit) in [("default", true), ("deploy", true), ("parameters", false)] {
        let made = || {
            let mut made = Table::new();
            made.set_implicit(implicit);
            Item::Table(made)
        };
        let item = table.entry(name).or_insert_with(made);
        table = item.as_table_mut().ok_or_else(|| format!("{name} is not a table"))?;
    }
    Ok(table)
}

/// SAM takes one text, a list of texts, or a table.
fn overrides(item: Option<&Item>) -> Result<Parameters, String> {
    let unknown = || format!("{OVERRIDES} has a form that create does not know; use another --out");
    let Some(item) = item else { return Ok(Parameters::new()) };
    if let Some(text) = item.as_str() {
        return pairs(text).ok_or_else(unknown);
    }
    if let Some(list) = item.as_array() {
        let texts = list.iter().map(|text| pairs(text.as_str()?)).collect::<Option<Vec<_>>>();
        return texts.map(|texts| texts.concat()).ok_or_else(unknown);
    }
    let table = item.as_table_like().ok_or_else(unknown)?;
    let pair = |(name, item): (&str, &Item)| Some((name.to_owned(), scalar(item)?));
    table.iter().map(pair).collect::<Option<_>>().ok_or_else(unknown)
}

fn scalar(item: &Item) -> Option<String> {
    let value = item.as_value()?;
    let text = value.as_str().map(unescaped);
    let number = || value.as_integer().map(|number| number.to_string());
    text.or_else(number).or_else(|| value.as_bool().map(|flag| flag.to_string()))
}

/// The pairs of `Name="value" Other=value`.
fn pairs(text: &str) -> Option<Parameters> {
    let mut pairs = Parameters::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        if name.is_empty() || name.contains(|c: char| !c.is_ascii_alphanumeric()) {
            return None;
        }
        let (value, after) = quoted(after).or_else(|| bare(after))?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Some(pairs)
}

/// A value in quotes, in which a quote has a backslash before it, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()?.1 {
                escaped @ ('"' | '\'' | ' ') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            end if end == quote => return Some((value, &text[at + end.len_utf8()..])),
            other => value.push(other),
        }
    }
    None
}

fn bare(text: &str) -> Option<(String, &str)> {
    let (value, after) = text.split_once(' ').unwrap_or((text, ""));
    (!value.contains(['"', '\\', ','])).then(|| (value.to_owned(), after))
}

/// SAM removes the backslash before these, in a table too.
const ESCAPED: [char; 3] = [' ', '"', '\''];

fn unescaped(text: &str) -> String {
    ESCAPED.iter().fold(text.to_owned(), |text, c| text.replace(&format!("\\{c}"), &c.to_string()))
}

fn escaped(text: &str) -> String {
    let text = text.replace("\\ ", "\\\\ ");
    text.replace('"', "\\\"").replace('\'', "\\'")
}

/// As text, which every version of SAM reads, and `sam deploy --guided` writes. It cannot have a backslash.
fn written(overrides: &Parameters) -> Item {
    if overrides.iter().any(|(_, value)| value.contains('\\')) {
        let mut table = toml_edit::InlineTable::new();
        for (name, value) in overrides {
            table.insert(name, escaped(value).into());
        }
        return value(table);
    }
    let pair =
        |(name, value): &(String, String)| format!("{name}=\"{}\"", value.replace('"', "\\\""));
    value(overrides.iter().map(pair).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn new() -> Parameters {
        parameters(&[("ProjectId", "1"), ("Events", r#"["Sign Up"]"#)])
    }

    /// What `make build` writes into a new file.
    const OF_MAKE_BUILD: &str = "version = 0.1\n\n[default.deploy.parameters]\nparameter_overrides = \"Architecture=\\\"x86_64\\\"\"\n";

    #[test]
    fn a_new_file() {
        insta::assert_snapshot!(merged("", "mixlake", &new(), false).unwrap());
    }

    #[test]
    fn what_the_file_has_stays() {
        let guided = "# mine\nversion = 0.1\n[default.deploy.parameters]\nregion = \"eu-central-1\"\n\
                      s3_bucket = \"zips\" # of SAM\nparameter_overrides = 'Architecture=\"arm64\" OnDrift=repair'\n\
                      [other.deploy.parameters]\nstack_name = \"second\"\n";
        insta::assert_snapshot!(merged(guided, "mixlake", &new(), false).unwrap());
    }

    #[test]
    fn the_file_of_make_build_is_completed_and_twice_is_once() {
        let once = merged(OF_MAKE_BUILD, "mixlake", &new(), false).unwrap();
        assert!(once.contains("Architecture=") && once.contains("ProjectId="), "{once}");
        assert_eq!(merged(&once, "mixlake", &new(), false).unwrap(), once);
    }

    #[test]
    fn other_values_are_replaced_only_by_force() {
        let once = merged("", "mixlake", &new(), false).unwrap();
        let other = parameters(&[("ProjectId", "2"), ("Timezone", "UTC")]);
        let problems = merged(&once, "second", &other, false).unwrap_err();
        let expected = [
            "it has stack_name=\"mixlake\", and would get \"second\"; --force replaces it",
            "it has ProjectId=\"1\", and would get \"2\"; --force replaces it",
        ];
        assert_eq!(problems, expected);
        let forced = merged(&once, "second", &other, true).unwrap();
        let all = [("ProjectId", "2"), ("Events", r#"["Sign Up"]"#), ("Timezone", "UTC")];
        assert_eq!(read(&forced), parameters(&all));
    }

    /// The parameters of a file.
    fn read(file: &str) -> Parameters {
        let document: DocumentMut = file.parse().unwrap();
        overrides(document["default"]["deploy"]["parameters"].get(OVERRIDES)).unwrap()
    }

    #[rstest]
    #[case::text(r#"'A="1" B="x y" C=z'"#)]
    #[case::list(r#"["A=1", 'B="x y"', "C=z"]"#)]
    #[case::table(r#"{ A = 1, B = "x y", C = "z" }"#)]
    fn every_form_is_read(#[case] form: &str) {
        let file = format!("[default.deploy.parameters]\nparameter_overrides = {form}\n");
        let merged = merged(&file, "mixlake", &parameters(&[("D", "4")]), false).unwrap();
        let all = [("A", "1"), ("B", "x y"), ("C", "z"), ("D", "4")];
        assert_eq!(read(&merged), parameters(&all));
    }

    #[rstest]
    #[case::plain("x")]
    #[case::empty("")]
    #[case::space("a b=c")]
    #[case::quotes(r#"properties["a"] == "it's""#)]
    #[case::backslash(r#"a\"b\\"#)]
    #[case::backslash_and_space(r"a\ b c\'d")]
    #[case::quoted(r#""a\b""#)]
    #[case::unicode("Größe")]
    fn a_value_is_read_back(#[case] text: &str) {
        let given = parameters(&[("A", text), ("B", "1")]);
        assert_eq!(read(&merged("", "mixlake", &given, false).unwrap()), given);
    }

    #[rstest]
    #[case::no_toml("[", "it is not TOML: ")]
    #[case::keys(
        "[default.deploy.parameters]\nparameter_overrides = \"ParameterKey=A,ParameterValue=1\"",
        "parameter_overrides has a form"
    )]
    #[case::number(
        "[default.deploy.parameters]\nparameter_overrides = 1",
        "parameter_overrides has a form"
    )]
    #[case::no_table("default = 1", "default is not a table")]
    fn what_is_not_understood_is_left_alone(#[case] file: &str, #[case] expected: &str) {
        let problems = merged(file, "mixlake", &new(), true).unwrap_err();
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }
}
