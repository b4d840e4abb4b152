"""What the router does not pass on: ambiguous requests, too much of anything, clients that never get to the point."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from aiohttp import ClientSession, web

from bot.engines.router.http1 import Unacceptable, request_head
from tests.engines.router.world import RouterWorld

SEEN: list[str] = []


@pytest.fixture(autouse=True)
def seen() -> Iterator[list[str]]:
    """What reached the target."""
    SEEN.clear()
    yield SEEN
    SEEN.clear()


async def note(request: web.Request) -> web.Response:
    SEEN.append(f"{request.method} {request.path}")
    return web.Response(text=str(len(await request.read())))


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
AMBIGUOUS = {
    "both lengths": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 44\r\n\r\n",
    "a signed length": POST + b"Content-Length: +0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a coding under chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": POST + b"X: a\r\n Content-Length: 44\r\n\r\n",
    "a bare carriage return": POST + b"X: a\rContent-Length: 44\r\n\r\n",
    "bare line feeds": b"POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
    "a zero byte": POST + b"X: a\x00b\r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\n\r\n",
    "two hosts": POST + b"Host: i\r\n\r\n",
    "a path that is none": b"POST elsewhere HTTP/1.1\r\nHost: h\r\n\r\n",
    "a space in the path": b"POST /a b HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_an_ambiguous_request_is_refused_and_nothing_after_it_counts(
    world: RouterWorld, request_bytes: bytes
) -> None:
    await world.serve(note)
    answer = await world.send(request_bytes + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert SEEN == []


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET / HTTP/2.0", b"505"),
        (b"CONNECT h:1 HTTP/1.1", b"405"),
        (b"PRI * HTTP/2.0", b"400"),
        (b"\x16\x03\x01", b"400"),
    ],
)
async def test_other_protocols_and_tunnels_are_refused(world: RouterWorld, line: bytes, status: bytes) -> None:
    await world.serve(note)
    assert (await world.send(line + b"\r\nHost: h\r\n\r\n")).startswith(b"HTTP/1.1 " + status)
    assert SEEN == []


async def test_what_came_before_a_bad_request_is_answered_first(world: RouterWorld) -> None:
    await world.serve(note)
    answer = await world.send(b"GET /good HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n" + SMUGGLED)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"400"]
    assert SEEN == ["GET /good"]


async def test_a_body_whose_chunks_are_broken_is_never_taken_for_whole(world: RouterWorld) -> None:
    await world.serve(note)
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = await world.send(head + b"5\r\nhello\r\nzz\r\n" + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400")
    assert "GET /smuggled" not in SEEN


@pytest.mark.parametrize("sent_bytes", [200 * 1024, 40 * 1024], ids=["at once", "bit by bit"])
async def test_a_head_beyond_the_limit_is_refused(world: RouterWorld, sent_bytes: int) -> None:
    await world.serve(note, head_limit_bytes=32 * 1024)
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n")
    field = b"X-Field: " + b"x" * 1000 + b"\r\n"
    for _ in range(sent_bytes // len(field)):
        writer.write(field)
        await asyncio.sleep(0)
    writer.write(b"\r\n")
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 431")
    assert SEEN == []
    writer.close()


async def test_one_endless_field_is_refused_before_it_ends(world: RouterWorld) -> None:
    await world.serve(note)
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 200_000)
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 431")
    writer.close()


async def test_a_head_that_drips_in_is_given_up(world: RouterWorld) -> None:
    await world.serve(note, header_read_s=0.3)
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\n")

    async def drip() -> None:
        while True:
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408")
    dripping.cancel()
    writer.close()


async def test_an_idle_connection_is_closed_in_the_end(world: RouterWorld) -> None:
    await world.serve(note, keep_alive_s=0.2)
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_body_that_stops_coming_ends_the_request(world: RouterWorld) -> None:
    await world.serve(note, stall_s=0.2)
    answer = await world.send(POST + b"Content-Length: 10\r\n\r\nhello")
    assert answer.startswith(b"HTTP/1.1 408")


async def test_a_target_that_never_answers_is_given_up(world: RouterWorld) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    url = await world.serve_raw(silent, response_head_s=0.2)
    async with ClientSession() as session, session.get(url) as response:
        assert response.status == 504


async def test_a_target_that_answers_nonsense_is_a_bad_gateway(world: RouterWorld) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HELLO WORLD\r\n\r\n")

    url = await world.serve_raw(nonsense)
    async with ClientSession() as session, session.get(url) as response:
        assert response.status == 502


async def test_connections_beyond_the_limit_are_told_to_come_again(world: RouterWorld) -> None:
    await world.serve(note, max_connections=2)
    held = [await world.connect() for _ in range(2)]
    for reader, writer in held:
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n0")
    assert (await world.send(b"")).startswith(b"HTTP/1.1 503")
    for _, writer in held:
        writer.close()


ASKED = [
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    POST + b"Content-Length: 5\r\n\r\nhello",
    POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nxyz",
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
]
ANSWERED = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
]


def damaged(chance: random.Random, message: bytes) -> bytes:
    """The message with a few bytes changed, lost, or put in."""
    content = bytearray(message)
    for _ in range(chance.choice([0, 0, 1, 2, 4])):
        at = chance.randrange(len(content))
        put_in = chance.choice([b"", b"\r\n", b"\x00", b"Content-Length: 9\r\n", bytes([chance.randrange(256)])])
        content[at : at + chance.randrange(3)] = put_in + b"x"
    return bytes(content)


async def test_garbage_from_both_sides_leaves_nothing_behind(world: RouterWorld) -> None:
    chance = random.Random(7)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(damaged(chance, chance.choice(ANSWERED)))
        await asyncio.sleep(chance.choice([0, 0.05]))

    async def ask_badly() -> None:
        reader, writer = await world.connect()
        with suppress(ConnectionError, TimeoutError):
            for _ in range(chance.randrange(1, 4)):
                writer.write(damaged(chance, chance.choice(ASKED)))
                await asyncio.sleep(0)
            await asyncio.wait_for(reader.read(chance.choice([1, 100, -1])), chance.choice([0.01, 0.1]))
        writer.close()

    await world.serve_raw(answer, stall_s=0.3, header_read_s=0.3, keep_alive_s=0.3, nothing_to_serve_wait_s=0.3)
    for _ in range(30):
        await asyncio.gather(*(ask_badly() for _ in range(20)))
    await world.is_quiet()
    assert "Traceback" not in world.log()


def test_connection_cannot_name_away_what_the_router_relies_on() -> None:
    fields = [
        (b"Host", b"h"),
        (b"Connection", b"content-length, host, x-forwarded-for, x-mine"),
        (b"Content-Length", b"3"),
    ]
    head = request_head(b"POST", b"/", "1.1", fields)
    assert b"x-mine" in head.hop_by_hop
    assert not head.hop_by_hop & {b"content-length", b"host", b"x-forwarded-for"}


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(Unacceptable, match="431"):
        request_head(b"GET", b"/", "1.1", [(b"Host", b"h"), *[(b"X", b"y")] * 300])
