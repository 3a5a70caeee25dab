"""`make build` makes what AWS runs, whatever Linux it runs on; and nothing else is shipped silently."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from local import check_zip, names, samconfig
from local.failure import Failure

FUNCTION = names.FUNCTIONS[1]
"""The smaller of the two."""


def commands(architecture: str) -> str:
    """What `make build` would run."""
    shown = ["make", "--dry-run", "--no-print-directory", "build", f"ARCH={architecture}"]
    return subprocess.run(shown, cwd=names.ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_every_build_links_against_the_c_library_of_the_runtime(architecture: str, machine: str) -> None:
    shown = commands(architecture)
    glibc = ".".join(map(str, check_zip.GLIBC))
    assert f"--compiler cargo-zigbuild --target {machine}-unknown-linux-gnu.{glibc} " in shown
    assert shown.index("local.samconfig") < shown.index(f"local.check_zip {architecture}")


def test_the_release_zips_run_in_aws_if_they_are_built() -> None:
    told = samconfig.architecture(names.SAM_CONFIG)
    built = [archive for archive in (names.ROOT / names.ZIPS).glob("*/bootstrap.zip") if told is not None]
    assert [line for archive in built for line in check_zip.check_zip(archive, str(told))] == []


def test_a_large_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "catalog-lambda" / "bootstrap.zip"
    archive.parent.mkdir()
    archive.write_bytes(bytes(check_zip.LARGEST["catalog-lambda"] + 1))
    assert check_zip.check_zip(archive, "x86_64") == [f"{archive} has 8.0 MB; at most 8.0 MB were wanted"]


@pytest.fixture(scope="module")
def program() -> bytes:
    return names.binary(FUNCTION).read_bytes()


def test_a_program_tells_what_it_needs(program: bytes) -> None:
    found = check_zip.read_program(program)
    assert found.machine in check_zip.MACHINES.values()
    assert "libc.so.6" in found.libraries
    assert any(name.startswith("GLIBC_2.") for name in found.versions)


def test_a_program_that_needs_a_newer_c_library_is_refused(program: bytes) -> None:
    """The names of versions lie in the file as text: one of them becomes one that the runtime lacks."""
    [old, *_] = [name for name in check_zip.read_program(program).versions if len(name) == len("GLIBC_2.39")]
    newer = check_zip.read_program(program.replace(old.encode() + b"\0", b"GLIBC_2.39\0"))
    told = check_zip.problems(newer, host(newer))
    assert "it needs the symbols of GLIBC_2.39; provided.al2023 has glibc 2.34" in told


def test_a_library_that_the_runtime_lacks_is_refused(program: bytes) -> None:
    odd = check_zip.read_program(program.replace(b"libm.so.6\0", b"libQ.so.6\0"))
    assert "it needs the library libQ.so.6, which provided.al2023 lacks" in check_zip.problems(odd, host(odd))


def test_a_program_for_another_processor_is_refused(program: bytes) -> None:
    found = check_zip.read_program(program)
    [other] = set(check_zip.MACHINES) - {host(found)}
    told = f"it is a program for the processor {host(found)}, not for {other}"
    assert told in check_zip.problems(found, other)


def host(found: check_zip.Program) -> str:
    return check_zip.machine_name(found.machine)


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(Failure, match="no ELF program"):
        check_zip.read_program(b"#!/bin/sh\n")


@pytest.fixture
def folder(tmp_path: Path, program: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Zip files of this machine's debug programs, with a C library new enough for them."""
    monkeypatch.setattr(check_zip, "GLIBC", (9, 0))
    monkeypatch.setattr(check_zip, "LARGEST", dict.fromkeys(names.FUNCTIONS, 1 << 30))
    monkeypatch.setattr(names, "SAM_CONFIG", tmp_path / "samconfig.toml")
    for name in names.FUNCTIONS:
        (tmp_path / name).mkdir()
        with zipfile.ZipFile(tmp_path / name / "bootstrap.zip", "w") as out:
            out.writestr("bootstrap", program)
    return tmp_path


def test_zips_and_stack_of_two_processors_are_refused(folder: Path, program: bytes) -> None:
    built = host(check_zip.read_program(program))
    [other] = set(check_zip.MACHINES) - {built}
    samconfig.write(names.SAM_CONFIG, built)
    check_zip.check(folder, built)
    samconfig.write(names.SAM_CONFIG, other)
    with pytest.raises(Failure, match=f"samconfig.toml deploys a stack for {other}, and the zip files are for {built}"):
        check_zip.check(folder, built)
    names.SAM_CONFIG.unlink()
    with pytest.raises(Failure, match="deploys a stack for None"):
        check_zip.check(folder, built)


def test_a_zip_that_is_missing_is_told(folder: Path, program: bytes) -> None:
    built = host(check_zip.read_program(program))
    samconfig.write(names.SAM_CONFIG, built)
    (folder / FUNCTION / "bootstrap.zip").unlink()
    with pytest.raises(Failure, match=f"{FUNCTION}/bootstrap.zip is not there"):
        check_zip.check(folder, built)


GUIDED = """\
version = 0.1

# Mine.
[default.deploy.parameters]
stack_name = "lake"
parameter_overrides = "ProjectId=\\"1\\" Architecture=\\"x86_64\\" Events=\\"[\\\\\\"A b\\\\\\"]\\""

[eu.deploy.parameters]
parameter_overrides = ["Architecture=x86_64", "Residency=eu"]

[other.deploy.parameters]
parameter_overrides = ["Residency=in"]
"""


def test_only_the_processor_changes_in_a_file_that_sam_has_written(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(GUIDED)
    samconfig.write(file, "arm64")
    assert samconfig.architecture(file) == "arm64"
    lines = file.read_text().splitlines()
    kept = [line for line in lines if "Architecture" not in line]
    assert kept == [line for line in GUIDED.splitlines() if "Architecture" not in line]
    one, eu = [line for line in lines if "Architecture" in line]
    assert 'ProjectId=\\"1\\"' in one
    assert 'Events=\\"[\\\\\\"A b\\\\\\"]\\"' in one
    assert "x86_64" not in one
    assert eu == 'parameter_overrides = ["Residency=eu", "Architecture=arm64"]'
    before = file.read_text()
    samconfig.write(file, "arm64")
    assert file.read_text() == before
