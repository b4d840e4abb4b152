"""The router survives: crashes of each of its processes, upgrades, torn files, and many who start it at once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from websockets.asyncio.client import connect as websocket_to
from websockets.exceptions import ConnectionClosed

from bot.engines.router import launch
from bot.engines.router.launch import ensure_running, watch
from bot.errors import Permanent, Transient
from tests.engines.router.world import SERVICE, RouterWorld, alive, until


async def two_targets(world: RouterWorld) -> None:
    await world.start()
    await world.put("blue", await world.named_target("blue"), weight=0)
    await world.put("green", await world.named_target("green"), weight=100)


async def ask(url: str) -> str:
    async with ClientSession(connector=TCPConnector(force_close=True)) as session, session.get(url) as response:
        return await response.text()


async def back_after_s(url: str) -> float:
    """How long it takes until a fresh connection is answered."""
    begun = time.monotonic()
    while True:
        try:
            assert await ask(url) == "green 0"
        except OSError:
            await asyncio.sleep(0.005)
        else:
            return time.monotonic() - begun


async def test_kill_9_of_the_serving_process_only_makes_new_connections_wait(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    await world.kill(serving=True)
    assert await ask(world.url) == "green 0"
    after = await world.status()
    assert after.pid != before.pid
    assert after.supervisor_pid == before.supervisor_pid


async def test_a_router_whose_folder_is_gone_ends_instead_of_trying_for_ever(world: RouterWorld) -> None:
    await world.start()
    running = await world.status()
    shutil.rmtree(world.settings.state_dir)
    os.kill(running.pid, signal.SIGKILL)
    await until(lambda: not alive(running.supervisor_pid))


async def test_targets_and_weights_are_the_same_after_kill_9(world: RouterWorld) -> None:
    await two_targets(world)
    before = (await world.status()).services[0]
    await world.kill(serving=True)
    await world.router.wait_healthy(SERVICE, "blue")
    await world.router.wait_healthy(SERVICE, "green")
    assert (await world.status()).services[0] == before


async def test_kill_9_of_the_serving_process_loses_only_what_it_held(world: RouterWorld) -> None:
    await two_targets(world)
    clients = 4
    async with world.hammered(clients) as hammer:
        await hammer.answered(50)
        await world.kill(serving=True)
        await until(lambda: hammer.answers.total() > 200)
    assert len(hammer.failures) <= clients
    assert set(hammer.answers) == {"green"}


async def test_kill_9_of_the_supervisor_loses_nothing(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    async with world.hammered() as hammer:
        await hammer.answered(50)
        await world.kill(supervisor=True)
        await until(lambda: not alive(before.pid))
        await hammer.answered(50)
    assert hammer.failures == []
    assert (await world.status()).supervisor_pid != before.supervisor_pid


async def test_kill_9_of_everything_is_back_within_a_second_with_the_same_targets(world: RouterWorld) -> None:
    await two_targets(world)
    before = (await world.status()).services[0]
    watching = asyncio.create_task(watch(world.settings))
    took_s = []
    for _ in range(3):
        await asyncio.sleep(0.2)
        await world.kill(serving=True, supervisor=True)
        took_s.append(await back_after_s(world.url))
        await world.router.wait_healthy(SERVICE, "green")
        assert (await world.router.wait_healthy(SERVICE, "blue")).targets == before.targets
    assert min(took_s) < 1.0
    watching.cancel()


async def test_a_websocket_is_told_when_the_router_itself_is_replaced(world: RouterWorld) -> None:
    async def listen(request: web.Request) -> web.WebSocketResponse:
        talk = web.WebSocketResponse()
        await talk.prepare(request)
        async for _ in talk:
            await talk.send_str("heard")
        return talk

    url = (await world.serve(listen)).replace("http", "ws")
    before = await world.status()
    async with websocket_to(url) as talk:
        await talk.send("hello")
        assert await talk.recv() == "heard"
        await world.router.reload()
        with pytest.raises(ConnectionClosed) as closed:
            await talk.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    await until(lambda: not alive(before.pid))


async def test_code_that_does_not_start_replaces_nothing(world: RouterWorld, tmp_path: Path) -> None:
    half_installed = tmp_path / "checkout"
    shutil.copytree(Path(launch.__file__).parents[2], half_installed / "bot", ignore=shutil.ignore_patterns("web"))
    await world.start_from(half_installed)
    before = await world.status()
    (half_installed / "bot" / "engines" / "router" / "serving.py").write_text("half a li")
    await world.router.reload()
    await until(lambda: "not replaced" in world.log())
    after = await world.status()
    assert (after.pid, after.supervisor_pid) == (before.pid, before.supervisor_pid)


async def test_two_who_ask_for_a_reload_at_once_do_no_harm(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    async with world.hammered() as hammer:
        os.kill(before.supervisor_pid, signal.SIGHUP)
        await asyncio.sleep(0.01)
        os.kill(before.supervisor_pid, signal.SIGHUP)
        await until(lambda: not alive(before.pid))
        await hammer.answered(200)
    assert hammer.failures == []
    assert (await world.status()).supervisor_pid == before.supervisor_pid


async def test_a_reload_replaces_both_programs_and_loses_nothing(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    async with world.hammered() as hammer:
        await hammer.answered(50)
        await world.router.reload()
        await until(lambda: not alive(before.pid))
        await hammer.answered(50)
    assert hammer.failures == []
    after = await world.status()
    assert (after.pid != before.pid, after.supervisor_pid == before.supervisor_pid) == (True, True)


async def test_a_switch_during_a_reload_waits_until_the_old_process_serves_nobody(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    async with world.hammered() as hammer:
        await hammer.answered(50)
        await world.router.reload()
        await until(lambda: not alive(before.pid))
        await world.router.set_weights(SERVICE, {"blue": 100})
        await world.router.drain(SERVICE, "green")
        hammer.answers.clear()
        await hammer.answered(100)
    assert hammer.failures == []
    assert set(hammer.answers) == {"blue"}


async def test_a_switch_asked_of_a_router_that_is_being_replaced_is_never_lost(world: RouterWorld) -> None:
    await two_targets(world)
    for live in ("blue", "green", "blue", "green"):
        before = await world.status()
        await asyncio.gather(world.router.reload(), world.router.set_weights(SERVICE, {live: 100}))
        await until(lambda before=before: not alive(before.pid))  # type: ignore[misc]
        assert await ask(world.url) == f"{live} 0"


async def test_a_switch_asked_of_a_router_that_is_killed_is_made_by_the_next(world: RouterWorld) -> None:
    await two_targets(world)
    for live in ("blue", "green", "blue", "green"):
        switching = asyncio.create_task(world.router.set_weights(SERVICE, {live: 100}))
        await world.kill(serving=True)
        await switching
        assert await ask(world.url) == f"{live} 0"


async def test_a_router_told_to_stop_finishes_what_it_holds(world: RouterWorld) -> None:
    released = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readuntil(b"\r\n\r\n"):
            await released.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    await world.serve_raw(slow)
    asking = asyncio.create_task(ask(world.url))
    service = (await world.status()).services[0]
    await world.holds(1)
    pid = (await world.status()).pid
    await world.router.stop()
    await until(lambda: not accepts(service.port))
    released.set()
    assert await asking == "done"
    await until(lambda: not alive(pid))


def accepts(port: int) -> bool:
    """Whether something listens on the port, told without connecting."""
    wanted = f":{port:04X} "
    return any(wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines())


async def test_many_who_start_the_router_at_once_start_one(world: RouterWorld) -> None:
    clients = await asyncio.gather(*(ensure_running(world.settings) for _ in range(5)))
    statuses = await asyncio.gather(*(client.status() for client in clients))
    assert len({status.supervisor_pid for status in statuses}) == 1
    running = [pid for pid in pids() if str(world.settings.socket) in command(pid)]
    assert sorted(running) == sorted({statuses[0].pid, statuses[0].supervisor_pid})


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


async def test_the_router_gets_none_of_the_servers_environment(
    world: RouterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_PRIVATE_KEY", "very secret")
    await world.start()
    status = await world.status()
    for pid in (status.pid, status.supervisor_pid):
        assert "very secret" not in environment(pid)


async def test_a_torn_state_file_is_set_aside_and_the_one_before_it_serves(world: RouterWorld) -> None:
    await two_targets(world)
    await world.router.set_weights(SERVICE, {"blue": 100})
    state = world.settings.state_dir / "router.json"
    state.write_bytes(state.read_bytes()[:-20])
    await world.kill(serving=True)
    assert await ask(world.url) == "green 0"
    assert (world.settings.state_dir / "router.torn").exists()


async def test_a_crash_loop_does_not_close_the_door(world: RouterWorld) -> None:
    await two_targets(world)
    for _ in range(4):
        await world.kill(serving=True)
    assert await ask(world.url) == "green 0"


async def test_sigterm_to_the_serving_process_alone_brings_the_next(world: RouterWorld) -> None:
    await two_targets(world)
    before = await world.status()
    os.kill(before.pid, signal.SIGTERM)
    await until(lambda: not alive(before.pid))
    assert await ask(world.url) == "green 0"


async def test_a_router_that_runs_other_code_than_ours_is_reloaded(
    world: RouterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_targets(world)
    before = await world.status()
    await ensure_running(world.settings)
    assert (await world.status()).pid == before.pid
    monkeypatch.setattr(launch, "fingerprint", lambda: "upgraded")
    await ensure_running(world.settings)
    await until(lambda: not alive(before.pid))
    assert (await world.status()).supervisor_pid == before.supervisor_pid


async def test_a_socket_path_no_system_takes_is_refused_at_once(world: RouterWorld) -> None:
    settings = world.settings.__class__(world.settings.state_dir, Path("/") / ("x" * 200))
    with pytest.raises(Permanent, match="socket_path_too_long"):
        await ensure_running(settings)


async def test_asking_where_no_router_is_may_be_tried_again(world: RouterWorld) -> None:
    with pytest.raises(Transient, match="router_unreachable"):
        await world.router.status()
