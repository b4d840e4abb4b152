"""The serving process: puts the router's parts together and serves; its sockets always have an owner who lives.

It is started by the supervisor, which hands the listening sockets over on `--link`. When that line is cut, the
supervisor is either replacing itself in place, and a fresh serving process follows; or it is dead, and this process
starts its successor. Both ways this one finishes what it has begun and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bot.engines.router.control import ControlServer
from bot.engines.router.exchange import Exchanges
from bot.engines.router.fdlink import FdLink
from bot.engines.router.fingerprint import fingerprint
from bot.engines.router.inbound import Lobby
from bot.engines.router.listeners import BACKLOG, Listeners
from bot.engines.router.meters import TICK_S
from bot.engines.router.operations import House, Operations
from bot.engines.router.outbound import TargetConnections
from bot.engines.router.probes import Prober
from bot.engines.router.settings import RouterSettings, add_arguments, from_namespace
from bot.engines.router.statefile import StateFile
from bot.engines.router.supervisor import PROGRAM, program
from bot.engines.router.switch import Switch

log = logging.getLogger("router.serving")

CONTROL = "control"
SWEEP_S = 0.5


@dataclass(frozen=True)
class Inheritance:
    """What the supervisor gave: the line to it, the sockets already open, and the process that may still serve."""

    link: FdLink
    sockets: dict[str, socket.socket]
    predecessor: int | None


class Serving:
    """One life of the serving process."""

    def __init__(self, settings: RouterSettings, inheritance: Inheritance) -> None:
        self._settings = settings
        self._inheritance = inheritance
        self._leave = asyncio.Event()
        self._alone = asyncio.Event()
        self._connections = TargetConnections(settings.connect_s)
        self._prober = Prober(settings.probe_s)
        self._lobby = Lobby(settings, Exchanges(settings, self._connections, self._prober).serve)
        self._listeners = Listeners(settings.host, self._lobby, inheritance.link, inheritance.sockets)
        self._switch = Switch()
        self._operations = Operations(self._house(), self._alone)
        self._control = ControlServer(self._operations)

    async def run(self) -> None:
        """Serve until SIGTERM or until the supervisor is gone, then finish."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave.set)
        loop.add_reader(self._inheritance.link.fileno(), self._line_is_cut)
        self._watch_predecessor()
        control = self._inheritance.sockets.pop(CONTROL, None) or _control_socket(self._settings.socket)
        self._listeners.keep(CONTROL, control)
        await self._operations.restore()
        await self._control.open(control)
        chores = [loop.create_task(self._sweep()), loop.create_task(self._tick())]
        log.info("serving as %d", os.getpid())
        await self._leave.wait()
        await self._finish(chores)

    def _house(self) -> House:
        return House(
            settings=self._settings,
            file=StateFile(self._settings.state_dir),
            switch=self._switch,
            prober=self._prober,
            lobby=self._lobby,
            listeners=self._listeners,
            fingerprint=fingerprint(),
        )

    async def _finish(self, chores: list[asyncio.Task[None]]) -> None:
        """Answer what was begun, cut what takes too long, close."""
        self._listeners.stop_accepting()
        self._control.stop_accepting()
        await self._operations.close()
        self._switch.tell_all()
        await self._lobby.leave(self._settings.finish_s)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        self._control.close()
        self._connections.close()
        await self._prober.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._lobby.sweep()
            self._connections.sweep()
            if not self._leave.is_set():
                await self._operations.open_missing()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for target in self._switch.targets():
                target.meter.tick(time.monotonic())

    def _line_is_cut(self) -> None:
        """The supervisor goes. Where it did not say that it replaces itself, it is dead, and gets a successor."""
        asyncio.get_running_loop().remove_reader(self._inheritance.link.fileno())
        if self._inheritance.link.receive() is None and not self._leave.is_set():
            self._start_successor()
        self._leave.set()

    def _start_successor(self) -> None:
        numbers = self._listeners.numbers()
        log.warning("the supervisor is dead; starting another")
        argv = program(PROGRAM, self._settings, listeners=numbers, predecessor=os.getpid())
        subprocess.Popen(argv, pass_fds=list(numbers.values()), stdin=subprocess.DEVNULL, start_new_session=True)

    def _watch_predecessor(self) -> None:
        """Be alone once the process that served before has ended; until then it may still hold requests."""
        handle = _process_handle(self._inheritance.predecessor)
        if handle is None:
            self._alone.set()
            return
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            self._alone.set()

        loop.add_reader(handle, ended)


def main(argv: Sequence[str]) -> int:
    """`python -m bot.engines.router.serving`, as the supervisor starts it."""
    parser = argparse.ArgumentParser(prog="shipmate router (serving)")
    add_arguments(parser)
    parser.add_argument("--link", type=int, required=True)
    parser.add_argument("--predecessor", type=int)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    _allow_many_files()
    inheritance = _inherit(FdLink.of(options.link), options.predecessor)
    uvloop.run(_serve(from_namespace(options), inheritance))
    return 0


async def _serve(settings: RouterSettings, inheritance: Inheritance) -> None:
    await Serving(settings, inheritance).run()


def _inherit(link: FdLink, predecessor: int | None) -> Inheritance:
    """Take over every socket the supervisor hands over."""
    sockets: dict[str, socket.socket] = {}
    while (received := link.receive()) is not None:
        message, number = received
        if "all" in message:
            break
        if number is not None:
            sockets[message["keep"]] = socket.socket(fileno=number)
            sockets[message["keep"]].setblocking(False)
    return Inheritance(link, sockets, predecessor)


def _control_socket(path: Path) -> socket.socket:
    """A fresh control socket, for this user alone; the one left by a dead router is replaced."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(fresh))
    fresh.chmod(0o600)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    fresh.replace(path)
    return sock


def _process_handle(pid: int | None) -> int | None:
    if pid is None:
        return None
    with suppress(OSError):
        return os.pidfd_open(pid)
    return None


def _allow_many_files() -> None:
    """Each request holds two connections: take as many files as the system lets us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
