"""Writes the policies of infra/policies into infra/shipmate.yml, whose roles have them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).parents[1] / "infra"
BEGIN = "  # begin of policies: written from infra/policies by scripts/policies_into_template.py\n"
END = "  # end of policies\n"
CONDITIONS = {"network": "Provisions", "provision": "Provisions"}
"""Parts that a server has only where it was said so."""


class _Filled(str):
    """A text with `${…}` in it, which CloudFormation fills in."""


class _Writer(yaml.SafeDumper):
    """Lists stand in under their names, as in the rest of the template."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Writer.add_representer(_Filled, lambda writer, text: writer.represent_scalar("!Sub", str(text), style='"'))


def main() -> None:
    """Write the template anew between the two marks."""
    template = INFRA / "shipmate.yml"
    template.write_text(filled(template.read_text(encoding="utf-8")), encoding="utf-8")


def filled(template: str) -> str:
    """The template's text with the policies as they are now."""
    before, _, rest = template.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "".join(f"\n{_resource(path)}" for path in policies()) + "\n" + END + after


def policies() -> list[Path]:
    """Every published policy, by name."""
    return sorted((INFRA / "policies").glob("*.json"))


def _resource(path: Path) -> str:
    part = path.stem
    condition = {"Condition": CONDITIONS[part]} if part in CONDITIONS else {}
    properties = {
        "Description": f"infra/policies/{path.name}",
        "PolicyDocument": _marked(json.loads(path.read_text(encoding="utf-8"))),
    }
    resource = {"Type": "AWS::IAM::ManagedPolicy", **condition, "Properties": properties}
    text = yaml.dump({f"{part.capitalize()}Policy": resource}, Dumper=_Writer, sort_keys=False, width=1000)
    return textwrap.indent(text, "  ")


def _marked(value: Any) -> Any:
    """Every text that has something to fill in, marked."""
    if isinstance(value, dict):
        return {name: _marked(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_marked(part) for part in value]
    return _Filled(value) if isinstance(value, str) and "${" in value else value


if __name__ == "__main__":
    main()
