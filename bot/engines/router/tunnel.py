"""Carries an upgraded connection both ways, and ends a websocket properly when its target is about to go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.engines.router.streams import Inflow, Lost, Wire

# A close frame with code 1001, "going away" (RFC 6455 §5.5.1, §7.4.1), unmasked as from a server.
GOING_AWAY = b"\x88\x02\x03\xe9"
CLOSE_WITHIN_S = 5.0


class Frames:
    """Follows a stream of websocket frames (RFC 6455 §5.2), to know where one ends and the next begins."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left_bytes = 0

    @property
    def between(self) -> bool:
        """Whether the stream stands between two frames."""
        return not self._header and not self._left_bytes

    def follow(self, data: bytes, *, to_edge: bool = False) -> int:
        """Go along `data`, all of it or `to_edge` of a frame. Returns how many bytes that was."""
        at = 0
        while at < len(data):
            if self._left_bytes:
                step = min(self._left_bytes, len(data) - at)
                self._left_bytes -= step
            else:
                step = 1
                self._read_header(data[at])
            at += step
            if to_edge and self.between:
                break
        return at

    def _read_header(self, byte: int) -> None:
        header = self._header
        header.append(byte)
        if len(header) < 2:
            return
        masked, short = header[1] & 0x80, header[1] & 0x7F
        length_bytes = {126: 2, 127: 8}.get(short, 0)
        if len(header) == 2 + length_bytes + (4 if masked else 0):
            self._left_bytes = int.from_bytes(header[2 : 2 + length_bytes], "big") if length_bytes else short
            header.clear()


class Tunnel:
    """Two wires joined. `is_websocket` says whether what they speak can be told to end."""

    def __init__(self, client: Wire, target: Wire, *, is_websocket: bool) -> None:
        self._client = client
        self._target = target
        self._is_websocket = is_websocket
        self._frames = Frames()
        self._leaving = False
        self._told = False

    def tell(self) -> bool:
        """Say "going away" at the next frame's edge, and end soon after. False when this is no websocket."""
        if self._is_websocket and not self._leaving:
            self._leaving = True
            asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self.cut)
            self._client.write(self._towards_client(b""))
        return self._is_websocket

    def cut(self) -> None:
        """End both sides now."""
        self._client.abort()
        self._target.abort()

    async def run(self, from_client: Inflow, from_target: Inflow, stall_s: float) -> None:
        """Carry until both sides have ended; a side that ended alone gives the other `stall_s`."""
        loop = asyncio.get_running_loop()
        up = loop.create_task(_carry(from_client, self._target, lambda data: data))
        down = loop.create_task(_carry(from_target, self._client, self._towards_client))
        try:
            done, _ = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if all(side.result() for side in done):
                await asyncio.wait((up, down), timeout=stall_s)
        finally:
            up.cancel()
            down.cancel()
            ends = await asyncio.gather(up, down, return_exceptions=True)
            if any(end is not True for end in ends):
                self.cut()
            self._client.close()
            self._target.close()

    def _towards_client(self, data: bytes) -> bytes:
        """What of `data` goes on to the client: all, or up to the edge where it is told to go, and nothing after."""
        if not self._is_websocket:
            return data
        if not self._leaving:
            self._frames.follow(data)
            return data
        if self._told:
            return b""
        passed = b"" if self._frames.between else data[: self._frames.follow(data, to_edge=True)]
        if self._frames.between:
            self._told = True
            return passed + GOING_AWAY
        return passed


async def _carry(source: Inflow, sink: Wire, through: Callable[[bytes], bytes]) -> bool:
    """Pass everything on, then end the sink's side. True when all of it was passed."""
    try:
        while data := await source.read():
            sink.write(through(data))
            await sink.flushed()
    except Lost:
        return False
    sink.finish_writing()
    return True
