"""app.yml asks for what the code needs, and for no more."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot.github.api
from bot.github.hooks.webhooks import ALWAYS_SENT, KNOWN_EVENTS
from bot.github.permissions import CLONE, DECIDE, DECIDE_BY_TEAM, REPORT, Permissions

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "app.yml").read_text())
NEEDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "app_permissions.json").read_text())
CODE = Path(bot.github.api.__file__).parent
IN_THE_APPS_NAME = "/app"
INSTALLATIONS = {"/repos/{owner}/{repo}/installation", "/users/{username}/installation"}
NOT_THE_APPS = {"environments", "person"}
"""Modules of calls that are done without where they are refused, and of those made with a person's own token."""
LEVELS = ["read", "write"]


def operations(*modules: str) -> set[str]:
    """The operations that modules of the client name."""
    texts = ((CODE / f"{module}.py").read_text() for module in modules)
    return {operation for text in texts for operation in _operations_in(ast.parse(text))}


def _operations_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            method, _, path = node.value.partition(" /")
            if path and method in {"GET", "POST", "PUT", "PATCH", "DELETE"} and "\n" not in path:
                yield node.value


def all_modules() -> list[str]:
    found = (str(path.relative_to(CODE).with_suffix("")) for path in CODE.rglob("*.py"))
    return [module for module in found if module not in NOT_THE_APPS]


def granted(permissions: Mapping[str, str], needed: str) -> bool:
    name, _, level = needed.partition(":")
    return name in permissions and LEVELS.index(permissions[name]) >= LEVELS.index(level)


def by_jwt(operation: str) -> bool:
    path = operation.partition(" ")[2]
    return path.startswith(IN_THE_APPS_NAME) or path in INSTALLATIONS


def refused(permissions: Mapping[str, str], asked: set[str]) -> set[str]:
    """The operations for which no permission is enough."""
    known = NEEDED["operations"] | NEEDED["documented"]
    return {
        operation
        for operation in asked
        if not by_jwt(operation) and not any(granted(permissions, needed) for needed in known.get(operation, ()))
    }


def test_it_subscribes_to_exactly_the_events_that_are_read() -> None:
    assert set(MANIFEST["default_events"]) == KNOWN_EVENTS - ALWAYS_SENT
    assert len(set(MANIFEST["default_events"])) == len(MANIFEST["default_events"])


def test_its_permissions_are_enough_for_every_event() -> None:
    assert [
        name
        for name in MANIFEST["default_events"]
        if not granted(MANIFEST["default_permissions"], NEEDED["events"][name])
    ] == []


def test_its_permissions_are_enough_for_every_operation() -> None:
    asked = operations(*all_modules())
    assert len(asked) > 25
    assert refused(MANIFEST["default_permissions"], asked) == set()


@pytest.mark.parametrize("name", sorted(MANIFEST["default_permissions"]))
def test_it_asks_for_no_permission_that_nothing_needs(name: str) -> None:
    without = {key: value for key, value in MANIFEST["default_permissions"].items() if key != name}
    event_lost = any(not granted(without, NEEDED["events"][event]) for event in MANIFEST["default_events"])
    assert event_lost or refused(without, operations(*all_modules()))


@pytest.mark.parametrize(
    ("permissions", "modules"),
    [
        (REPORT, ["checks", "comments", "deployments"]),
        (DECIDE, ["repository", "pulls", "commit_checks"]),
        (DECIDE_BY_TEAM, ["repository", "pulls", "commit_checks", "people"]),
    ],
    ids=["report", "decide", "decide by team"],
)
def test_a_token_for_its_work_may_do_all_of_it(permissions: Permissions, modules: list[str]) -> None:
    assert refused(permissions, operations(*modules)) == set()


@pytest.mark.parametrize("permissions", [CLONE, DECIDE, DECIDE_BY_TEAM, REPORT])
def test_a_token_asks_for_no_more_than_the_app_was_given(permissions: Permissions) -> None:
    for name, level in permissions.items():
        assert granted(MANIFEST["default_permissions"], f"{name}:{level}")


def test_a_token_that_only_reads_can_write_nothing() -> None:
    assert set(CLONE.values()) | set(DECIDE_BY_TEAM.values()) == {"read"}
