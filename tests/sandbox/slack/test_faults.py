"""What goes wrong on purpose, on calls and on what is sent."""

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.sandbox import SlackSandbox
from tests.sandbox.slack.conftest import Receiver

DEPLOYS = "C0DEPLOYS"


class Inbox:
    """Records every request the sandbox sends, and answers each with the next of `statuses` (200 when none is left)."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.answer_headers: dict[str, str] = {}

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, headers=self.answer_headers)

    def header(self, name: str) -> list[str | None]:
        return [headers.get(name) for headers, _ in self.requests]


@pytest.fixture
async def inbox(slack: SlackSandbox) -> AsyncIterator[Inbox]:
    inbox = Inbox()
    async with Receiver(inbox.take) as receiver:
        slack.request_url = receiver.url
        yield inbox


async def post(client: AsyncWebClient) -> Any:
    return await client.chat_postMessage(channel=DEPLOYS, text="hi")


async def test_a_planned_error_is_answered_once_after_those_skipped(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    slack.faults.add("error", on="chat.*", code="fatal_error", skip=1)
    await post(client)
    with pytest.raises(SlackApiError) as caught:
        await post(client)
    assert caught.value.response["error"] == "fatal_error"
    await post(client)
    assert len(slack.messages()) == 2
    assert [r.fault for r in slack.requests] == [None, "error", None]


async def test_a_client_that_honours_retry_after_gets_through(slack: SlackSandbox, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler())
    slack.faults.add("ratelimited", on="chat.postMessage", retry_after_s=1)
    await post(client)
    assert [r.status for r in slack.requests] == [429, 200]


async def test_a_broken_gateway_answers_without_json(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.faults.add("status", on="chat.postMessage", status=502)
    with pytest.raises(SlackApiError) as caught:
        await post(client)
    assert caught.value.response.status_code == 502
    assert slack.messages() == []


@pytest.mark.parametrize(("effect", "acted"), [("cut", 0), ("lose_reply", 1)])
async def test_a_cut_call_did_nothing_and_a_lost_reply_hides_what_was_done(
    slack: SlackSandbox, client: AsyncWebClient, effect: str, acted: int
) -> None:
    slack.faults.add(effect, on="chat.postMessage", count=None)
    client.retry_handlers = []
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(client)
    assert len(slack.messages()) == acted


async def test_a_hanging_call_outlasts_the_client(slack: SlackSandbox) -> None:
    slack.faults.add("hang", on="chat.postMessage")
    hasty = AsyncWebClient(slack.credentials.bot_token, base_url=slack.url, timeout=1)
    hasty.retry_handlers = []
    with pytest.raises(TimeoutError):
        await post(hasty)
    assert slack.messages() == []


async def test_an_event_nobody_takes_is_tried_three_more_times(slack: SlackSandbox, inbox: Inbox) -> None:
    inbox.statuses = [500, 500, 500, 500, 500]
    delivery = await slack.mention("hi")
    await slack.settle()
    assert inbox.header("X-Slack-Retry-Num") == [None, "1", "2", "3"]
    assert inbox.header("X-Slack-Retry-Reason") == [None, "http_error", "http_error", "http_error"]
    assert not delivery.answered
    assert len({body for _, body in inbox.requests}) == 1


async def test_an_event_is_not_tried_again_once_taken_or_when_the_app_says_so(
    slack: SlackSandbox, inbox: Inbox
) -> None:
    inbox.statuses = [500]
    await slack.mention("hi")
    await slack.settle()
    assert inbox.header("X-Slack-Retry-Num") == [None, "1"]
    inbox.requests.clear()
    inbox.statuses, inbox.answer_headers = [500], {"X-Slack-No-Retry": "1"}
    await slack.mention("hi")
    await slack.settle()
    assert len(inbox.requests) == 1


async def test_a_duplicate_is_the_same_request_again(slack: SlackSandbox, inbox: Inbox) -> None:
    slack.faults.add("duplicate", on="send:command", times=4)
    await slack.say_command("/shipmate", "deploy")
    assert len(inbox.requests) == 5
    assert len({body for _, body in inbox.requests}) == 1


async def test_a_replay_is_rightly_signed_but_older_than_five_minutes(slack: SlackSandbox, inbox: Inbox) -> None:
    slack.faults.add("replay", on="send:command")
    await slack.say_command("/shipmate", "deploy")
    verifier = SignatureVerifier(slack.credentials.signing_secret)
    (first, body), (again, same) = inbox.requests
    assert verifier.is_valid_request(body, first)
    assert body == same
    stamp = again["X-Slack-Request-Timestamp"]
    assert verifier.generate_signature(timestamp=stamp, body=same) == again["X-Slack-Signature"]
    assert time.time() - int(stamp) > 300
    assert not verifier.is_valid_request(same, again)


async def test_a_wrong_signature_is_refused_by_slacks_own_verifier(slack: SlackSandbox, inbox: Inbox) -> None:
    slack.faults.add("wrong_signature", on="send:*")
    await slack.say_command("/shipmate", "deploy")
    headers, body = inbox.requests[0]
    assert not SignatureVerifier(slack.credentials.signing_secret).is_valid_request(body, headers)


async def test_what_is_dropped_never_arrives(slack: SlackSandbox, inbox: Inbox) -> None:
    slack.faults.add("drop", on="send:event")
    delivery = await slack.mention("hi")
    await slack.settle()
    assert (inbox.requests, delivery.attempts) == ([], [])


def test_only_what_can_happen_can_be_planned(slack: SlackSandbox) -> None:
    for on, effect, reason in (
        ("chat.update", "drop", "'drop' can't happen on 'chat.update'"),
        ("send:command", "cut", "'cut' can't happen on 'send:command'"),
        ("send:pigeon", "drop", "nothing of 'send:pigeon' is ever sent"),
    ):
        with pytest.raises(Impossible, match=reason):
            slack.faults.add(effect, on=on)
    with pytest.raises(Impossible, match="can't be described"):
        slack.faults.add("cut", on="chat.update", colour="red")
    assert slack.faults.planned == []
