"""Looks into the zip files of `make build`: does AWS's Linux run them, and on the stack's processor?

    python -m local.check_zip x86_64|arm64

A program that was linked on a newer Linux asks for a newer C library than `provided.al2023` has. Such a
function is deployed without a word, and then fails at each start. So the build ends with this check.
"""

import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local import names, samconfig
from local.failure import Failure

GLIBC = (2, 34)
"""The C library of `provided.al2023`."""
MACHINES = {"x86_64": 62, "arm64": 183}
"""The numbers of the processors in an ELF header."""
LIBRARIES = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux")
"""What `provided.al2023` has of shared libraries that a Rust program may ask for."""

DYNAMIC, VERSIONS_NEEDED = 6, 0x6FFFFFFE
NEEDED = 1


@dataclass(frozen=True)
class Program:
    """What an ELF file of 64 bits asks of the machine that runs it."""

    machine: int
    libraries: tuple[str, ...]
    versions: tuple[str, ...]
    """Such as `GLIBC_2.34`: what the symbols are bound to."""


@dataclass(frozen=True)
class Section:
    kind: int
    offset: int
    size: int
    link: int


def read_program(data: bytes) -> Program:
    """Reads the headers and tables that a loader reads; it needs no `readelf`."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise Failure("bootstrap is no ELF program of 64 bits, little endian")
    machine = struct.unpack_from("<H", data, 18)[0]
    sections = list(read_sections(data))
    libraries, versions = [], []
    for section in sections:
        if section.kind == DYNAMIC:
            libraries += read_libraries(data, section, sections[section.link].offset)
        if section.kind == VERSIONS_NEEDED:
            versions += read_versions(data, section, sections[section.link].offset)
    return Program(machine, tuple(libraries), tuple(versions))


def read_sections(data: bytes) -> Iterator[Section]:
    start, size, number = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
    if number == 0:
        raise Failure("bootstrap has no section headers, so nobody can tell which C library it needs")
    for at in range(start, start + size * number, size):
        kind, offset, length, link = struct.unpack_from("<4xI16xQQI", data, at)
        yield Section(kind, offset, length, link)


def read_libraries(data: bytes, section: Section, strings: int) -> Iterator[str]:
    for at in range(section.offset, section.offset + section.size, 16):
        tag, value = struct.unpack_from("<qQ", data, at)
        if tag == NEEDED:
            yield text(data, strings + value)


def read_versions(data: bytes, section: Section, strings: int) -> Iterator[str]:
    """A list of libraries, each with its own list of versions."""
    library = section.offset
    while True:
        count, first, following = struct.unpack_from("<2xH4xII", data, library)
        version = library + first
        for _ in range(count):
            name, step = struct.unpack_from("<8xII", data, version)
            yield text(data, strings + name)
            version += step
        if following == 0:
            return
        library += following


def text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


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


def machine_name(machine: int) -> str:
    return next((name for name, number in MACHINES.items() if number == machine), f"number {machine}")


def check_zip(archive: Path, architecture: str) -> list[str]:
    if not archive.is_file():
        return [f"{archive} is not there"]
    with zipfile.ZipFile(archive) as opened:
        return [f"{archive}: {problem}" for problem in problems(read_program(opened.read("bootstrap")), architecture)]


def check(folder: Path, architecture: str) -> None:
    """Both zip files of a folder, and what `sam deploy` will say of the processor."""
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
    print(f"{names.ZIPS} holds both functions for {architecture}, and {names.SAM_CONFIG.name} says so.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
