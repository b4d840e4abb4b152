"""What the router costs and what it loses: latency added to a direct connection, switches under load, kill -9.

Run: python -m bench.router [--pairs 3000] [--switches 200] [--kills 3]. The target is a process of its own that answers
at once; each pair asks it directly and through the router, in changing order, on kept connections. The goals: less than
1 ms added at the median, no request lost while switching, back with the same targets within a second after kill -9.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import cast

import httptools
import uvloop

from bench.figure import Figure, none, under
from bench.report import main
from bot.engines.router.client import RouterClient
from bot.engines.router.launch import ensure_running, watch
from bot.engines.router.settings import RouterSettings

ADDED_LIMIT_MS = 1.0
BACK_LIMIT_MS = 1000.0
BENCH = "router"
SERVICE = "bench"
CLIENTS = 8
HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"
GET = b"GET / HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000
WORKLOADS = {"GET": GET, "POST 10 KB": POST}


class Target(asyncio.Protocol):
    """Answers every request at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(HELLO)


def serve_target(sock: socket.socket) -> None:
    """Answer on a listening socket until killed."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Target, sock=sock)
        await server.serve_forever()

    uvloop.run(serve())


@contextmanager
def target() -> Iterator[int]:
    """A target in a process of its own. Yields its port."""
    sock = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=serve_target, args=(sock,), daemon=True)
    process.start()
    try:
        yield int(sock.getsockname()[1])
    finally:
        process.kill()
        process.join()
        sock.close()


class Connection:
    """A kept connection that asks and waits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> float:
        """Send the request, read the whole answer. Returns milliseconds; raises OSError or EOFError when it is lost."""
        begun = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise EOFError(head.splitlines()[0].decode())
        await self._reader.readexactly(13)
        return (time.perf_counter() - begun) * 1000

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True)
class Added:
    """Milliseconds at the median: direct, through the router, and the difference within pairs (median, p99)."""

    direct_ms: float
    routed_ms: float
    added_ms: float
    added_p99_ms: float


async def latency_added(direct_port: int, routed_port: int, request: bytes, pairs: int) -> Added:
    """Ask both ways in pairs, the order changing from pair to pair."""
    direct, routed = await Connection.to(direct_port), await Connection.to(routed_port)
    directs: list[float] = []
    routeds: list[float] = []
    for number in range(pairs + 200):
        for connection, times in ((direct, directs), (routed, routeds))[:: 1 if number % 2 else -1]:
            times.append(await connection.ask(request))
    direct.close()
    routed.close()
    differences = [through - without for without, through in zip(directs[200:], routeds[200:], strict=True)]
    return Added(median(directs[200:]), median(routeds[200:]), median(differences), quantiles(differences, n=100)[98])


@dataclass
class Tally:
    """What clients that never stop asking got."""

    answered: int = 0
    lost: int = 0
    enough: bool = False

    async def ask(self, port: int, kept: bool) -> None:
        """Ask until it is enough, over one kept connection or a fresh one each time."""
        connection: Connection | None = None
        while not self.enough:
            try:
                connection = connection or await Connection.to(port)
                await connection.ask(POST if self.answered % 4 == 0 else GET)
                self.answered += 1
            except (OSError, EOFError):
                self.lost += 1
                connection = None
            if connection and not kept:
                connection.close()
                connection = None
        if connection:
            connection.close()


async def switch_under_load(router: RouterClient, port: int, ports: list[int], switches: int) -> tuple[Tally, float]:
    """Switch and drain, to and fro, while clients ask. Returns their tally and the median ms of a switch."""
    names = ["blue", "green"]
    for name, target_port in zip(names, ports, strict=True):
        await router.put_target(SERVICE, name, host="127.0.0.1", port=target_port)
    tally, took_ms = Tally(), []
    clients = [asyncio.create_task(tally.ask(port, kept=number % 2 == 0)) for number in range(CLIENTS)]
    for number in range(switches):
        begun = time.perf_counter()
        await router.set_weights(SERVICE, {names[number % 2]: 100})
        took_ms.append((time.perf_counter() - begun) * 1000)
        await router.drain(SERVICE, names[1 - number % 2])
    tally.enough = True
    await asyncio.gather(*clients)
    return tally, median(took_ms)


async def back_after_kill(router: RouterClient, port: int, *, serving: bool, supervisor: bool) -> float:
    """`kill -9`, then ask on fresh connections until answered. Returns milliseconds."""
    status = await router.status()
    for pid in [status.supervisor_pid] * supervisor + [status.pid] * serving:
        os.kill(pid, signal.SIGKILL)
    begun = time.perf_counter()
    while True:
        try:
            connection = await Connection.to(port)
            await connection.ask(GET)
        except (OSError, EOFError):
            await asyncio.sleep(0.002)
        else:
            connection.close()
            return (time.perf_counter() - begun) * 1000


def measure(arguments: list[str]) -> list[Figure]:
    """Latency added, requests lost while switching, and the time after each kind of kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--switches", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3)
    return asyncio.run(_measured(parser.parse_args(arguments)))


async def _measured(options: argparse.Namespace) -> list[Figure]:
    with target() as blue, target() as green, tempfile.TemporaryDirectory(prefix="router") as folder:
        settings = RouterSettings(Path(folder) / "state", Path(folder) / "router.sock")
        router = await ensure_running(settings)
        try:
            port = (await router.ensure_service(SERVICE)).port
            await router.put_target(SERVICE, "blue", host="127.0.0.1", port=blue)
            await router.set_weights(SERVICE, {"blue": 100})
            figures = await _latency(blue, port, options.pairs)
            figures.append(await _switches(router, port, [blue, green], options.switches))
            return figures + await _kills(router, settings, port, options.kills)
        finally:
            await router.stop()


async def _latency(direct: int, routed: int, pairs: int) -> list[Figure]:
    print(f"{'median ms':12} {'direct':>8} {'routed':>8} {'added':>8} {'p99':>8}   ratio")
    figures = []
    for name, request in WORKLOADS.items():
        added = await latency_added(direct, routed, request, pairs)
        print(
            f"{name:12} {added.direct_ms:8.3f} {added.routed_ms:8.3f} {added.added_ms:8.3f} {added.added_p99_ms:8.3f}"
            f"   {added.routed_ms / added.direct_ms:.2f}"
        )
        figures.append(under(BENCH, f"added at the median, {name}", added.added_ms, "ms", ADDED_LIMIT_MS))
    return figures


async def _switches(router: RouterClient, port: int, ports: list[int], switches: int) -> Figure:
    tally, switch_ms = await switch_under_load(router, port, ports, switches)
    print(f"{switches} switches and drains under load: {tally.answered:,} answered", end="; ")
    print(f"a durable switch takes {switch_ms:.1f} ms")
    if tally.answered <= switches:
        raise RuntimeError("too few requests were answered to say that none was lost")
    return none(BENCH, f"lost in {switches} switches under load", tally.lost, "requests")


async def _kills(router: RouterClient, settings: RouterSettings, port: int, kills: int) -> list[Figure]:
    watching = asyncio.create_task(watch(settings))
    figures = []
    for name, victims in (
        ("the serving process", (True, False)),
        ("the supervisor", (False, True)),
        ("both at once", (True, True)),
    ):
        times_ms = []
        for _ in range(kills):
            await asyncio.sleep(1.2)
            times_ms.append(await back_after_kill(router, port, serving=victims[0], supervisor=victims[1]))
        figures.append(under(BENCH, f"back after kill -9 of {name}", median(times_ms), "ms", BACK_LIMIT_MS))
    await asyncio.sleep(1.2)
    watching.cancel()
    return figures


if __name__ == "__main__":
    main(measure)
