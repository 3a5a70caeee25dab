"""Tells `sam deploy` which processor the zip files are for, in the file that it reads: samconfig.toml.

    python -m local.samconfig x86_64|arm64

`sam deploy --guided` offers the value as its default and keeps it there, beside all that its user has
answered. Only this one value is changed here, wherever the file has it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit

from local import names

KEY = "Architecture"
DEFAULT = "default"
"""The environment of `sam deploy` without `--config-env`."""
GIVEN = re.compile(rf'(?<!\S){KEY}=("[^"]*"|\S*)')


def architecture(file: Path) -> str | None:
    """What a plain `sam deploy` takes from the file."""
    if not file.is_file():
        return None
    parameters = tomlkit.parse(file.read_text()).get(DEFAULT, {}).get("deploy", {}).get("parameters", {})
    return value_of(parameters.get("parameter_overrides", ""))


def value_of(overrides: Any) -> str | None:
    """SAM takes one text, a list of texts, or a table."""
    if isinstance(overrides, dict):
        return str(overrides[KEY]) if KEY in overrides else None
    given = GIVEN.search(overrides if isinstance(overrides, str) else " ".join(overrides))
    return given[1].strip('"') if given else None


def changed(overrides: Any, to: str) -> Any:
    """The same parameters with this processor."""
    if isinstance(overrides, dict):
        return overrides | {KEY: to}
    if isinstance(overrides, str):
        rest = GIVEN.sub("", overrides).strip()
        return f'{rest} {KEY}="{to}"'.strip()
    return [item for item in overrides if not GIVEN.fullmatch(item)] + [f"{KEY}={to}"]


def write(file: Path, to: str) -> None:
    """Changes every environment that names a processor, and the default one in any case."""
    document = tomlkit.parse(file.read_text()) if file.is_file() else tomlkit.document()
    document.setdefault("version", 0.1)
    default = document.setdefault(DEFAULT, tomlkit.table(is_super_table=True))
    deploy = default.setdefault("deploy", tomlkit.table(is_super_table=True))
    deploy.setdefault("parameters", tomlkit.table()).setdefault("parameter_overrides", "")
    for name, parameters in deployments(document):
        overrides = parameters.get("parameter_overrides", "")
        if name == DEFAULT or value_of(overrides) is not None:
            parameters["parameter_overrides"] = changed(overrides, to)
    file.write_text(tomlkit.dumps(document))


def deployments(document: Any) -> Iterator[tuple[str, Any]]:
    """The parameters of `sam deploy` in each environment of the file."""
    for name, environment in document.items():
        deploy = environment.get("deploy", {}) if isinstance(environment, dict) else {}
        if "parameters" in deploy:
            yield name, deploy["parameters"]


def main(arguments: list[str]) -> int:
    match arguments:
        case [("x86_64" | "arm64") as to]:
            write(names.SAM_CONFIG, to)
            return 0
        case _:
            print(f"usage: {__doc__}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
