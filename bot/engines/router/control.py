"""Speaks the control protocol on the router's Unix socket.

One JSON object a line, one line back: `{"op": "drain", "args": {"service": "acme/api production", "target": "blue"}}`
is answered `{"ok": …}`, or `{"error": {"kind": "permanent" | "transient", "code": …, "facts": {…}}}`. The operations,
their arguments and what they give are the public methods of `Operations`. Lines of one connection are answered in
turn; a connection may stay open as long as it likes, and reads its end when the serving process dies. What was
begun goes on when the one who asked hangs up.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import socket
from typing import Any

from bot.engines.router.operations import Operations, as_json
from bot.engines.router.reports import LONGEST_LINE_BYTES
from bot.errors import Permanent, ShipmateError, Transient, Unreadable

log = logging.getLogger(__name__)

OPERATIONS = (
    "drain",
    "ensure_service",
    "mark",
    "put_target",
    "reload",
    "remove_service",
    "remove_target",
    "set_weights",
    "stats",
    "status",
    "stop",
    "wait_healthy",
)


class ControlServer:
    """Answers on the control socket until closed."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self, sock: socket.socket) -> None:
        """Answer who connects to the listening socket."""
        self._server = await asyncio.start_unix_server(self._converse, sock=sock, limit=LONGEST_LINE_BYTES)

    def stop_accepting(self) -> None:
        """Answer nobody new."""
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Hang up on everyone."""
        self.stop_accepting()
        for writer in self._writers:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # hung up, or a line beyond the limit
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            operation, arguments = self._asked(line)
            return {"ok": as_json(await operation(**arguments))}
        except ShipmateError as error:
            kind = "transient" if isinstance(error, Transient) else "permanent"
            return {"error": {"kind": kind, "code": error.code, "facts": error.facts}}

    def _asked(self, line: bytes) -> tuple[Any, dict[str, Any]]:
        """The operation and its arguments. Raises Permanent `unknown_operation`, Unreadable `bad_control_request`."""
        try:
            asked = json.loads(line)
            name, arguments = asked["op"], asked.get("args", {})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable("bad_control_request") from error
        if name not in OPERATIONS:
            raise Permanent("unknown_operation", op=str(name))
        operation = getattr(self._operations, name)
        try:
            inspect.signature(operation).bind(**arguments)
        except TypeError as error:
            raise Unreadable("bad_control_request", op=name, reason=str(error)) from error
        return operation, arguments
