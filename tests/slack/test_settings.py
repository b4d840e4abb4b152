"""The Slack face is on or off by its settings, and half of them is a slip that is said."""

from __future__ import annotations

import aiohttp
import pytest

from bot.config import from_environment
from bot.errors import UserMistake
from tests.world import new_world

SET = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "one, two"}


def test_both_settings_turn_it_on_and_two_secrets_may_hold_at_once() -> None:
    slack = from_environment(SET).slack
    assert slack is not None
    assert (slack.signing_secrets, slack.api_url) == ((b"one", b"two"), "https://slack.com/api/")
    assert "xoxb-1" not in repr(slack)


@pytest.mark.parametrize("name", SET)
def test_one_without_the_other_is_refused_and_names_what_is_missing(name: str) -> None:
    with pytest.raises(UserMistake) as caught:
        from_environment({name: SET[name]})
    assert {caught.value.facts["name"]} == SET.keys() - {name}


@pytest.mark.parametrize("given", ["http://127.0.0.1:8090/api", "http://127.0.0.1:8090/api/"])
def test_another_slack_can_be_named(given: str) -> None:
    slack = from_environment({**SET, "SLACK_API_URL": given}).slack
    assert slack is not None
    assert slack.api_url == "http://127.0.0.1:8090/api/"


async def test_without_settings_nothing_answers_there() -> None:
    async with new_world() as world, aiohttp.ClientSession() as session:
        for path in ("/slack/events", "/slack/link/confirm"):
            async with session.post(f"{world.address}{path}", data=b"{}") as reply:
                assert reply.status == 404
