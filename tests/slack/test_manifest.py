"""slack.yml asks for what the code needs, and for no more; its addresses are those the server answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands import COMMANDS
from bot.sandbox.slack.methods.catalogue import METHODS
from bot.slack.dialog import SHORTCUT
from bot.slack.sign_in import CALLBACK_PATH
from bot.slack.words import usage
from handlers.slack_events import PATH
from tests.slack.world import MANIFEST

APP: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "app.yml").read_text())
CODE = Path(__file__).parents[2] / "bot" / "slack" / "api" / "client.py"
BEYOND_METHODS = {"app_mentions:read": "app_mention", "commands": "/shipmate"}
"""Scopes that no method asks for, with what they are for."""


def addresses(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name in {"url", "request_url", "message_menu_options_url"}:
                yield value
            yield from addresses(value)
    elif isinstance(part, list):
        for value in part:
            yield from addresses(value)


def scopes() -> list[str]:
    return list(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_slack_asks_where_the_server_answers() -> None:
    assert {address.removeprefix("https://shipmate.example.com") for address in addresses(MANIFEST)} == {PATH}


def test_github_sends_people_back_to_where_the_server_answers() -> None:
    assert APP["callback_urls"] == [f"https://shipmate.example.com{CALLBACK_PATH}"]


@pytest.mark.parametrize("scope", scopes())
def test_every_scope_is_for_something_that_is_done(scope: str) -> None:
    called = [method for name, method in METHODS.items() if f'"{name}"' in CODE.read_text()]
    assert len(called) == 10
    assert scope in BEYOND_METHODS or any(scope in method.scopes for method in called)


def test_the_hint_is_the_usage_of_the_grammar() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert usage(COMMANDS["deploy"]).lower().startswith(f"{command['command']} {command['usage_hint']}".lower())


def test_the_shortcut_is_the_one_that_opens_the_dialog() -> None:
    (shortcut,) = MANIFEST["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("global", SHORTCUT)
