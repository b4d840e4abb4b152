"""Webhooks over real HTTP: verified, on disk, then answered; refused without a word."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from bot.deliveries.ingress import BODY_LIMIT_BYTES, Ingress
from bot.process.metrics import Metrics
from handlers.github_webhook import PATH, add_to, put_in_front
from storage.opened import OpenStore, open_store
from tests.storage.children import SECRET
from tests.storage.sample import guid
from tests.storage.test_processes import child

Client = TestClient[web.Request, web.Application]
BODY = b'{"ref": "refs/heads/main", "private": "do not log me"}'
OTHER_SECRET = b"the next secret"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shipmate.db"


@pytest.fixture
async def opened(url: str) -> AsyncIterator[OpenStore]:
    opened = await open_store(url, busy_timeout_s=0.2)
    yield opened
    await opened.close()


@pytest.fixture(params=["in front", "routed"])
async def client(opened: OpenStore, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    app = web.Application()
    ingress = Ingress(opened.store.deliveries, (SECRET, OTHER_SECRET), Metrics())
    add_to(app, ingress)
    async with TestClient(TestServer(app)) as client:
        if request.param == "in front":
            assert isinstance(client.server.runner, web.AppRunner)
            put_in_front(client.server.runner, ingress)
        yield client


def signed(body: bytes, number: int = 1, secret: bytes = SECRET, **more: str) -> dict[str, str]:
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push", "X-GitHub-Delivery": guid(number), **more}


async def post(client: Client, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with client.post(PATH, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.text()


async def stored(opened: OpenStore) -> list[str]:
    return [row.guid for row in await opened.store.deliveries.recent(100)]


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["old", "new"])
async def test_a_signed_delivery_is_on_disk_when_it_is_answered(
    client: Client, opened: OpenStore, secret: bytes
) -> None:
    assert await post(client, BODY, signed(BODY, secret=secret)) == (202, '{"recorded":true}')
    found = await opened.store.deliveries.find(guid(1))
    assert found is not None
    assert (found.event, found.body) == ("push", BODY)


async def test_the_same_delivery_five_times_at_once_is_recorded_once(client: Client, opened: OpenStore) -> None:
    answers = await asyncio.gather(*(post(client, BODY, signed(BODY)) for _ in range(5)))
    assert sorted(answers) == [(202, '{"recorded":false}')] * 4 + [(202, '{"recorded":true}')]
    assert await stored(opened) == [guid(1)]


SHA1 = "sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
FORGERIES = {
    "unsigned": {},
    "sha1 only": {"X-Hub-Signature": SHA1},
    "sha1 as sha256": {"X-Hub-Signature-256": SHA1},
    "another secret": signed(BODY, secret=b"guess"),
    "another body": {"X-Hub-Signature-256": signed(BODY + b" ")["X-Hub-Signature-256"]},
    "empty secret": signed(BODY, secret=b""),
}


@pytest.mark.parametrize("headers", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forged_delivery_is_refused_without_a_word(
    client: Client, opened: OpenStore, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    caplog.set_level(logging.DEBUG)
    whole = {"X-GitHub-Event": "push", "X-GitHub-Delivery": guid(1), **headers}
    assert await post(client, BODY, whole) == (401, "")
    assert await stored(opened) == []
    assert "do not log me" not in caplog.text + str([vars(record) for record in caplog.records])


async def test_a_forgery_learns_nothing_of_what_else_is_wrong(client: Client) -> None:
    assert await post(client, b"", {"X-GitHub-Event": "../../etc"}) == (401, "")


@pytest.mark.parametrize("name", ["X-GitHub-Delivery", "X-GitHub-Event"])
@pytest.mark.parametrize("value", ["", "a b", "x" * 200, "péché", "--'; DROP TABLE"])
async def test_a_signed_delivery_with_senseless_headers_is_unreadable(
    client: Client, opened: OpenStore, name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    status, text = await post(client, BODY, {**signed(BODY), name: value})
    assert status == 400
    assert name in text
    assert await stored(opened) == []


BODIES = {
    "empty": b"",
    "not json": b"payload=%7B%7D",
    "not utf-8": b'{"ref": "\xff\xfe"}',
    "nested": b"[" * 200_000 + b"]" * 200_000,
    "as large as may be": b" " * BODY_LIMIT_BYTES,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_any_signed_body_is_recorded_and_judged_later(client: Client, opened: OpenStore, body: bytes) -> None:
    assert (await post(client, body, signed(body)))[0] == 202
    found = await opened.store.deliveries.find(guid(1))
    assert found is not None
    assert found.body == body


async def test_a_body_that_is_too_large_is_refused(client: Client, opened: OpenStore) -> None:
    body = b" " * (BODY_LIMIT_BYTES + 1)
    assert (await post(client, body, signed(body)))[0] == 413
    assert await stored(opened) == []


async def test_a_body_that_grows_too_large_on_the_way_is_refused(client: Client, opened: OpenStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000_000

    try:
        async with client.post(PATH, data=endless(), headers=signed(BODY)) as answer:
            assert answer.status == 413
    except ClientError:
        pass  # the server closed while we still sent
    assert await stored(opened) == []


async def test_while_another_process_holds_the_lock_github_is_asked_to_come_again(
    client: Client, opened: OpenStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "shipmate.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with client.post(PATH, data=BODY, headers=signed(BODY)) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert await answer.json() == {"error": "store_busy"}
        other.execute("ROLLBACK")
    assert (await post(client, BODY, signed(BODY)))[0] == 202
    assert await stored(opened) == [guid(1)]


async def test_on_a_full_disk_github_is_asked_to_come_again(client: Client, opened: OpenStore) -> None:
    body = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(20_000))
    await opened.database.write(lambda c: c.execute("PRAGMA max_page_count=1").fetchone())
    assert await post(client, body, signed(body)) == (503, '{"error": "store_full"}')
    assert (await post(client, BODY, signed(BODY, 2)))[0] == 202
    assert await stored(opened) == [guid(2)]


async def test_a_sender_that_asks_leave_first_gets_it(client: Client) -> None:
    async with client.post(PATH, data=BODY, headers=signed(BODY), expect100=True) as answer:
        assert answer.status == 202


async def test_nothing_is_told_to_who_only_looks(client: Client) -> None:
    async with client.get(PATH) as answer:
        assert answer.status == 405


async def test_a_server_killed_under_load_lost_nothing_it_answered(url: str) -> None:
    answered: list[str] = []
    many = asyncio.Event()

    async def send(session: ClientSession, port: int, first: int) -> None:
        for number in range(first, first + 10_000):
            headers = signed(BODY, number)
            async with session.post(f"http://127.0.0.1:{port}{PATH}", data=BODY, headers=headers) as answer:
                if answer.status == 202:
                    answered.append(guid(number))
                    if len(answered) > 500:
                        many.set()

    with child("serve", url, "") as server:
        assert server.stdout
        port = int(await asyncio.to_thread(server.stdout.readline))
        async with ClientSession() as session:
            senders = [asyncio.create_task(send(session, port, first * 10_000)) for first in range(8)]
            await asyncio.wait_for(many.wait(), 60)
            server.kill()
            ends = await asyncio.gather(*senders, return_exceptions=True)
    assert all(isinstance(end, ClientError | OSError) for end in ends)
    opened = await open_store(url)
    assert await opened.store.deliveries.unknown(answered) == []
    await opened.close()
