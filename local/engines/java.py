"""Finds an installed Java. None is ever installed: that is the machine's owner's to decide."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.failure import Failure

FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/lib64/jvm/*",
    "/usr/java/*",
    "/opt/*jdk*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
)
IN_HOME = (".sdkman/candidates/java/*", ".jdks/*", ".jabba/jdk/*", ".asdf/installs/java/*")


@dataclass(frozen=True)
class Need:
    """The versions of Java that a program runs on."""

    program: str
    oldest: int
    newest: int | None = None

    def __str__(self) -> str:
        return f"{self.oldest} or newer" if self.newest is None else f"{self.oldest} to {self.newest}"

    def takes(self, version: int) -> bool:
        return self.oldest <= version and (self.newest is None or version <= self.newest)


def find(need: Need) -> Path:
    """The home of an installed Java of these versions; the newest one."""
    found = {home: version for home in candidates() if (version := version_of(home)) is not None}
    fitting = {home: version for home, version in found.items() if need.takes(version)}
    if fitting:
        return max(fitting, key=lambda home: fitting[home])
    there = ", ".join(f"{version} in {home}" for home, version in found.items()) or "none"
    raise Failure(
        f"{need.program} needs Java {need}; installed here: {there}",
        advice="install one (a package of the system, or any JDK), or point JAVA_HOME to it",
    )


def candidates() -> Iterator[Path]:
    """Homes of Java: what the environment names, what is on the path, and the usual folders."""
    for name, value in sorted(os.environ.items()):
        if name.startswith(("JAVA_HOME", "JAVA", "JDK")) and value and Path(value).is_dir():
            yield Path(value).resolve()
    program = shutil.which("java")
    if program:
        yield Path(program).resolve().parent.parent
    for pattern in FOLDERS:
        yield from sorted(home.resolve() for home in Path("/").glob(pattern.lstrip("/")))
    for pattern in IN_HOME:
        yield from sorted(home.resolve() for home in Path.home().glob(pattern))


def version_of(home: Path) -> int | None:
    program = home / "bin" / "java"
    if not program.is_file():
        return None
    told = subprocess.run([str(program), "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(version[1]) if version else None


def environment(home: Path) -> dict[str, str]:
    """What a launcher needs to start this Java and no other."""
    return {"JAVA_HOME": str(home), "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
