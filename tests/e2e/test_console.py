"""What a person sees of an answer, however large it is."""

import subprocess

import pytest

from local import console, names


def test_a_large_answer_is_cut_to_what_a_terminal_shows(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [f"c{number}" for number in range(1_500)]
    row = ["x" * 5_000, 1_234_567, None, "a\x1b[2J\nb", *range(1_496)]
    console.print_answer(columns, [row] * 5_000)
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert max(map(len, lines)) < 300
    assert len([line for line in lines if "1,234,567" in line]) == console.MOST_ROWS
    assert "a\\x1b[2J\\nb" in told
    assert "5,000 rows; the first 100 are shown." in told
    assert "1,500 columns; the first 20 are shown." in told


def test_a_small_answer_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_answer(["city", "events"], [["Rome", 12], ["Oslo", 3]])
    assert capsys.readouterr().out == "  city  events\n  ----  ------\n  Rome      12\n  Oslo       3\n"


def test_make_lists_every_target_that_is_described() -> None:
    told = subprocess.run(["make", "help"], cwd=names.ROOT, capture_output=True, text=True, check=True).stdout
    described = [
        line.split(":")[0]
        for line in (names.ROOT / "Makefile").read_text().splitlines()
        if "## " in line and not line.startswith(("\t", "#"))
    ]
    assert "test-e2e" in described
    assert [target for target in described if f"make {target} " not in told] == []
