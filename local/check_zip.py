"""Looks into the zip files of `make build`: does AWS's Linux run them, and on the stack's processor?

    python -m local.check_zip x86_64|arm64

A program that was linked on a newer Linux asks for a newer C library than `provided.al2023` has. Such a
function is deployed without a word, and then fails at each start. So the build ends with this check.
"""

import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from local import names, samconfig
from local.failure import Failure

GLIBC = (2, 34)
"""The C library of `provided.al2023`."""
MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
"""The processors, as an ELF header has them."""
LIBRARIES = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux")
"""What `provided.al2023` has of shared libraries that a Rust program may ask for."""


@dataclass(frozen=True)
class Program:
    """What an ELF file asks of the machine that runs it."""

    machine: str
    libraries: tuple[str, ...]
    versions: tuple[str, ...]
    """Such as `GLIBC_2.34`: what the symbols are bound to."""


def read_program(data: bytes) -> Program:
    try:
        file = ELFFile(io.BytesIO(data))
    except ELFError as problem:
        raise Failure(f"bootstrap is no ELF program: {problem}") from problem
    sections = list(file.iter_sections())
    if not sections:
        raise Failure("bootstrap has no section headers, so nobody can tell which C library it needs")
    dynamic = (section for section in sections if isinstance(section, DynamicSection))
    needed = (section for section in sections if isinstance(section, GNUVerNeedSection))
    libraries = (tag.needed for section in dynamic for tag in section.iter_tags("DT_NEEDED"))
    versions = (version.name for section in needed for _, each in section.iter_versions() for version in each)
    return Program(file["e_machine"], tuple(libraries), tuple(versions))


def problems(program: Program, architecture: str) -> list[str]:
    """Why the program does not run there; nothing, if it does."""
    found = []
    if program.machine != MACHINES[architecture]:
        found.append(f"it is a program for the processor {machine_name(program.machine)}, not for {architecture}")
    found += [
        f"it needs the symbols of {name}; {names.RUNTIME} has glibc {'.'.join(map(str, GLIBC))}"
        for name in program.versions
        if name.startswith("GLIBC_") and not has(name)
    ]
    strangers = [library for library in program.libraries if not library.startswith(LIBRARIES)]
    found += [f"it needs the library {library}, which {names.RUNTIME} lacks" for library in strangers]
    return found


def has(name: str) -> bool:
    """Whether the C library there has a version; `GLIBC_PRIVATE` and the like have no numbers."""
    numbers = name.removeprefix("GLIBC_").split(".")
    return all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) <= GLIBC


def machine_name(machine: str) -> str:
    return next((name for name, header in MACHINES.items() if header == machine), machine)


LARGEST = {"export-lambda": 9_500_000, "catalog-lambda": 8_000_000, "maintenance-lambda": 8_000_000}
"""Bytes of a zip file. Lambda fetches and unpacks it before a cold start. PERFORMANCE.md has the goals."""


def check_zip(archive: Path, architecture: str) -> list[str]:
    if not archive.is_file():
        return [f"{archive} is not there"]
    largest = LARGEST[archive.parent.name]
    if (size := archive.stat().st_size) > largest:
        return [f"{archive} has {size / 1e6:.1f} MB; at most {largest / 1e6:.1f} MB were wanted"]
    with zipfile.ZipFile(archive) as opened:
        return [f"{archive}: {problem}" for problem in problems(read_program(opened.read("bootstrap")), architecture)]


def check(folder: Path, architecture: str) -> None:
    """All zip files of a folder, and what `sam deploy` will say of the processor."""
    found = [line for name in names.FUNCTIONS for line in check_zip(folder / name / "bootstrap.zip", architecture)]
    told = samconfig.architecture(names.SAM_CONFIG)
    if told != architecture:
        found.append(f"{names.SAM_CONFIG.name} deploys a stack for {told}, and the zip files are for {architecture}")
    if found:
        raise Failure("\n".join(found), advice=f"make build ARCH={architecture}; deploy nothing of this")


def main(arguments: list[str]) -> int:
    match arguments:
        case [architecture] if architecture in MACHINES:
            pass
        case _:
            print(f"usage: {__doc__}", file=sys.stderr)
            return 2
    try:
        check(names.ROOT / names.ZIPS, architecture)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    for name in names.FUNCTIONS:
        print(f"{name}: {(names.ROOT / names.ZIPS / name / 'bootstrap.zip').stat().st_size / 1e6:.1f} MB")
    print(f"{names.ZIPS} holds the functions for {architecture}, and {names.SAM_CONFIG.name} says so.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
