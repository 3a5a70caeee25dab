"""A template of CloudFormation with its parameters put in and its conditions decided, in one way to write each value.

Two templates that settle to the same deploy the same.
"""

import re
from dataclasses import dataclass
from typing import Any

NOTHING = {"Ref": "AWS::NoValue"}
KEPT = ("Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy", "DependsOn")
"""What of a resource reaches AWS."""


@dataclass(frozen=True)
class Settled:
    template: Any
    values: dict[str, str]

    def resources(self) -> dict[str, Any]:
        return {
            name: {key: self.value(resource[key]) for key in KEPT if key in resource}
            for name, resource in self.made("Resources").items()
        }

    def outputs(self) -> dict[str, Any]:
        return {name: self.value(output["Value"]) for name, output in self.made("Outputs").items()}

    def made(self, section: str) -> dict[str, Any]:
        parts = self.template[section].items()
        return {name: part for name, part in parts if "Condition" not in part or self.holds(part["Condition"])}

    def holds(self, condition: str) -> bool:
        return self.is_true(self.template["Conditions"][condition])

    def is_true(self, expression: Any) -> bool:
        [(function, operand)] = expression.items()
        if function == "Condition":
            return self.holds(operand)
        if function == "Fn::Equals":
            return self.value(operand[0]) == self.value(operand[1])
        truths = [self.is_true(part) for part in operand]
        return {"Fn::Not": not truths[0], "Fn::And": all(truths), "Fn::Or": any(truths)}[function]

    def value(self, found: Any) -> Any:
        if isinstance(found, list):
            return [value for item in found if (value := self.value(item)) != NOTHING]
        if isinstance(found, bool):
            return str(found).lower()
        if not isinstance(found, dict):
            return str(found)
        if len(found) == 1:
            [(function, operand)] = found.items()
            if function in FUNCTIONS:
                return FUNCTIONS[function](self, operand)
        return {key: value for key, item in found.items() if (value := self.value(item)) != NOTHING}

    def reference(self, name: str) -> Any:
        return self.values.get(name, {"Ref": name})

    def attribute(self, operand: Any) -> Any:
        return {"Fn::GetAtt": operand if isinstance(operand, list) else operand.split(".", 1)}

    def choice(self, operand: Any) -> Any:
        condition, yes, no = operand
        return self.value(yes if self.holds(condition) else no)

    def joined(self, operand: Any) -> Any:
        separator, parts = operand
        spread = [piece for part in parts for piece in (separator, self.value(part))][1:]
        return text_of(spread)

    def split(self, operand: Any) -> Any:
        separator, text = operand[0], self.value(operand[1])
        return text.split(separator) if isinstance(text, str) else {"Fn::Split": [separator, text]}

    def selected(self, operand: Any) -> Any:
        index, values = operand[0], self.value(operand[1])
        return values[int(index)] if isinstance(values, list) else {"Fn::Select": [str(index), values]}

    def substituted(self, operand: Any) -> Any:
        text, variables = operand if isinstance(operand, list) else (operand, {})
        # Text and names in turn.
        pieces = re.split(r"\$\{([^!}][^}]*)\}", text)
        pieces[1::2] = [self.variable(name.strip(), variables) for name in pieces[1::2]]
        return text_of(pieces)

    def variable(self, name: str, variables: Any) -> Any:
        if name in variables:
            return self.value(variables[name])
        return self.attribute(name) if "." in name else self.reference(name)


FUNCTIONS = {
    "Ref": Settled.reference,
    "Fn::GetAtt": Settled.attribute,
    "Fn::If": Settled.choice,
    "Fn::Join": Settled.joined,
    "Fn::Split": Settled.split,
    "Fn::Select": Settled.selected,
    "Fn::Sub": Settled.substituted,
}


def text_of(pieces: list[Any]) -> Any:
    """A text, or the list of its texts and references."""
    flat = [part for piece in pieces for part in (piece["Fn::Join"][1] if is_joined(piece) else [piece])]
    merged: list[Any] = [""]
    for part in flat:
        if isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    kept = [part for part in merged if part != ""]
    if len(kept) == 1:
        return kept[0]
    return {"Fn::Join": ["", kept]} if kept else ""


def is_joined(piece: Any) -> bool:
    return isinstance(piece, dict) and "Fn::Join" in piece
