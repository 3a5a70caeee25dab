"""What `make engines` needs of a machine, and how it says what is missing."""

import os
import stat
from pathlib import Path

import pytest

from local.engines import java, needs, server
from local.failure import Failure


def install(folder: Path, version: str) -> Path:
    """A Java that only tells its version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a JAVA_HOME to fill, and nothing else."""
    monkeypatch.setattr(java, "FOLDERS", ())
    monkeypatch.setattr(java, "IN_HOME", ())
    for name in [name for name in os.environ if name.startswith(("JAVA", "JDK", server.GIVEN))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    monkeypatch.setattr(server, "DONE", tmp_path / "none")
    monkeypatch.setattr(server, "ARCHIVE", tmp_path / "downloads" / "trino.tar.gz")
    return tmp_path


def test_all_that_is_missing_is_told_at_once(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(machine / "jdk", "1.8.0_392")
    assert needs.main() == 1
    told = capsys.readouterr().err
    assert "Spark needs Java 17 to 21; installed here: 8 in " in told
    assert "Trino 476 needs Java 24 or newer; installed here: 8 in " in told
    assert told.count("what to do:") == 2


@pytest.mark.usefixtures("machine")
def test_without_any_java_nothing_is_found() -> None:
    with pytest.raises(Failure, match="installed here: none"):
        java.find(needs.SPARK)
    assert len(needs.missing()) == 2


@pytest.mark.parametrize(
    ("version", "fits"), [("17.0.15", ["Spark"]), ("21", ["Spark"]), ("22.0.1", []), ("25", ["Trino 476"])]
)
def test_a_java_is_taken_by_its_version(machine: Path, version: str, fits: list[str]) -> None:
    home = install(machine / "jdk", version)
    for need in (needs.SPARK, needs.TRINO):
        if need.program in fits:
            assert java.find(need) == home
        else:
            with pytest.raises(Failure, match=f"{need.program} needs Java"):
                java.find(need)


def test_a_given_archive_must_be_there(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.GIVEN, str(machine / "absent"))
    with pytest.raises(Failure, match="absent is no file"):
        server.check()


@pytest.mark.parametrize("code", [0, 1])
def test_what_is_fetched_half_way_is_not_taken_for_the_archive(
    machine: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(server, "FETCH", ("/bin/sh", "-c", f'printf half > "$1"; exit {code}'))
    monkeypatch.setattr(server, "LOGS", machine / "logs")
    if code == 0:
        assert server.archive().read_text() == "half"
    else:
        with pytest.raises(Failure, match="could not be fetched"):
            server.archive()
        assert list((machine / "downloads").iterdir()) == []
