"""Owns a client's connection: reads its requests in order, within limits of size and time, and has each one served."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httptools

from bot.engines.router.http1 import (
    Headers,
    Origin,
    RequestHead,
    Unacceptable,
    body_framing,
    own_response,
    request_head,
)
from bot.engines.router.settings import RouterSettings
from bot.engines.router.streams import Inflow, Lost, Stalled, Wire
from bot.engines.router.switch import LiveService

LINGER_S = 2.0
SETTLE_S = 0.05  # a connection the system accepted for us just now is not among ours yet
FOREVER = math.inf

FindService = Callable[[RequestHead], LiveService | None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose head is read; its body may still be arriving."""

    head: RequestHead
    body: Inflow


ServeRequest = Callable[["ClientConnection", Request], Awaitable[bool]]


class Lobby:
    """All client connections: how many there may be, when the idle ones must go, and whether the router is leaving."""

    def __init__(self, settings: RouterSettings, serve: ServeRequest) -> None:
        self.settings = settings
        self.serve = serve
        self.leaving = False
        self.connections: set[ClientConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def sweep(self) -> None:
        """End every connection whose time is over."""
        now = time.monotonic()
        for connection in [one for one in self.connections if one.deadline < now]:
            connection.expire()

    async def leave(self, limit_s: float) -> None:
        """Serve what is under way and one more request of each idle connection, for `limit_s` at most."""
        self.leaving = True
        limit = time.monotonic() + limit_s
        await asyncio.sleep(SETTLE_S)
        until = time.monotonic() + LINGER_S
        for connection in self.connections:
            if connection.is_idle:
                connection.deadline = min(connection.deadline, until)
        while self.tasks and (left_s := limit - time.monotonic()) > 0:
            await asyncio.wait(tuple(self.tasks), timeout=left_s)
        for connection in tuple(self.connections):
            connection.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class ClientConnection(Wire):
    """One client. `find` says which service a request on this listener is for."""

    def __init__(self, lobby: Lobby, find: FindService) -> None:
        super().__init__()
        self.lobby = lobby
        self.find = find
        self.deadline = time.monotonic() + lobby.settings.header_read_s
        self.origin = Origin(b"unknown", lobby.settings.trust_forwarded)
        self.upgraded: Inflow | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._inbox: deque[Request | Unacceptable] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading: Request | None = None
        self._target = b""
        self._headers: Headers = []
        self._head_bytes = 0
        self._unproductive_bytes = 0
        self._primed = False
        self._is_deaf = False

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.origin = Origin(str(peer[0]).encode(), self.origin.trusted)
        if len(self.lobby.connections) >= self.lobby.settings.max_connections:
            self.answer(503, "Too many connections. Try again.", close=True)
            self.close()
            return
        self.lobby.connections.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self.lobby.tasks.add(self._task)
        self._task.add_done_callback(self.lobby.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lobby.connections.discard(self)
        for inflow in (self.upgraded, self._reading.body if self._reading else None):
            if inflow is not None:
                inflow.fail(Lost())
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> bool:
        """A client that ends its side is gone, except in a tunnel, where each side ends for itself."""
        if self.upgraded is None:
            return False
        self.upgraded.end()
        return True

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self.upgraded is not None:
            self.upgraded.feed(data)
            return
        if self.is_idle:
            self.deadline = time.monotonic() + self.lobby.settings.header_read_s
        self._unproductive_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stop_parsing(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Unacceptable) else Unacceptable(400))
        if self._unproductive_bytes > self.lobby.settings.head_limit_bytes:
            self._refuse(Unacceptable(431))

    # What the parser tells

    def on_message_begin(self) -> None:
        if not self._primed:
            self._target, self._headers, self._head_bytes = b"", [], 0

    def on_url(self, url: bytes) -> None:
        if not self._primed:
            self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._primed or self._reading is not None:  # a trailer, which goes no further
            return
        self._head_bytes += len(name) + len(value)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._primed:
            return
        if self._head_bytes + len(self._target) > self.lobby.settings.head_limit_bytes:
            raise Unacceptable(431)
        parser = self._parser
        head = request_head(parser.get_method(), self._target, parser.get_http_version(), self._headers)
        self._reading = Request(head, Inflow(self))
        self._unproductive_bytes = 0
        self._put(self._reading)

    def on_body(self, data: bytes) -> None:
        self._unproductive_bytes = 0
        if self._reading is not None:
            self._reading.body.feed(data)

    def on_message_complete(self) -> None:
        if self._reading is None or (self._parser.should_upgrade() and self._reading.head.has_body):
            return
        self._unproductive_bytes = 0
        self._reading.body.end()
        self._reading = None

    # An upgrade: the parser stops after any request that asks for one

    def _stop_parsing(self, rest: bytes) -> None:
        request = self._inbox[-1]
        self.upgraded = Inflow(self)
        if isinstance(request, Request) and not request.head.upgrade:
            self.resume_parsing(request.head, rest)
        elif rest:
            self.upgraded.feed(rest)

    def resume_parsing(self, head: RequestHead, rest: bytes = b"") -> None:
        """The upgrade was not taken: what follows is the request's body, where it has one, and further requests.

        The parser can't go on where it stopped, so a fresh one is led to the same place.
        """
        rest += self.upgraded.take() if self.upgraded is not None else b""
        self.upgraded = None
        self._parser = httptools.HttpRequestParser(self)
        if head.has_body:
            self._primed = True
            self._parser.feed_data(b"POST / HTTP/1.1\r\nHost: primed\r\n%b\r\n" % body_framing(head))
            self._primed = False
        if rest:
            self.data_received(rest)

    # Serving, one request after the other

    @property
    def is_idle(self) -> bool:
        """Whether the client owes nothing: no request under way, none begun."""
        return self._waiter is not None and self._unproductive_bytes == 0

    def answer(self, status: int, sentence: str, *, close: bool, extra: bytes = b"", method: bytes = b"GET") -> None:
        """Send a response of the router's own to a request of that method."""
        head, body = own_response(status, sentence, close=close, extra=extra)
        self.write(head if method == b"HEAD" else head + body)

    def expire(self) -> None:
        """The client took too long to send a request's head, or kept an idle connection long enough."""
        self.deadline = FOREVER
        if not self.is_idle:
            self.answer(408, "The request took too long to arrive.", close=True)
        self.close()

    async def _serve(self) -> None:
        try:
            while await self._serve_next():
                pass
        except (Lost, Stalled):
            self.abort()
        finally:
            self.close()

    async def _serve_next(self) -> bool:
        request = await self._take()
        if isinstance(request, Unacceptable):
            self.answer(request.status, "The request was not understood.", close=True)
            await self._linger()
            return False
        again = await self.lobby.serve(self, request)
        request.body.take()
        if not request.body.ended:
            await self._linger()
            return False
        return again

    async def _linger(self) -> None:
        """Take in what the client still sends, for a moment, so that a reset doesn't eat the answer on its way."""
        self._is_deaf = True
        self.release_all()
        self.finish_writing()
        await asyncio.sleep(LINGER_S if self.is_open else 0)

    async def _take(self) -> Request | Unacceptable:
        while not self._inbox:
            if not self.is_open:
                raise Lost
            self.deadline = time.monotonic() + self._patience_s()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self.deadline = FOREVER
        request = self._inbox.popleft()
        if not self._inbox:
            self.release(self)
        return request

    def _patience_s(self) -> float:
        """How long the client may take to send the next request, or the rest of its head."""
        if self._unproductive_bytes:
            return self.lobby.settings.header_read_s
        return LINGER_S if self.lobby.leaving else self.lobby.settings.keep_alive_s

    def _put(self, request: Request | Unacceptable) -> None:
        """Queue what was read; a client that sends ahead is held back."""
        self._inbox.append(request)
        if len(self._inbox) > 1:
            self.hold(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _refuse(self, why: Unacceptable) -> None:
        """Nothing after this can be trusted: the requests before it are served, this one is refused, and that's all."""
        self._is_deaf = True
        if self._reading is not None:
            self._reading.body.fail(why)
        self._put(why)
