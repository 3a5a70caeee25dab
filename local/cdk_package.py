"""Writes what deploy/cdk takes from template.yaml and account.yaml, so that nothing is written twice.

- `templates/*.json`: the templates in plain CloudFormation. A CDK app cannot use the SAM transform twice in one stack,
  because both would share the section Globals.
- `src/settings.ts`: their parameters as properties in TypeScript.
"""

import json
import os
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local import names

FOLDER = names.ROOT / "deploy" / "cdk"
SETTINGS = FOLDER / "src" / "settings.ts"
TEMPLATES = {names.TEMPLATE: "MixlakeSettings", names.OWNER_TEMPLATE: "MixlakeAccountSettings"}
"""Each template with the name of its settings."""

BOOLEAN = ["true", "false"]
HEAD = "// Written by `make cdk` from the parameters of template.yaml and account.yaml. Change those instead.\n"
WIDTH = 116


def write_settings() -> None:
    SETTINGS.write_text(settings())


def write_files() -> None:
    """Writes the files of the package that are not in the repository."""
    for template in TEMPLATES:
        file = FOLDER / "templates" / template.with_suffix(".json").name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(plain(template), indent=1) + "\n")
    shutil.copyfile(names.ROOT / "LICENSE", FOLDER / "LICENSE")


def read(template: Path) -> Any:
    return yaml_parse(template.read_text())


def plain(template: Path) -> Any:
    """The template without the SAM transform. Each function's key is its zip file below the folder of zip files."""
    source = read(template)
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            zip_file = Path(resource["Properties"]["CodeUri"]).relative_to(names.ZIPS)
            resource["Properties"]["CodeUri"] = {"Bucket": "replaced", "Key": str(zip_file)}
            del resource["Metadata"]  # it is for `sam build`
    if "Transform" not in source:
        return source
    # The transform asks for a region, but these templates are the same in all.
    os.environ.setdefault("AWS_DEFAULT_REGION", names.REGION)
    return transform(source, {}, NoManagedPolicies(None))


class NoManagedPolicies(ManagedPolicyLoader):
    """The roles are the template's own, so the transform need not ask IAM for managed policies."""

    def load(self) -> dict[str, str]:
        return {}


def settings() -> str:
    parameters = {name: read(template)["Parameters"] for template, name in TEMPLATES.items()}
    every = {key: value for those in parameters.values() for key, value in those.items()}
    enums = {key: enum(key, value) for key, value in every.items() if is_enum(value)}
    structs = [struct(name, those, every) for name, those in parameters.items()]
    return "\n".join([HEAD, *[enums[key] for key in sorted(enums)], *structs])


def struct(name: str, parameters: Any, every: Any) -> str:
    template = next(template.name for template, struct in TEMPLATES.items() if struct == name)
    members = [member(key, parameters[key], every) for key in parameters]
    head = f"/** The parameters of {template}. */\nexport interface {name} {{\n"
    return head + "\n".join(members) + "}\n"


def member(name: str, parameter: Any, every: Any) -> str:
    text = textwrap.wrap(prose(parameter["Description"], every), WIDTH - 5)
    optional = "Default" in parameter
    if optional:
        text += ["", f"@default {default(name, parameter)}"]
    lines = [f"   * {line}".rstrip() for line in text]
    declared = f"  readonly {camel(name)}{'?' * optional}: {kind(name, parameter)};\n"
    return "\n".join(["  /**", *lines, "   */", declared])


def prose(description: str, every: Any) -> str:
    """A description that calls the other settings by their names in TypeScript. One word alone may be English."""
    compound = [name for name in every if re.search(r"[a-z0-9][A-Z]", name)]
    text = " ".join(description.split()).replace("*/", "*\\/")
    return re.sub(rf"\b({'|'.join(compound)})\b", lambda found: f"`{camel(found[1])}`", text)


def kind(name: str, parameter: Any) -> str:
    if parameter["Type"] == "Number":
        return "number"
    if parameter.get("AllowedValues") == BOOLEAN:
        return "boolean"
    return name if is_enum(parameter) else "string"


def default(name: str, parameter: Any) -> str:
    value = parameter["Default"]
    if value == "":
        return "- empty"
    if is_enum(parameter):
        return f"{name}.{constant(value)}"
    return str(value) if kind(name, parameter) in ("number", "boolean") else json.dumps(value)


def is_enum(parameter: Any) -> bool:
    return parameter["Type"] == "String" and parameter.get("AllowedValues", BOOLEAN) != BOOLEAN


def enum(name: str, parameter: Any) -> str:
    values = [value for value in parameter["AllowedValues"] if value != ""]
    members = [f"  /** The value {value}. */\n  {constant(value)} = '{value}',\n" for value in values]
    return f"/** The values of `{camel(name)}`. */\nexport enum {name} {{\n{''.join(members)}}}\n"


def constant(value: str) -> str:
    name = re.sub(r"[^A-Z0-9]", "_", value.upper())
    # A name cannot begin with a digit: 15min is EVERY_15MIN.
    return f"EVERY_{name}" if name[0].isdigit() else name


def camel(name: str) -> str:
    return name[0].lower() + name[1:]
