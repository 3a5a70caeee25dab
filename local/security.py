"""Checks the templates with checkov: `python -m local.security template.yaml ...`, in the environment that has it.

A finding is either repaired, or it stands in security.toml with the reason why it stays. An entry there that checkov no
longer finds is an error too, so that the file says what is true. checkov reads only the templates and needs no network.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
EXCEPTIONS = HERE / "security.toml"
CHECKOV = Path(sys.executable).with_name("checkov")

Finding = tuple[str, str]
"""A check, and the resource that fails it."""


def main(templates: list[str]) -> int:
    found = {finding: told for template in templates for finding, told in findings(scan(template), template).items()}
    problems = complaints(found, exceptions(tomllib.loads(EXCEPTIONS.read_text())))
    print(*problems, sep="\n", file=sys.stderr, end="\n" if problems else "")
    if problems:
        return 1
    print(f"checkov: {', '.join(templates)}: {len(found)} findings, all with a reason in local/{EXCEPTIONS.name}")
    return 0


def scan(template: str) -> Any:
    options = ["--skip-download", "--framework", "cloudformation", "--output", "json", "--soft-fail"]
    command = [str(CHECKOV), *options, "--file", template]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"checkov failed on {template}:\n{done.stderr}")
    return json.loads(done.stdout)


def findings(report: Any, template: str) -> dict[Finding, str]:
    """What failed, with a sentence for each."""
    if report["summary"]["parsing_errors"] or not report["summary"]["passed"]:
        sys.exit(f"checkov cannot read {template}")
    return {
        (check["check_id"], check["resource"].rpartition(".")[2]): (
            f"{template}:{check['file_line_range'][0]}: {check['check_id']} {check['resource']}: {check['check_name']}"
        )
        for check in report["results"]["failed_checks"]
    }


def exceptions(listed: Any) -> set[Finding]:
    for entry in listed["exception"]:
        if not entry["why"].strip():
            sys.exit(f"{EXCEPTIONS.name}: {entry['check']} has no reason")
    return {(entry["check"], resource) for entry in listed["exception"] for resource in entry["resources"]}


def complaints(found: dict[Finding, str], excepted: set[Finding]) -> list[str]:
    new = [told for finding, told in found.items() if finding not in excepted]
    stale = [
        f"{EXCEPTIONS.name}: {check} is no longer found in {name}" for check, name in sorted(excepted - set(found))
    ]
    return new + stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
