"""Owns the listening sockets while serving: opens them, takes them over from the process before, hands them on."""

from __future__ import annotations

import asyncio
import logging
import socket

from bot.engines.router.fdlink import FdLink
from bot.engines.router.inbound import ClientConnection, FindService, Lobby
from bot.engines.router.settings import PortRange

log = logging.getLogger(__name__)

BACKLOG = 1024


class Listeners:
    """One listening socket for each name. `inherited` are those that were open before this process began."""

    def __init__(self, host: str, lobby: Lobby, link: FdLink | None, inherited: dict[str, socket.socket]) -> None:
        self._host = host
        self._lobby = lobby
        self._link = link
        self._inherited = inherited
        self._servers: dict[str, asyncio.Server] = {}
        self._sockets: dict[str, socket.socket] = {}

    def bind(self, ports: PortRange, taken: frozenset[int]) -> socket.socket:
        """A listening socket on the first free port that is not `taken`. Raises OSError when there is none."""
        problem: OSError | None = None
        for port in range(ports.first, ports.last + 1):
            if port and port in taken:
                continue
            try:
                return _bound(self._host, port)
            except OSError as error:
                problem = error
        raise problem or OSError("every port of the range is taken")

    def inherited(self, name: str) -> socket.socket | None:
        """The socket of that name that was open before, to be taken once."""
        return self._inherited.pop(name, None)

    async def open(self, name: str, sock: socket.socket, find: FindService) -> None:
        """Serve who connects, for the service that `find` names; from here on the socket survives this process."""
        self.keep(name, sock)
        loop = asyncio.get_running_loop()
        self._servers[name] = await loop.create_server(
            lambda: ClientConnection(self._lobby, find), sock=sock, backlog=BACKLOG
        )

    def keep(self, name: str, sock: socket.socket) -> None:
        """Hand the socket to the supervisor."""
        self._sockets[name] = sock
        if self._link is not None:
            self._link.keep(name, sock.fileno())

    def is_open(self, name: str) -> bool:
        return name in self._servers

    def port(self, name: str) -> int:
        """The port of an open listener, 0 where there is none."""
        return int(self._sockets[name].getsockname()[1]) if name in self._sockets else 0

    def close(self, name: str) -> None:
        """Stop listening for good."""
        if self._link is not None:
            self._link.drop(name)
        self._sockets.pop(name, None)
        server = self._servers.pop(name, None)
        if server is not None:
            server.close()

    def drop_unclaimed(self) -> None:
        """Close what was inherited and belongs to nothing any more."""
        for name, sock in self._inherited.items():
            log.info("closing the listener %s, which nothing uses", name)
            sock.close()
            if self._link is not None:
                self._link.drop(name)
        self._inherited.clear()

    def numbers(self) -> dict[str, int]:
        """The file numbers of all listening sockets, for a successor to inherit."""
        return {name: sock.fileno() for name, sock in self._sockets.items()}

    def stop_accepting(self) -> None:
        """Leave new connections in the backlog, to whoever else holds the sockets."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)  # two could share a port that is only bound
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
