"""The world the router's tests act in: a router process, targets that answer, and clients that never stop asking."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientSession, web

from bot.engines.router.client import RouterClient
from bot.engines.router.launch import ensure_running
from bot.engines.router.reports import RouterStatus
from bot.engines.router.settings import RouterSettings, to_arguments
from bot.engines.router.supervisor import PROGRAM
from bot.errors import Transient
from tests.hammer import Hammer, swung
from tests.patience import ENOUGH_S

SERVICE = "acme/api production"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RouterWorld:
    """One router, started when it is first needed, and everything around it."""

    def __init__(self, folder: Path) -> None:
        self.settings = RouterSettings(state_dir=folder / "state", socket=folder / "router.sock")
        self.router = RouterClient(self.settings.socket, patience_s=0)
        self.url = ""
        self._runners: list[web.AppRunner] = []
        self._servers: list[asyncio.Server] = []

    async def start(self, **settings: object) -> RouterClient:
        """Start the router and its one service."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type]
        self.router = await ensure_running(self.settings)
        self.url = (await self.router.ensure_service(SERVICE)).url
        return self.router

    async def start_from(self, checkout: Path) -> None:
        """Start the router from another checkout of the code."""
        self.settings.state_dir.mkdir()
        argv = [sys.executable, "-P", "-m", PROGRAM, *to_arguments(self.settings), "--detach"]
        with (self.settings.state_dir / "router.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=checkout, env={"PYTHONPATH": str(checkout)}, stdout=output, stderr=output
            )
            assert await process.wait() == 0
        async with asyncio.timeout(ENOUGH_S):
            while not await self._answers():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _answers(self) -> bool:
        try:
            await self.router.status()
        except Transient:
            return False
        return True

    async def serve(self, handler: Handler, **settings: object) -> str:
        """Start the router with one target that answers with `handler`, and all weight on it. Returns the URL."""
        await self.start(**settings)
        await self.put("blue", await self.target(handler), weight=100)
        return self.url

    async def serve_raw(self, handler: RawHandler, **settings: object) -> str:
        """`serve`, with a target that speaks for itself on its connections."""
        await self.start(**settings)
        await self.put("blue", await self.raw_target(handler), weight=100)
        return self.url

    async def put(self, name: str, port: int, weight: int | None = None, probe_path: str | None = None) -> None:
        """Put a target and wait until the router finds it healthy."""
        await self.router.put_target(SERVICE, name, host="127.0.0.1", port=port, weight=weight, probe_path=probe_path)
        await self.router.wait_healthy(SERVICE, name)

    async def target(self, handler: Handler, port: int = 0) -> int:
        """A server that answers every request with `handler`. Returns its port."""
        app = web.Application(client_max_size=2**40)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        sock = socket.create_server(("127.0.0.1", port))
        await web.SockSite(runner, sock).start()
        return int(sock.getsockname()[1])

    async def named_target(self, name: str) -> int:
        """A server that answers with its name, and the length of what it got."""

        async def answer(request: web.Request) -> web.Response:
            return web.Response(text=f"{name} {len(await request.read())}")

        return await self.target(answer)

    async def raw_target(self, handler: RawHandler) -> int:
        """A server whose connections are handled byte by byte. Returns its port."""

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await handler(reader, writer)
            writer.close()

        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def send(self, data: bytes) -> bytes:
        """Send bytes to the service and return all that comes back until the router closes the connection."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the service."""
        address = urlsplit(self.url)
        return await asyncio.open_connection(address.hostname, address.port)

    async def status(self) -> RouterStatus:
        return await self.router.status()

    async def holds(self, count: int, target: str = "blue") -> None:
        """Return once the router holds that many requests at the target."""
        async with asyncio.timeout(ENOUGH_S):
            while await self._in_flight(target) != count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def _in_flight(self, target: str) -> int:
        found = (await self.status()).services[0].target(target)
        return found.in_flight if found else 0

    async def is_quiet(self) -> None:
        """Return once the router has no client and holds no request."""
        async with asyncio.timeout(ENOUGH_S):
            while await self._in_flight("blue") or (await self.status()).connections:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def log(self) -> str:
        """What the router wrote to its log."""
        return (self.settings.state_dir / "router.log").read_text()

    async def is_draining(self, target: str) -> None:
        """Return once the target drains."""
        async with asyncio.timeout(ENOUGH_S):
            while await self._state(target) != "draining":  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def _state(self, target: str) -> str:
        found = (await self.status()).services[0].target(target)
        return found.state if found else "gone"

    async def stop_target(self, number: int) -> None:
        """Stop one of the servers that `target` started, in the order they were."""
        await self._runners[number].cleanup()

    async def kill(self, *, serving: bool = False, supervisor: bool = False) -> None:
        """`kill -9` the router's processes."""
        status = await self.router.status()
        victims = [pid for pid, wanted in ((status.supervisor_pid, supervisor), (status.pid, serving)) if wanted]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)

    @asynccontextmanager
    async def hammered(self, clients: int = 4) -> AsyncIterator[BothWays]:
        """Ask the service without pause, over kept and fresh connections, GET and POST, while the block runs."""
        async with swung(BothWays(self.url), clients) as hammer:
            yield hammer

    async def close(self) -> None:
        """End the router, whatever state it is in, and the targets."""
        with suppress(Transient):
            status = await RouterClient(self.settings.socket, patience_s=0).status()
            await RouterClient(self.settings.socket).stop()
            await until(lambda: not alive(status.pid) and not alive(status.supervisor_pid))
        for server in self._servers:
            server.close()
        for runner in self._runners:
            await runner.cleanup()


class BothWays(Hammer):
    """Asks with GET and POST, without a breath; a target answers with its name and the length of what it was sent."""

    async def ask(self, session: ClientSession) -> None:
        """Each once."""
        for method, body in (("GET", b""), ("POST", b"x" * 100_000)):
            text = await self.answer(session, method, body or None)
            if text is not None:
                name, _, length = text.partition(" ")
                self.answers[name] += 1
                if length != str(len(body)):
                    self.failures.append(f"{method}: {text}")

    async def answered(self, count: int) -> None:
        """Return once that many more answers came."""
        wanted = self.answers.total() + count
        await until(lambda: self.answers.total() >= wanted or bool(self.failures))


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def until(is_so: Callable[[], bool], within_s: float = 20.0) -> None:
    """Return once it is so; fails the test when that takes too long."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
