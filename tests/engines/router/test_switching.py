"""Switching, draining, weights, waiting and measuring: what a deployment relies on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector, WSMsgType, web
from websockets.asyncio.client import connect as websocket_to
from websockets.exceptions import ConnectionClosed

from bot.errors import Permanent, Transient
from tests.engines.router.world import SERVICE, RouterWorld

MEGABYTE = 1024 * 1024


async def blue_and_green(world: RouterWorld, **settings: object) -> None:
    await world.start(**settings)
    await world.put("blue", await world.named_target("blue"), weight=100)
    await world.put("green", await world.named_target("green"))


async def test_fifty_switches_under_load_lose_nothing(world: RouterWorld) -> None:
    await blue_and_green(world)
    async with world.hammered() as hammer:
        for number in range(50):
            live, idle = ("green", "blue") if number % 2 == 0 else ("blue", "green")
            await world.router.set_weights(SERVICE, {live: 100})
            report = await world.router.drain(SERVICE, idle)
            assert report.cut == 0
            await hammer.answered(5)
    assert hammer.failures == []
    assert min(hammer.answers["blue"], hammer.answers["green"]) > 50


async def test_after_drain_returns_the_target_gets_nothing_more(world: RouterWorld) -> None:
    await blue_and_green(world)
    async with world.hammered() as hammer:
        await hammer.answered(20)
        await world.router.set_weights(SERVICE, {"green": 100})
        await world.router.drain(SERVICE, "blue")
        drained = (await world.router.stats(SERVICE)).targets["blue"].since_mark.requests
        await hammer.answered(100)
    assert (await world.router.stats(SERVICE)).targets["blue"].since_mark.requests == drained
    assert hammer.failures == []


async def test_a_target_can_be_stopped_after_its_drain_while_others_ask(world: RouterWorld) -> None:
    await blue_and_green(world)
    async with world.hammered() as hammer:
        await hammer.answered(20)
        await world.router.set_weights(SERVICE, {"green": 100})
        await world.router.drain(SERVICE, "blue")
        await world.stop_target(0)
        await world.router.remove_target(SERVICE, "blue")
        await hammer.answered(100)
    assert hammer.failures == []


async def test_a_download_under_way_is_finished_by_the_old_target(world: RouterWorld) -> None:
    go_on = asyncio.Event()

    async def long(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(20 * MEGABYTE)})
        await response.prepare(request)
        for _ in range(20):
            await response.write(bytes(MEGABYTE))
            await go_on.wait()
        return response

    url = await world.serve(long)
    await world.put("green", await world.named_target("green"))
    async with ClientSession() as session, session.get(url) as response:
        await response.content.readexactly(1000)
        await world.router.set_weights(SERVICE, {"green": 100})
        draining = asyncio.create_task(world.router.drain(SERVICE, "blue"))
        go_on.set()
        assert len(await response.read()) == 20 * MEGABYTE - 1000
    report = await draining
    assert (report.finished, report.cut, report.told) == (1, 0, 0)


async def test_what_does_not_end_is_cut_at_the_limit(world: RouterWorld) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await asyncio.sleep(3600)
        return response

    url = await world.serve(endless)
    async with ClientSession() as session, session.get(url) as response:
        assert await response.content.readexactly(5) == b"first"
        report = await world.router.drain(SERVICE, "blue", timeout_s=0.2)
        assert (report.finished, report.cut) == (0, 1)
        with pytest.raises((ClientError, ConnectionError)):
            await response.read()


async def chat(request: web.Request) -> web.WebSocketResponse:
    """Answer each message in capitals, and send a large one when asked to."""
    talk = web.WebSocketResponse()
    await talk.prepare(request)
    async for message in talk:
        if message.type is WSMsgType.TEXT:
            await talk.send_str(message.data.upper())
    return talk


async def test_a_drain_tells_websockets_to_go_and_they_close_properly(world: RouterWorld) -> None:
    url = (await world.serve(chat)).replace("http", "ws")
    async with websocket_to(url) as talk:
        await talk.send("hello")
        assert await talk.recv() == "HELLO"
        report = await world.router.drain(SERVICE, "blue", timeout_s=20)
        with pytest.raises(ConnectionClosed) as closed:
            await talk.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert (report.told, report.cut) == (1, 0)


async def test_a_websocket_is_told_between_two_messages_never_inside_one(world: RouterWorld) -> None:
    async def half_a_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        writer.write(b"\x82\x7e\x01\x00" + b"a" * 100)
        await second_half.wait()
        writer.write(b"b" * 156 + b"\x82\x01z")
        await reader.read()

    second_half = asyncio.Event()
    await world.serve_raw(half_a_message)
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    await reader.readuntil(b"a" * 100)
    draining = asyncio.create_task(world.router.drain(SERVICE, "blue", timeout_s=20))
    await world.is_draining("blue")
    second_half.set()
    assert await reader.readuntil(b"\xe9") == b"b" * 156 + b"\x88\x02\x03\xe9"
    writer.close()
    assert (await draining).told == 1


async def test_weights_are_kept_exactly(world: RouterWorld) -> None:
    await blue_and_green(world)
    await world.router.set_weights(SERVICE, {"blue": 90, "green": 10})
    answers: Counter[str] = Counter()
    async with ClientSession() as session:
        for _ in range(200):
            async with session.get(world.url) as response:
                answers[(await response.text()).split()[0]] += 1
    assert answers == {"blue": 180, "green": 20}


async def test_a_switch_that_makes_no_sense_is_refused_and_changes_nothing(world: RouterWorld) -> None:
    await blue_and_green(world)
    with pytest.raises(Permanent, match="bad_weights"):
        await world.router.set_weights(SERVICE, {"blue": 50, "green": 49})
    with pytest.raises(Permanent, match="unknown_target"):
        await world.router.set_weights(SERVICE, {"red": 100})
    with pytest.raises(Permanent, match="unknown_service"):
        await world.router.set_weights("nobody", {"red": 100})
    assert [target.weight for target in (await world.status()).services[0].targets] == [100, 0]


async def test_a_target_that_does_not_answer_gets_no_traffic(world: RouterWorld) -> None:
    await blue_and_green(world)
    await world.router.put_target(SERVICE, "green", host="127.0.0.1", port=1)
    with pytest.raises(Transient, match="target_not_healthy"):
        await world.router.set_weights(SERVICE, {"green": 100}, wait_s=0.1)
    assert [target.weight for target in (await world.status()).services[0].targets] == [100, 0]


async def test_a_target_that_was_healthy_and_died_unseen_gets_no_traffic(world: RouterWorld) -> None:
    await blue_and_green(world)
    await world.stop_target(1)
    with pytest.raises(Transient, match="target_not_healthy"):
        await world.router.set_weights(SERVICE, {"green": 100}, wait_s=0.1)
    async with ClientSession() as session:
        assert await ask(session, world.url) == (200, "blue 0")


async def test_a_drained_target_that_is_put_back_is_probed_again(world: RouterWorld) -> None:
    await world.start()
    port = await world.named_target("blue")
    await world.put("blue", port)
    await world.router.drain(SERVICE, "blue")
    await world.stop_target(0)
    await world.router.put_target(SERVICE, "blue", host="127.0.0.1", port=port)
    with pytest.raises(Transient, match="target_not_healthy"):
        await world.router.wait_healthy(SERVICE, "blue", timeout_s=0.1)
    await world.put("blue", await world.named_target("blue"))


async def test_a_probe_path_must_answer_well_before_the_target_counts(world: RouterWorld) -> None:
    ready = False

    async def health(_: web.Request) -> web.Response:
        return web.Response(status=200 if ready else 500)

    await world.start()
    port = await world.target(health)
    await world.router.put_target(SERVICE, "blue", host="127.0.0.1", port=port, probe_path="/health")
    with pytest.raises(Transient, match="target_not_healthy"):
        await world.router.wait_healthy(SERVICE, "blue", timeout_s=0.3)
    ready = True
    status = await world.router.wait_healthy(SERVICE, "blue")
    assert status.targets[0].state == "healthy"


async def test_a_request_waits_for_a_target_to_come(world: RouterWorld) -> None:
    await world.start()
    async with ClientSession() as session:
        asking = asyncio.create_task(ask(session, world.url))
        await asyncio.sleep(0.2)
        await world.put("blue", await world.named_target("blue"), weight=100)
        assert await asking == (200, "blue 0")


async def test_with_nothing_to_serve_a_request_waits_and_then_is_told_to_come_again(world: RouterWorld) -> None:
    await world.start(nothing_to_serve_wait_s=0.3)
    begun = time.monotonic()
    async with ClientSession() as session:
        for method in ("HEAD", "GET"):
            async with session.request(method, world.url) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert time.monotonic() - begun >= 0.3


async def ask(session: ClientSession, url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
    async with session.request(method, url, data=body) as response:
        return response.status, await response.text()


async def test_a_post_to_a_target_that_refuses_connections_goes_to_the_other(world: RouterWorld) -> None:
    await blue_and_green(world)
    await world.router.set_weights(SERVICE, {"blue": 50, "green": 50})
    await world.stop_target(0)
    async with ClientSession() as session:
        answers = [await ask(session, world.url, "POST", b"x" * 1000) for _ in range(4)]
    assert answers == [(200, "green 1000")] * 4
    blue = (await world.router.stats(SERVICE)).targets["blue"].since_mark
    assert blue.connect_failures == 1
    assert (await world.status()).services[0].targets[0].state == "unhealthy"


async def test_a_target_that_comes_back_serves_again(world: RouterWorld) -> None:
    await world.start()
    port = await world.named_target("blue")
    await world.put("blue", port, weight=100)
    await world.stop_target(0)
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        asking = asyncio.create_task(ask(session, world.url))
        await asyncio.sleep(0.1)

        async def again(_: web.Request) -> web.Response:
            return web.Response(text="back")

        await world.target(again, port)
        assert await asking == (200, "back")


async def broken_once(world: RouterWorld) -> list[int]:
    """Serve with a target that hangs up on its first request. Returns what counts the requests that came."""
    came = [0]

    async def hang_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        came[0] += 1
        if came[0] > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    await world.serve_raw(hang_up_once)
    return came


async def test_a_get_whose_target_hangs_up_is_asked_again(world: RouterWorld) -> None:
    came = await broken_once(world)
    async with ClientSession() as session:
        assert await ask(session, world.url) == (200, "ok")
    assert came == [2]


async def test_a_post_that_may_have_been_heard_is_never_sent_twice(world: RouterWorld) -> None:
    came = await broken_once(world)
    async with ClientSession() as session:
        status, _ = await ask(session, world.url, "POST", b"pay")
    assert status == 502
    assert came == [1]


async def test_connections_the_target_closes_while_idle_cost_no_request(world: RouterWorld) -> None:
    async def one_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Content-Length: 3" in head:
            await reader.readexactly(3)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    await world.serve_raw(one_each)
    async with ClientSession() as session:
        for number in range(100):
            method = ("GET", "POST")[number % 2]
            assert await ask(session, world.url, method, b"pay" if method == "POST" else None) == (200, "ok")


async def test_figures_since_a_mark_count_only_what_came_after(world: RouterWorld) -> None:
    async def sometimes(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05 if request.path == "/slow" else 0)
        return web.Response(status=500 if request.path == "/bad" else 200)

    url = await world.serve(sometimes)
    async with ClientSession() as session:
        for path in ("/", "/bad", "/slow"):
            await ask(session, f"{url}{path}")
        await world.router.mark(SERVICE, "switch 1")
        for path in ["/bad", *["/slow"] * 9]:
            await ask(session, f"{url}{path}")
        await world.router.mark(SERVICE, "switch 1")
    stats = await world.router.stats(SERVICE, "switch 1")
    since, window = stats.targets["blue"].since_mark, stats.targets["blue"].window
    assert stats.mark_known
    assert (since.requests, since.errors_5xx, since.broken, since.connect_failures) == (10, 1, 0, 0)
    assert since.error_rate == pytest.approx(0.1)
    assert (window.requests, window.errors_5xx) == (13, 2)
    assert since.p95_ms is not None
    assert since.p95_ms >= 49


async def test_a_mark_nobody_set_is_said_to_be_unknown(world: RouterWorld) -> None:
    await blue_and_green(world)
    assert not (await world.router.stats(SERVICE, "never")).mark_known


async def test_a_target_with_weight_again_ends_its_drain(world: RouterWorld) -> None:
    await world.start()
    held = asyncio.Event()

    async def hold(_: web.Request) -> web.Response:
        await held.wait()
        return web.Response(text="held")

    await world.put("green", await world.target(hold))
    await world.router.set_weights(SERVICE, {"green": 100})
    async with ClientSession() as session:
        asking = asyncio.create_task(ask(session, world.url))
        await world.holds(1, "green")
        draining = asyncio.create_task(world.router.drain(SERVICE, "green"))
        await world.is_draining("green")
        await world.router.set_weights(SERVICE, {"green": 100})
        assert (await draining).resumed
        held.set()
        assert await asking == (200, "held")


async def test_a_switch_that_cannot_be_stored_does_not_happen(world: RouterWorld) -> None:
    await blue_and_green(world)
    in_the_way = world.settings.state_dir / "router.new"
    in_the_way.mkdir()
    with pytest.raises(Transient, match="state_not_saved"):
        await world.router.set_weights(SERVICE, {"green": 100})
    async with ClientSession() as session:
        assert await ask(session, world.url) == (200, "blue 0")
        in_the_way.rmdir()
        await world.router.set_weights(SERVICE, {"green": 100})
        assert await ask(session, world.url) == (200, "green 0")


async def test_every_operation_may_be_repeated(world: RouterWorld) -> None:
    await blue_and_green(world)
    first = await world.router.ensure_service(SERVICE)
    assert await world.router.ensure_service(SERVICE) == first
    for _ in range(2):
        await world.router.set_weights(SERVICE, {"green": 100}, mark="once")
        await world.router.drain(SERVICE, "blue")
    for _ in range(2):
        await world.router.remove_target(SERVICE, "blue")
    assert [target.id for target in (await world.status()).services[0].targets] == ["green"]
    for _ in range(2):
        await world.router.remove_service(SERVICE)
    assert (await world.status()).services == ()


async def test_services_have_addresses_of_their_own_within_the_range(world: RouterWorld) -> None:
    await blue_and_green(world)
    other = await world.router.ensure_service("acme/web production")
    assert other.url != world.url
    with pytest.raises(Permanent, match="port_unavailable"):
        await world.router.ensure_service("acme/late production", port=other.port)


async def test_a_host_name_belongs_to_one_service(world: RouterWorld) -> None:
    await world.start()
    await world.router.ensure_service(SERVICE, hosts=["api.test"])
    with pytest.raises(Permanent, match="host_taken"):
        await world.router.ensure_service("other", hosts=["API.test"])
