"""Owns the connections to targets: opening, reusing while that is safe, and reading one response at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import httptools

from bot.engines.router.http1 import Headers, ResponseHead, Unacceptable, response_head
from bot.engines.router.model import Target
from bot.engines.router.streams import Inflow, Lost, Stalled, Wire

# Common servers close an idle connection after 2 s or more: one idle for less is not about to be closed under us.
REUSE_WITHIN_S = 1.5
MOST_IDLE = 64
HEAD_LIMIT_BYTES = 256 * 1024


class Unreachable(Exception):
    """The target took no connection: nothing was sent to it."""


class TargetConnection(Wire):
    """One connection to a target, carrying one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.idle_since = 0.0
        self.is_idle = False
        self.reused = False
        self.upgraded: Inflow | None = None
        self._loop = asyncio.get_running_loop()
        self.begin(b"")

    def begin(self, method: bytes) -> None:
        """Make ready for the response to a request of that method."""
        self.is_idle = False
        self.body = Inflow(self)
        self._method = method
        self._parser = httptools.HttpResponseParser(self)
        self._heads: deque[ResponseHead] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._reason = b""
        self._headers: Headers = []
        self._status = 0
        self._until_close = False
        self._keep_alive = False
        self._unproductive_bytes = 0

    async def response(self, stall_s: float) -> ResponseHead:
        """The next response head, interim ones too. Raises Lost, Stalled, or what `give_up` was told."""
        while not self._heads:
            if self._error is not None:
                raise self._error
            if not self.is_open:
                raise Lost
            await self._wait(stall_s)
        return self._heads.popleft()

    @property
    def reusable(self) -> bool:
        """Whether the whole response was read, and the target will take another request."""
        return self.is_open and self._keep_alive and self.body.drained and self._error is None

    def give_up(self, error: Exception) -> None:
        """End the connection; whoever waits for the response gets `error`."""
        self._fail(error)
        self.abort()

    # What the transport tells

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._until_close and exc is None and self._error is None:
            self.body.end()
        self._fail(Lost())

    def eof_received(self) -> bool:
        if self.upgraded is None:
            return False
        self.upgraded.end()
        return True

    def data_received(self, data: bytes) -> None:
        if self.upgraded is not None:
            self.upgraded.feed(data)
            return
        if self.is_idle:  # nobody asked: what follows could be taken for another request's response
            self.abort()
            return
        self._unproductive_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._become_tunnel(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._garbled()
        if self._unproductive_bytes > HEAD_LIMIT_BYTES:
            self.give_up(Unacceptable(502))

    # What the parser tells

    def on_message_begin(self) -> None:
        self._reason, self._headers = b"", []
        if self.body.ended:
            self._keep_alive = False

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status < 200:  # later ones are trailers
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.body.ended:
            return
        self._status = self._parser.get_status_code()
        self._unproductive_bytes = 0
        head = response_head(self._status, self._reason, self._headers)
        self._keep_alive = self._parser.should_keep_alive()
        self._until_close = head.has_body(self._method) and not head.chunked and head.content_length is None
        self._heads.append(head)
        if self._status >= 200 and not head.has_body(self._method):
            self.body.end()
        self._wake()

    def on_body(self, data: bytes) -> None:
        self._unproductive_bytes = 0
        if self.body.ended:
            self._keep_alive = False
            return
        self.body.feed(data)

    def on_message_complete(self) -> None:
        self._unproductive_bytes = 0
        if self._status >= 200:
            self.body.end()

    def _become_tunnel(self, rest: bytes) -> None:
        self.upgraded = Inflow(self)
        if rest:
            self.upgraded.feed(rest)

    def _garbled(self) -> None:
        """What came is not HTTP: after a whole response it is only too much, before that there is no response."""
        self._keep_alive = False
        if not self.body.ended:
            self.give_up(Unacceptable(502))

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.body.fail(self._error)
        if self.upgraded is not None:
            self.upgraded.fail(self._error)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, stall_s: float) -> None:
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(stall_s):
                await self._waiter
        except TimeoutError:
            raise Stalled from None
        finally:
            self._waiter = None


class TargetConnections:
    """Opens connections to targets, and keeps idle ones for a moment."""

    def __init__(self, connect_s: float) -> None:
        self._connect_s = connect_s
        self._idle: dict[tuple[str, int], list[TargetConnection]] = {}

    async def open(self, target: Target, *, fresh: bool) -> TargetConnection:
        """A connection; a `fresh` one can't have been closed by the target meanwhile. Raises Unreachable."""
        kept = None if fresh else self._kept((target.host, target.port))
        if kept is not None:
            return kept
        try:
            async with asyncio.timeout(self._connect_s):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(TargetConnection, target.host, target.port)
        except (OSError, TimeoutError) as error:
            raise Unreachable from error
        return connection

    def give_back(self, target: Target, connection: TargetConnection) -> None:
        """Keep a connection whose response was read whole, for the next request."""
        idle = self._idle.setdefault((target.host, target.port), [])
        if not connection.reusable or len(idle) >= MOST_IDLE:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        connection.is_idle = True
        connection.reused = True
        idle.append(connection)

    def sweep(self) -> None:
        """Close what was idle for too long."""
        before = time.monotonic() - REUSE_WITHIN_S
        for address, idle in list(self._idle.items()):
            for connection in [one for one in idle if one.idle_since < before or not one.is_open]:
                idle.remove(connection)
                connection.close()
            if not idle:
                del self._idle[address]

    def close(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()

    def _kept(self, address: tuple[str, int]) -> TargetConnection | None:
        idle = self._idle.get(address)
        before = time.monotonic() - REUSE_WITHIN_S
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.idle_since >= before and not connection.transport.is_closing():
                return connection
            connection.close()
        return None
