"""The CloudFormation template as plain data, as the tests read it, and what cfn-lint says and knows.

cfn-lint comes with the first test that needs it: each worker collects every test, and runs a part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

INFRA = Path(__file__).parents[3] / "infra"
TEMPLATE = INFRA / "shipmate.yml"
POLICIES = sorted((INFRA / "policies").glob("*.json"))
Statement = Mapping[str, Any]


@cache
def template() -> dict[str, Any]:
    """Everything in it; `!Ref x` stands as `{"Ref": x}`. Nobody changes it."""
    from cfnlint.decode import cfn_yaml

    read: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))))
    return read


def found_by_cfn_lint() -> list[str]:
    """Line, rule and sentence of each fault it sees in the template."""
    from cfnlint.api import lint_file

    return [f"{match.linenumber}: {match.rule.id} {match.message}" for match in lint_file(TEMPLATE)]


@cache
def known_actions() -> Mapping[str, Any]:
    """AWS's service authorization reference, as cfn-lint brings it: each service has `Actions`, in small letters."""
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    known: Mapping[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
    return known


def resources(kind: str = "") -> dict[str, dict[str, Any]]:
    """Those of one type, by name; all without one."""
    every: dict[str, dict[str, Any]] = template()["Resources"]
    return {name: one for name, one in every.items() if kind in ("", one["Type"])}


def properties(name: str) -> dict[str, Any]:
    """Of one resource."""
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


def published(part: str) -> list[Statement]:
    """The statements of `infra/policies/{part}.json`, its placeholders as they are."""
    return statements_of(json.loads((INFRA / "policies" / f"{part}.json").read_text(encoding="utf-8")))


def statements_of(document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy; one that stands under a condition counts as if it held."""
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in document["Statement"]]


def several(value: Any) -> list[Any]:
    """IAM writes one thing as itself, and more as a list."""
    return value if isinstance(value, list) else [value]


def filled(value: Any, **given: str) -> Any:
    """With every `${…}` of a text filled in, as CloudFormation does."""
    known = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", **given}
    if isinstance(value, dict):
        return {name: filled(part, **given) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, **given) for part in value]
    if isinstance(value, str):
        return re.sub(r"\$\{([A-Za-z:.]+)\}", lambda found: known[found.group(1)], value)
    return value


def policies() -> Iterator[tuple[str, Statement]]:
    """Every statement that says what a role may do, with the resource it stands in."""
    for name, one in resources().items():
        held = one["Properties"]
        documents = [held["PolicyDocument"]] if one["Type"] in _WITH_A_DOCUMENT else []
        documents += [inline["PolicyDocument"] for inline in held.get("Policies", [])]
        for document in documents:
            yield from ((name, statement) for statement in statements_of(document))


_WITH_A_DOCUMENT = ("AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


def of_role(name: str, arns: Mapping[str, str], **given: str) -> list[Statement]:
    """All that a role may do, filled in: what stands in it, beside it, and in the policies it has.

    `arns` are those of the template's other resources, as `Name.Attribute` or `Name`.
    """
    held = properties(name)
    documents = [one["PolicyDocument"] for one in held.get("Policies", [])]
    documents += [properties(policy)["PolicyDocument"] for policy in _attached(held)]
    documents += [
        one["Properties"]["PolicyDocument"]
        for one in resources("AWS::IAM::RolePolicy").values()
        if one["Properties"]["RoleName"] == {"Ref": name}
    ]
    return [_resolved(one, arns, given) for document in documents for one in statements_of(document)]


def _attached(role: Mapping[str, Any]) -> list[str]:
    given = role.get("ManagedPolicyArns", [])
    return [one["Fn::If"][1]["Ref"] if "Fn::If" in one else one["Ref"] for one in given]


def _resolved(value: Any, arns: Mapping[str, str], given: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolved(part, arns, given) for part in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return arns.get(f"{name}.{attribute}", f"arn:aws:none:::{name}")
        case {"Ref": name}:
            return arns.get(name, f"arn:aws:none:::{name}")
        case {"Fn::Sub": text}:
            return filled(text, **given, **arns)
    return {name: _resolved(part, arns, given) for name, part in value.items()}
