"""What `shipmate doctor` says of Slack: whether its tokens are taken, and what to do where something is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest

from bot.config import SlackSettings, from_environment
from bot.sandbox.slack.sandbox import SlackSandbox
from bot.slack.checkup import NEEDED, USEFUL, look_at
from tests.slack.world import MANIFEST


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as sandbox:
        yield sandbox


def settings(slack: SlackSandbox) -> SlackSettings:
    known = from_environment(slack.environment()).slack
    assert known is not None
    return known


def test_the_scopes_looked_for_are_those_of_the_manifest() -> None:
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == NEEDED | USEFUL


async def test_all_is_well(slack: SlackSandbox) -> None:
    well, sentence = await look_at(settings(slack))
    assert well
    assert "over HTTP, signed and over a socket" in sentence


@pytest.mark.parametrize(("scope", "well"), [("chat:write", False), ("im:history", True)])
async def test_a_missing_scope_is_named_with_what_to_do(slack: SlackSandbox, scope: str, well: bool) -> None:
    slack.set_token(scopes=sorted((NEEDED | USEFUL) - {scope}))
    found, sentence = await look_at(settings(slack))
    assert found is well
    assert f"scopes missing: {scope}: update the app" in sentence


@pytest.mark.parametrize(("kind", "name"), [("bot", "SLACK_BOT_TOKEN"), ("app", "SLACK_APP_TOKEN")])
async def test_a_token_that_slack_refuses_is_named(slack: SlackSandbox, kind: str, name: str) -> None:
    slack.set_token("revoked", kind=kind)
    well, sentence = await look_at(settings(slack))
    assert not well
    assert sentence.startswith(f"{name} is refused (token_revoked)")


async def test_a_slack_out_of_reach_is_said(slack: SlackSandbox) -> None:
    away = dataclasses.replace(settings(slack), api_url="http://127.0.0.1:9/api/")
    well, sentence = await look_at(away)
    assert not well
    assert "does not answer" in sentence
