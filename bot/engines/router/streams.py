"""Bytes in both directions with back-pressure: what a connection received, and when it may be written to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import cast

HIGH_WATER_BYTES = 256 * 1024


class Lost(Exception):
    """The connection ended before what was expected of it came."""


class Stalled(Exception):
    """The other side neither sent nor took anything for too long."""


class Inflow:
    """Bytes one connection received, for one reader. The connection is not read from while too much is waiting."""

    __slots__ = ("_chunks", "_error", "_source", "_waiter", "ended", "size_bytes")

    def __init__(self, source: Wire) -> None:
        self._chunks: deque[bytes] = deque()
        self._source = source
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.ended = False
        self.size_bytes = 0

    def feed(self, data: bytes) -> None:
        """Append what was received."""
        self._chunks.append(data)
        self.size_bytes += len(data)
        if self.size_bytes > HIGH_WATER_BYTES:
            self._source.hold(self)
        self._wake()

    def end(self) -> None:
        """Nothing more will come, and all came."""
        self.ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """Nothing more will come, and something is missing: the reader gets `error` after the bytes before it."""
        if not self.ended:
            self._error = self._error or error
            self._wake()

    def take(self) -> bytes:
        """All bytes at hand; empty when there are none."""
        if not self._chunks:
            return b""
        data = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.size_bytes = 0
        self._source.release(self)
        return data

    @property
    def drained(self) -> bool:
        """Whether everything came and everything was taken."""
        return self.ended and not self._chunks

    async def read(self, stall_s: float | None = None) -> bytes:
        """The next bytes, or empty at the end. Raises what `fail` was told, and Stalled after `stall_s` of nothing."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.ended:
                return b""
            await self._wait(stall_s)
        return self.take()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, stall_s: float | None) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(stall_s):
                await self._waiter
        except TimeoutError:
            raise Stalled from None
        finally:
            self._waiter = None


class Wire(asyncio.Protocol):
    """One TCP connection: its transport, whether it may be written to, and who holds its reading back."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._holders: set[object] = set()
        self.is_open = False

    @property
    def transport(self) -> asyncio.Transport:
        """The transport; there is one from the moment the connection is made."""
        if self._transport is None:
            raise Lost
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.resume_writing()

    def pause_writing(self) -> None:
        if self._writable is None:
            self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        waiting, self._writable = self._writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def hold(self, holder: object) -> None:
        """Stop reading until every holder has released."""
        if not self._holders and self.is_open and not self.transport.is_closing():
            self.transport.pause_reading()
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """Read again, unless someone else still holds."""
        if holder not in self._holders:
            return
        self._holders.discard(holder)
        if not self._holders and self.is_open and not self.transport.is_closing():
            self.transport.resume_reading()

    def release_all(self) -> None:
        """Read again, whoever holds."""
        for holder in tuple(self._holders):
            self.release(holder)

    def write(self, data: bytes) -> None:
        """Send, or nothing on a connection that is lost."""
        if self.is_open:
            self.transport.write(data)

    async def flushed(self, stall_s: float | None = None) -> None:
        """Return when more may be written. Raises Lost, and Stalled when the other side takes nothing for `stall_s`."""
        if self._writable is not None:
            try:
                async with asyncio.timeout(stall_s):
                    await asyncio.shield(self._writable)
            except TimeoutError:
                raise Stalled from None
        if not self.is_open:
            raise Lost

    def finish_writing(self) -> None:
        """Say that nothing more will be sent; what the other side sends is still read."""
        if self.is_open and self.transport.can_write_eof():
            self.transport.write_eof()

    def close(self) -> None:
        """End the connection once everything written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection with a reset, so that the other side can't take what it got for the whole."""
        if self._transport is None or not self.is_open:
            return
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
