"""Socket Mode: the same requests over a connection we open, each on disk before it is acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.config import from_environment
from bot.errors import UserMistake
from bot.slack.inbound.socket import body_of
from tests.slack.test_dialog import chosen
from tests.slack.world import ALICE, DEPLOYS, SlackWorld, new_slack_world
from tests.world import REPO


class SocketWorld(SlackWorld):
    """Slack cannot reach the server; the server connects to Slack."""

    by_socket = True

    async def start(self) -> None:
        await super().start()
        self.slack.request_url = None
        await self.until(lambda: self.slack.sockets.connected)


@pytest.fixture
async def world() -> AsyncIterator[SlackWorld]:
    async with new_slack_world(SocketWorld) as made:
        yield made


async def test_a_deploy_typed_in_slack_travels_all_the_way(world: SlackWorld) -> None:
    said = await world.type(f"deploy {REPO}")
    assert (said.answered, said.reply) == (True, None)
    assert await world.states() == ["COMPLETED"]
    assert "*Deployed to production*" in world.heads()[-1]


async def test_mentions_and_buttons_come_that_way_too(world: SlackWorld) -> None:
    for words in ("one", "two"):
        await world.push(words, branch="feature")
        await world.slack.mention(f"deploy {REPO}@feature", ALICE, DEPLOYS)
        await world.settle()
    await world.click("rollback")
    assert await world.serves() == "one"


async def test_menus_and_dialogs_are_answered_with_the_acknowledgement(world: SlackWorld) -> None:
    await world.type("deploy")
    offered = await world.slack.suggest(ALICE, "shipmate.form.repository", "api")
    assert [one["value"] for one in offered] == [REPO]
    await world.slack.submit_view(ALICE, {"repository": chosen("acme/nothing")})
    view = world.slack.view_of(ALICE)
    assert view is not None
    assert "acme/nothing" in view["errors"]["repository"]
    await world.slack.submit_view(ALICE, {"repository": chosen(REPO)})
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_an_envelope_that_comes_again_acts_once(world: SlackWorld) -> None:
    world.slack.faults.add("duplicate", on="send:*", times=3)
    await world.type(f"deploy {REPO}")
    assert await world.states() == ["COMPLETED"]
    assert len(world.heads()) == 1


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_connection_that_slack_ends_is_opened_anew(world: SlackWorld, reason: str) -> None:
    await world.slack.sockets.refresh(reason)
    await world.until(lambda: world.slack.sockets.connected)
    await world.type(f"deploy {REPO}")
    assert await world.states() == ["COMPLETED"]


async def test_at_a_warning_the_next_connection_is_open_before_the_old_one_ends(world: SlackWorld) -> None:
    await world.slack.sockets.warn()
    await world.until(lambda: world.slack.sockets.connected == 2)
    await world.type(f"status {REPO}")
    assert "Nothing has been deployed yet" in world.whispers()[-1]


async def test_a_connection_that_breaks_is_opened_anew(world: SlackWorld) -> None:
    await world.slack.sockets.close()
    await world.until(lambda: world.slack.sockets.connected)
    await world.type(f"status {REPO}")
    assert "Nothing has been deployed yet" in world.whispers()[-1]


async def test_slack_may_refuse_a_while_to_be_connected_to(world: SlackWorld) -> None:
    world.slack.faults.add("error", on="apps.connections.open", code="internal_error")
    await world.slack.sockets.close()
    await world.until(lambda: world.slack.sockets.connected)
    await world.type(f"status {REPO}")
    assert "Nothing has been deployed yet" in world.whispers()[-1]


async def test_what_cannot_be_recorded_is_not_acknowledged_and_is_told_again(world: SlackWorld) -> None:
    world.slack.courier.ack_timeout_s = 0.3
    await world.house.opened.close()
    said = await world.slack.mention(f"deploy {REPO}", ALICE, DEPLOYS)
    assert not said.answered
    assert [attempt.outcome.reason for attempt in said.attempts][:1] == ["timeout"]


async def test_over_http_nothing_is_believed_where_no_secret_is_set(world: SlackWorld) -> None:
    world.slack.request_url = f"{world.address}/slack/events"
    await world.slack.sockets.close()
    assert not await world.slack.verify_url()
    await world.until(lambda: world.slack.sockets.connected)


async def test_the_tokens_stand_nowhere(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    assert world.slack.credentials.app_token not in world.everything_written()


def test_the_app_token_alone_is_a_way_in() -> None:
    slack = from_environment({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}).slack
    assert slack is not None
    assert (slack.signing_secrets, slack.app_token) == ((), "xapp-1")
    assert "xapp-1" not in repr(slack)


@pytest.mark.parametrize("given", [{"SLACK_APP_TOKEN": "xapp-1"}, {"SLACK_BOT_TOKEN": "x", "SLACK_APP_TOKEN": "xoxb"}])
def test_half_of_the_settings_is_a_slip(given: dict[str, str]) -> None:
    with pytest.raises(UserMistake, match="bad_setting"):
        from_environment(given)


def test_equal_requests_have_equal_bytes_whatever_the_order_of_their_fields() -> None:
    for kind in ("slash_commands", "interactive", "events_api"):
        assert body_of(kind, {"a": "1", "b": "ü&="}) == body_of(kind, {"b": "ü&=", "a": "1"})
