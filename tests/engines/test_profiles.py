"""Each engine gives the profiles of users and groups, through the catalog, as the source lines have them."""

import json
from typing import Any

import pytest
import rules
from conftest import PROFILES, Written
from scenario import Profile

from local.engines import Reader
from local.lake import Column, Table


def expected(profile: Profile, columns: dict[tuple[str, rules.Kind], str]) -> dict[str, Any]:
    """The cells of a row by column; those that are null are left out."""
    cells = {"distinct_id": profile["$distinct_id"]}
    for name, value in profile["$properties"].items():
        if value is not None:
            kind, cell = rules.typed(value)
            cells[columns[name, kind]] = cell
    return cells


def found(row: tuple[Any, ...], table: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    cells = zip(table.columns, row, strict=True)
    return {c.name: readable(c, value, wanted) for c, value in cells if value is not None}


def readable(column: Column, value: Any, wanted: dict[str, Any]) -> Any:
    return json.loads(value) if isinstance(wanted.get(column.name), list | dict) else value


@pytest.mark.parametrize("name", PROFILES)
def test_the_columns_are_those_of_the_written_rules(stack: Written, name: str) -> None:
    given = rules.columns_of(PROFILES[name])
    types = {column: kind for (_, kind), column in given.items()}
    assert {c.name: c.type for c in stack.profiles[name].columns} == {"distinct_id": "string"} | types
    assert stack.profiles[name].partition_keys == ()


@pytest.mark.parametrize("name", PROFILES)
def test_every_column_of_every_profile_of_the_last_export(reader: Reader, stack: Written, name: str) -> None:
    table, columns = stack.profiles[name], rules.columns_of(PROFILES[name])
    place = [column.name for column in table.columns].index("distinct_id")
    rows = {row[place]: row for row in reader.every_column(table)}
    profiles = {profile["$distinct_id"]: profile for profile in PROFILES[name][-1]}
    assert rows.keys() == profiles.keys()
    for distinct_id, profile in profiles.items():
        wanted = expected(profile, columns)
        assert found(rows[distinct_id], table, wanted) == wanted, distinct_id


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_are_counted(reader: Reader, stack: Written, name: str) -> None:
    answer = reader.rows(f"SELECT count(*) FROM {stack.lake.database}.{name}")
    assert answer == [(len(PROFILES[name][-1]),)]
