"""Socket Mode: the websockets an app has opened, and envelopes that are acknowledged over them.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.slack.desk import Desk

Json = dict[str, Any]


@dataclass
class Sockets:
    """The open connections, newest last; the newest is asked first."""

    desk: Desk
    _open: list[web.WebSocketResponse] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Admit a connection with a ticket, greet it, and take its acknowledgements until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.desk.socket_tickets:
            raise web.HTTPForbidden(text="this address was used already, or never given out")
        self.desk.socket_tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._open.append(socket)
        try:
            await socket.send_json(self._hello())
            await self._listen(socket)
        finally:
            self._forget(socket)
        return socket

    async def ask(self, envelope: Json, timeout_s: float) -> Any:
        """Send one envelope and wait for its acknowledgement's payload. Raises TimeoutError, ConnectionError."""
        envelope_id = str(uuid.uuid4())
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        try:
            await self._open[-1].send_json({"envelope_id": envelope_id, **envelope})
            return await asyncio.wait_for(answer, timeout_s)
        finally:
            self._waiting.pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to be opened anew, as Slack does every few hours, and close it."""
        for socket in list(self._open):
            self._forget(socket)
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
            await socket.close()

    async def warn(self) -> None:
        """Say on every connection that it will be closed soon, as Slack does some ten seconds before."""
        for socket in self._open:
            await socket.send_json({"type": "disconnect", "reason": "warning", "debug_info": {"host": "sandbox"}})

    async def close(self) -> None:
        """Close every connection."""
        for socket in list(self._open):
            self._forget(socket)
            await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.connected,
            "connection_info": {"app_id": self.desk.workspace.app_id},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 18060},
        }

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        """Match acknowledgements with what waits for them; anything else is ignored, as by Slack."""
        async for message in socket:
            acknowledgement = _object(message.data) if message.type is WSMsgType.TEXT else {}
            waiting = self._waiting.get(str(acknowledgement.get("envelope_id")))
            if waiting is not None and not waiting.done():
                waiting.set_result(acknowledgement.get("payload"))


def _object(text: str) -> Json:
    """The JSON object that was said; an empty one for anything else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
