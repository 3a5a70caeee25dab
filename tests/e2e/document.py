"""The commands of docs/DEPLOY.md, and a terminal that runs them against the stand-in."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from local import names, package, samconfig
from local.ministack import MiniStack
from local.pipeline import sam_environment

DOCUMENT = names.ROOT / "docs" / "DEPLOY.md"
HEADING = re.compile(r"^(#+) (.*)$")
DONE = "--- done ---"

NOT_RUN = {
    "make build": "takes minutes, and test_build.py does it: the checkout has zips of the debug binaries",
    "cargo build": "takes minutes: the debug binary is in its place",
    "target/release/mixlake backfill": "test_verbs.py does it",
    "git pull": "the checkout has no remote",
    "sleep 10; aws athena get-query-results": "the stand-in's Athena has no partition columns: the engine of the tests"
    " runs the query",
}
"""What is not run, by how a line begins, and why."""
CHECKED_ONLY = {"lakeformation": "the stand-in has no Lake Formation"}
"""The services of `aws` that nothing is sent to: the words of a command are checked against botocore's model."""


@dataclass
class Section:
    heading: str
    text: str = ""
    blocks: list[str] = field(default_factory=list)


def sections() -> dict[str, Section]:
    """Each heading with its own text and its blocks of commands, without those of its subsections."""
    found: list[Section] = []
    block: list[str] | None = None
    for line in DOCUMENT.read_text().splitlines():
        heading = HEADING.match(line) if block is None else None
        if heading:
            found.append(Section(heading[2]))
        elif line.startswith("```"):
            if block is not None:
                found[-1].blocks.append("\n".join(block))
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        else:
            found[-1].text += line + "\n"
    return {section.heading: section for section in found}


def with_values(block: str, values: dict[str, str]) -> str:
    """The block after its reader has put his values into the assignments."""
    for name, value in values.items():
        block, number = re.subn(rf"^((?:.* )?{name}=)\S+", rf"\g<1>{value}", block, flags=re.MULTILINE)
        assert number == 1, f"{name} is assigned {number} times"
    return block


def without_skipped(block: str) -> str:
    commands = re.findall(r"(?:.*\\\n)*.*\n?", block)
    return "".join(command for command in commands if not command.startswith(tuple(NOT_RUN)))


def checkout(place: Path, mixpanel: str) -> Path:
    """The repository after `make build`. The template asks the stand-in of Mixpanel, and no full hour joins in."""
    place.mkdir(parents=True)
    for item in names.ROOT.iterdir():
        if item.name not in ("target", "template.yaml", "samconfig.toml", ".git"):
            (place / item.name).symlink_to(item)
    built = package.prepare().parent
    (place / "target" / "release").mkdir(parents=True)
    (place / "target" / "lambda").symlink_to(built / names.ZIPS)
    (place / "target" / "release" / names.COMMAND_LINE).symlink_to(names.binary(names.COMMAND_LINE))
    samconfig.write(place / names.SAM_CONFIG.name, "x86_64")
    template = names.TEMPLATE.read_text()
    for expression, other in (
        (r'(\n  MixpanelEndpoint:\n(?:    .*\n)*?    Default: )""', mixpanel),
        (r"(ScheduleExpression: .*)cron\(10 \* \* \* \? \*\)", "cron(10 0 1 1 ? 2099)"),
        (r"(ScheduleExpression: )cron\(40 \* \* \* \? \*\)", "cron(40 0 1 1 ? 2099)"),
        (r"(ScheduleExpression: )cron\(25 \* \* \* \? \*\)", "cron(25 0 1 1 ? 2099)"),
        (r"(ScheduleExpression: )cron\(50 4 \* \* \? \*\)", "cron(50 4 1 1 ? 2099)"),
    ):
        template, number = re.subn(expression, lambda found, other=other: found[1] + other, template)
        assert number == 1, expression
    (place / names.TEMPLATE.name).write_text(template)
    return place


class Terminal:
    """One bash, in which variables stay. The commands `aws` and `sam` know only the stand-in."""

    def __init__(self, cloud: MiniStack, place: Path, home: Path, profiles: dict[str, str]) -> None:
        """`profiles` of the AWS command line have a name and an account."""
        home.mkdir(parents=True)
        self.home = home
        self._number = 0
        self._program("aws", f'exec "{sys.executable}" -P "{Path(__file__).with_name("aws_command.py")}" "$@"')
        self._program("sam", f'exec "{Path(sys.executable).with_name("sam")}" "$@"')
        self._write_profiles({"default": cloud.access_key} | profiles)
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=place,
            env=self._environment(cloud),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.run("set -euo pipefail")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._bash.stdin
        self._bash.stdin.close()
        self._bash.wait()

    def run(self, block: str, typed: str = "") -> str:
        """Runs a block, but for what is NOT_RUN. Returns what it prints. `typed` is what the user types after it."""
        self._number += 1
        script = self.home / f"{self._number:02}.sh"
        script.write_text(without_skipped(block))
        lines = [f"source {script}", *([typed] if typed else []), f"echo; echo '{DONE}'", ""]
        assert self._bash.stdin
        self._bash.stdin.write("\n".join(lines))
        self._bash.stdin.flush()
        return self._until_done(block)

    def _until_done(self, block: str) -> str:
        assert self._bash.stdout
        printed = ""
        for line in self._bash.stdout:
            if line.rstrip() == DONE:
                return printed
            printed += line
        raise AssertionError(f"the commands failed:\n{block}\n\nthey printed:\n{printed}")

    def __getitem__(self, variable: str) -> str:
        return self.run(f'echo "${variable}"').strip()

    def _program(self, name: str, line: str) -> None:
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def _write_profiles(self, profiles: dict[str, str]) -> None:
        """The stand-in takes the number of an account for the key of its root."""
        for file, heading in (("credentials", "[{}]"), ("config", "[profile {}]")):
            keys = "aws_access_key_id = {}\naws_secret_access_key = test\n" if file == "credentials" else ""
            text = "".join(f"{heading}\n{keys}".format(name, key) for name, key in profiles.items())
            (self.home / file).write_text(text)

    def _environment(self, cloud: MiniStack) -> dict[str, str]:
        environment = sam_environment(cloud, self.home)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
            del environment[name]
        return environment | {
            "AWS_CONFIG_FILE": str(self.home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "CHECK_ONLY": " ".join(CHECKED_ONLY),
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
        }
