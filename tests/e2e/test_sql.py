"""What `mixlake sql` prints is SQL of its engine, and names what the lake has. tests/engines runs it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlfluff
import sqlglot
from sqlglot import exp

from local import names

START = 1_794_268_800
"""2026-11-10T00:00:00Z"""

ENGINES = ("redshift", "athena", "spark")
ROLE = "arn:aws:iam::123456789012:role/spectrum"

EVENTS = [
    {"event": "Add to Cart", "properties": {"time": START + 1, "distinct_id": "a", "Trim": "x", "$insert_id": "1"}},
    {"event": "Add to Cart", "properties": {"time": START + 2, "Cart": {"Item id": 7, "b": [1]}, "tags": ["x", 1]}},
    {"event": "It's \\ odd", "properties": {"time": START + 86_400, "user": "a", "n": 1.5}},
]

LAKES: dict[str, list[str]] = {
    "monoschema": [],
    "multischema": ["schema_type=multischema"],
    "raw": ["event_name=raw", "time_type=bigint", "timezone=Europe/Berlin"],
    "json": ["data_format=json"],
}
"""Each is a lake of the same events with these settings."""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [names.binary(names.COMMAND_LINE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def mixlake(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def given(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def export(lake: Path, settings: list[str], events: list[Any] = EVENTS) -> Path:
    lake.mkdir(parents=True)
    file = lake.with_suffix(".jsonl")
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-11"]
    mixlake("export", "--input", file, "--lake", lake, *dates, *given(settings))
    return lake


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lakes")
    return {name: export(folder / name, settings) for name, settings in LAKES.items()}


@pytest.fixture(params=LAKES)
def lake(request: pytest.FixtureRequest, lakes: dict[str, Path]) -> Path:
    return lakes[request.param]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


def statements(engine: str, *arguments: str | Path) -> list[str]:
    role = ["--iam-role", ROLE] if engine == "redshift" else []
    document = json.loads(mixlake("sql", engine, "--json", *role, *arguments))
    return [statement["sql"] for statement in document["statements"]]


def parsed(sql: str, engine: str) -> exp.Expression:
    """One statement. What sqlglot does not know it takes as a command, without a look at it."""
    found = sqlglot.parse(sql, dialect=engine)
    assert len(found) == 1, sql
    assert found[0] is not None
    if not sql.startswith("CREATE EXTERNAL SCHEMA"):
        assert not isinstance(found[0], exp.Command), sql
    return found[0]


def kinds(tree: Any) -> Iterator[str]:
    """The names of all parts of a tree of sqlfluff."""
    if isinstance(tree, dict):
        yield from tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from kinds(part)


def test_every_statement_is_of_its_engine(engine: str, lake: Path) -> None:
    printed = statements(engine, "--lake", lake)
    assert len(printed) >= 5
    for sql in printed:
        parsed(sql, engine)
        if engine == "athena":
            parsed(sql, "trino")


def test_every_statement_of_redshift_follows_its_grammar(lake: Path) -> None:
    """An unparsable part is an error."""
    trees = [sqlfluff.parse(f"{sql};\n", dialect="redshift") for sql in statements("redshift", "--lake", lake)]
    assert "create_external_schema_statement" in kinds(trees[0])
    assert all("select_statement" in kinds(tree) or "set_statement" in kinds(tree) for tree in trees[1:])


@pytest.mark.filterwarnings("error")
def test_the_grammar_refuses_what_redshift_would() -> None:
    with pytest.raises(sqlfluff.api.simple.APIParsingError):
        sqlfluff.parse("CREATE EXTERNAL SCHEMA x FROM DATA CATALOG DATABASE 'y' ROLE 'z';\n", dialect="redshift")
    with pytest.raises(sqlglot.errors.ParseError):
        sqlglot.parse("SELECT count(* FROM x", dialect="redshift")


def test_text_has_the_statements_of_the_document(engine: str, lake: Path) -> None:
    text = mixlake("sql", engine, "--lake", lake)
    one_by_one = [parsed(sql, engine).sql() for sql in statements(engine, "--lake", lake)]
    role = f"IAM_ROLE '{ROLE}'"
    from_text = [tree.sql(comments=False) for tree in sqlglot.parse(text, dialect=engine) if tree]
    assert [sql.replace("IAM_ROLE '<ROLE_ARN>'", role) for sql in from_text] == one_by_one


def test_statements_name_what_the_catalog_has(engine: str, lake: Path) -> None:
    """Every table and column of the lake in them is one of the catalog's, and in quotes."""
    arguments = [*given(["glue_database=raw", "glue_table_prefix=two_"]), "--lake", lake]
    catalog = json.loads(mixlake("catalog", "--json", *arguments))["tables"]
    columns = {table["table"]: {c["name"] for c in table["columns"]} | {"mp_date"} for table in catalog}
    seen = set()
    for sql in statements(engine, *arguments):
        tree = parsed(sql, engine)
        for table in (t for t in tree.find_all(exp.Table) if t.db == "raw"):
            assert table.this.quoted, sql
            quoted = {c.name for c in tree.find_all(exp.Identifier) if c.quoted and c is not table.this}
            keys_of_super = {"Item id"}
            assert quoted - {"raw", table.name} - keys_of_super <= columns[table.name], sql
            seen |= quoted
    assert {"mp_date", "distinct_id", "time"} <= seen


def test_dates_and_events_are_those_of_the_lake(engine: str, lake: Path) -> None:
    texts = {
        literal.this
        for sql in statements(engine, "--lake", lake)
        for literal in parsed(sql, engine).find_all(exp.Literal)
        if literal.is_string
    }
    days = {"2026-11-10", "2026-11-11"} if "multischema" not in str(lake) else {"2026-11-10"}
    assert {text for text in texts if text.startswith("2026")} == days
    if lake.name == "raw":
        assert "It's \\ odd" in texts, "the value of mp_event_name on the newest day"
    if lake.name == "monoschema":
        assert "it_s___odd" in texts


def test_json_functions_are_shown_on_columns_that_hold_json(lakes: dict[str, Path]) -> None:
    redshift = "\n".join(statements("redshift", "--lake", lakes["monoschema"]))
    assert "json_extract_path_text(\"cart\", 'Item id', true)" in redshift
    assert 'json_parse("tags")' in redshift
    assert "SET enable_case_sensitive_identifier TO true" in redshift
    athena = "\n".join(statements("athena", "--lake", lakes["monoschema"]))
    assert 'json_extract_scalar("cart", \'$["Item id"]\')' in athena
    spark = "\n".join(statements("spark", "--lake", lakes["monoschema"]))
    assert "get_json_object(`cart`, '$[\\'Item id\\']')" in spark
    assert 'json_extract_scalar("cart", \'$["Item id"]\')' in "\n".join(statements("athena", "--lake", lakes["json"]))


def test_a_table_without_json_columns_says_so(tmp_path: Path) -> None:
    lake = export(tmp_path / "lake", [], [EVENTS[0]])
    assert len(statements("athena", "--lake", lake)) == 6
    text = mixlake("sql", "athena", "--lake", lake).replace("\n-- ", " ")
    assert "No column of mp_master_event has only lists or only objects in its newest days" in text


def test_redshift_gets_the_schema_and_the_role(lakes: dict[str, Path]) -> None:
    schema = ["--schema", "events", "--set", "glue_database=raw", "--set", "glue_region=eu-central-1"]
    first = statements("redshift", *schema)[0]
    assert first == (
        "CREATE EXTERNAL SCHEMA IF NOT EXISTS \"events\"\nFROM DATA CATALOG\nDATABASE 'raw'\n"
        f"REGION 'eu-central-1'\nIAM_ROLE '{ROLE}'"
    )
    text = mixlake("sql", "redshift", "--iam-role", "default", "--lake", lakes["raw"])
    assert "IAM_ROLE default;" in text
    assert "angle brackets" not in text


def test_without_a_lake_words_in_angle_brackets_stand_for_what_it_has(engine: str) -> None:
    text = mixlake("sql", engine)
    assert "Replace the words in <angle brackets>." in text.replace("\n-- ", " ")
    for sql in statements(engine):
        parsed(sql, engine)
    for word in ("<CLEANED_EVENT_NAME>", "<YYYY-MM-DD>", "<column_of_lists>", "<cleaned_event_name>"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["oracle"], ["'oracle'", "redshift, athena, spark"]),
        (["redshift", "--iam-role", "spectrum"], ["--iam-role", "arn:aws:iam::123456789012:role/spectrum", "default"]),
        (["redshift", "--schema", ""], ["--schema", "1 to 127 bytes"]),
        (["athena", "--iam-role", ROLE, "--schema", "x"], ["--iam-role", "--schema", "only redshift"]),
        (["spark", "--set", "glue_database=Ä", "--set", "nonsense=1"], ["glue_database", "nonsense"]),
        (["athena", "--set", "catalog=crawler", "--lake"], ["catalog", "crawler"]),
        (["redshift", "--iam-role", "x", "--set", "glue_database=Ä", "--lake"], ["--iam-role", "glue_database"]),
    ],
)
def test_what_is_wrong_is_named(lakes: dict[str, Path], arguments: list[str], words: list[str]) -> None:
    place = [lakes["raw"]] if arguments[-1] == "--lake" else []
    done = run("sql", *arguments, *place)
    assert (done.returncode, done.stdout) == (2, "")
    assert [word for word in words if word not in done.stderr] == []


def test_a_lake_without_tables_says_what_to_do(tmp_path: Path) -> None:
    done = run("sql", "athena", "--lake", tmp_path)
    assert done.returncode == 2
    assert "Export events or profiles into it first" in done.stderr
    file = tmp_path / "events.jsonl"
    file.write_text("")
    dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-10"]
    mixlake("export", "--input", file, "--lake", tmp_path / "lake", "--allow-empty", *dates)
    done = run("sql", "athena", "--lake", tmp_path / "lake")
    assert done.returncode == 2
    assert "no table with rows yet" in done.stderr
    assert "export days that have events" in done.stderr
