"""Slack's requests over real HTTP: verified, on disk, then answered; refused without a word."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Forged, Unreadable
from bot.process.metrics import Metrics
from bot.sandbox.slack.signing import signed_headers
from bot.slack.inbound.ingress import BODY_LIMIT_BYTES, SlackIngress
from bot.slack.inbound.requests import read_request
from bot.slack.inbound.signature import require_slack_signature
from handlers.slack_events import PATH, add_to
from storage.opened import OpenStore, open_store

Client = TestClient[web.Request, web.Application]
SECRET, NEXT_SECRET = "a signing secret", "the next one"
NOW_S = 1_700_000_000
FIELDS = {"command": "/shipmate", "text": "do not log me", "team_id": "T0ACME", "user_id": "U0ALICE"}
BODY = urlencode({**FIELDS, "channel_id": "C0DEPLOYS"}).encode()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenStore]:
    opened = await open_store(f"sqlite:///{tmp_path}/shipmate.db")
    yield opened
    await opened.close()


@pytest.fixture
async def client(opened: OpenStore) -> AsyncIterator[Client]:
    app = web.Application()
    secrets = (SECRET.encode(), NEXT_SECRET.encode())
    add_to(app, SlackIngress(opened.store.deliveries, secrets, Metrics(), now_s=lambda: NOW_S))
    async with TestClient(TestServer(app)) as client:
        yield client


async def post(client: Client, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with client.post(PATH, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.text()


async def count(opened: OpenStore) -> int:
    return len(await opened.store.deliveries.recent(100))


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
async def test_a_signed_request_is_on_disk_when_it_is_answered(client: Client, opened: OpenStore, secret: str) -> None:
    assert await post(client, BODY, signed_headers(secret, NOW_S, BODY)) == (200, "")
    assert await count(opened) == 1


async def test_a_request_sent_five_times_at_once_is_recorded_once(client: Client, opened: OpenStore) -> None:
    headers = signed_headers(SECRET, NOW_S, BODY)
    assert await asyncio.gather(*(post(client, BODY, headers) for _ in range(5))) == [(200, "")] * 5
    assert await count(opened) == 1


GOOD = signed_headers(SECRET, NOW_S, BODY)
FORGERIES = {
    "unsigned": {},
    "no timestamp": {"X-Slack-Signature": GOOD["X-Slack-Signature"]},
    "no signature": {"X-Slack-Request-Timestamp": str(NOW_S)},
    "another secret": signed_headers("guess", NOW_S, BODY),
    "empty secret": signed_headers("", NOW_S, BODY),
    "another body": signed_headers(SECRET, NOW_S, BODY + b" "),
    "another time": {**GOOD, "X-Slack-Request-Timestamp": str(NOW_S + 1)},
    "six minutes old": signed_headers(SECRET, NOW_S - 360, BODY),
    "six minutes ahead": signed_headers(SECRET, NOW_S + 360, BODY),
    "time in words": {**GOOD, "X-Slack-Request-Timestamp": "now"},
    "endless time": {**GOOD, "X-Slack-Request-Timestamp": "1" * 500},
    "v1": {**GOOD, "X-Slack-Signature": GOOD["X-Slack-Signature"].replace("v0", "v1")},
}


@pytest.mark.parametrize("headers", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forged_request_is_refused_without_a_word(
    client: Client, opened: OpenStore, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await post(client, BODY, headers) == (401, "")
    assert await count(opened) == 0
    assert "do not" not in caplog.text + str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("age_s", [-300, 0, 300])
def test_five_minutes_either_way_are_fresh(age_s: int) -> None:
    headers = signed_headers(SECRET, NOW_S - age_s, BODY)
    given = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
    require_slack_signature(BODY, *given, [SECRET.encode()], NOW_S)
    with pytest.raises(Forged):
        require_slack_signature(BODY, *given, [SECRET.encode()], NOW_S + (700 if age_s >= 0 else -700))


async def test_a_signed_body_that_is_no_json_is_unreadable(client: Client, opened: OpenStore) -> None:
    body = b'{"type": '
    assert (await post(client, body, signed_headers(SECRET, NOW_S, body)))[0] == 400
    assert await count(opened) == 0


async def test_a_challenge_is_echoed_only_when_it_is_signed(client: Client, opened: OpenStore) -> None:
    body = b'{"type": "url_verification", "challenge": "abc"}'
    assert await post(client, body, signed_headers(SECRET, NOW_S, body)) == (200, '{"challenge": "abc"}')
    assert await post(client, body, {}) == (401, "")
    assert await count(opened) == 0


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    body = b"x" * (BODY_LIMIT_BYTES + 1)
    assert (await post(client, body, signed_headers(SECRET, NOW_S, body)))[0] == 413


async def test_what_cannot_be_recorded_now_is_not_acknowledged(client: Client, opened: OpenStore) -> None:
    await opened.close()
    assert (await post(client, BODY, signed_headers(SECRET, NOW_S, BODY)))[0] == 503


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: urlencode({"payload": text}).encode()))
def test_no_body_at_all_breaks_the_reader(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_request(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "event", "actions", "user", "team", "container", "id", "action_id", "value", "text"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["block_actions", "event_callback"]))
def test_no_shape_of_json_breaks_the_reader(shape: object, kind: str) -> None:
    data = {**(shape if isinstance(shape, dict) else {"event": shape, "actions": shape}), "type": kind}
    for body in (orjson.dumps(data), urlencode({"payload": orjson.dumps(data).decode()}).encode()):
        with contextlib.suppress(Unreadable):
            read_request(body)
