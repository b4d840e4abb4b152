"""Takes in Slack's requests over a websocket we open, where Slack cannot reach us: each on disk, then acknowledged.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from bot.errors import ShipmateError, Unreadable
from bot.slack.api.replies import Call
from bot.slack.inbound.fields import parsed
from bot.slack.inbound.ingress import BODY_LIMIT_BYTES, SlackIngress

HEARTBEAT_S = 20.0
"""A connection over which no answer to a ping comes is taken for dead, and opened anew."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
SAID_OF_ITSELF = frozenset({"hello", "disconnect"})

log = logging.getLogger("shipmate.ingress")


class SlackSocket:
    """Keeps one connection open. The next one is opened as soon as Slack warns, while the old one is still heard."""

    def __init__(self, call: Call, session: aiohttp.ClientSession, ingress: SlackIngress) -> None:
        """`call` has the token of the app, not that of the bot."""
        self._call = call
        self._session = session
        self._ingress = ingress
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause_s = FIRST_PAUSE_S

    async def run(self) -> None:
        """Until `stop`. What comes while nothing is connected, Slack tells again; a command fails for who typed it."""
        try:
            while not self._stopping.is_set():
                leaving = asyncio.Event()
                connection = self._start(self._connection(leaving), "slack connection")
                await _first(connection, leaving, self._stopping)
                if not leaving.is_set():
                    await _nap(self._stopping, self._pause_s)
                    self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        finally:
            await self._end()

    def stop(self) -> None:
        """Acknowledge what has come, then close; the rest is told to another connection, or later."""
        self._stopping.set()

    async def _connection(self, leaving: asyncio.Event) -> None:
        """One connection, from its address to its end; `leaving` is set when Slack is about to end it."""
        try:
            address = str((await self._call("apps.connections.open", {})).body.get("url", ""))
            async with self._session.ws_connect(
                address, heartbeat=HEARTBEAT_S, max_msg_size=BODY_LIMIT_BYTES
            ) as socket:
                await self._listen(socket, leaving)
        except (ShipmateError, aiohttp.ClientError, TimeoutError) as error:
            reason = error.facts.get("reason", error.code) if isinstance(error, ShipmateError) else type(error).__name__
            log.warning("Slack cannot be connected to; it is tried again", extra={"reason": reason})

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse, leaving: asyncio.Event) -> None:
        async for message in socket:
            try:
                envelope = parsed(message.data.encode() if isinstance(message.data, str) else b"")
            except Unreadable as unreadable:
                log.warning("an unreadable message over Slack's socket", extra={"code": unreadable.code})
                continue
            kind = str(envelope.get("type"))
            if kind not in SAID_OF_ITSELF:
                self._start(self._take(socket, kind, envelope), f"slack {kind}")
            elif kind == "hello":
                self._pause_s = FIRST_PAUSE_S
            else:
                log.info("Slack ends this connection", extra={"reason": envelope.get("reason")})
                if envelope.get("reason") != "link_disabled":
                    leaving.set()

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, kind: str, envelope: Mapping[str, Any]) -> None:
        """Nothing is acknowledged that is not on disk."""
        payload = envelope.get("payload")
        try:
            reply = await self._ingress.admit(body_of(kind, payload if isinstance(payload, dict) else {}))
            acknowledgement = {"envelope_id": envelope.get("envelope_id")} | ({"payload": reply} if reply else {})
            await socket.send_str(orjson.dumps(acknowledgement).decode())
        except ShipmateError as error:
            self._ingress.metrics.deliveries.labels(error.code).inc()
            log.warning("a request of Slack's is not acknowledged", extra={"code": error.code})
        except ConnectionError:
            log.info("a connection ended before an acknowledgement; Slack tells it again")

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end(self) -> None:
        """Requests that have come are finished first; then nothing is listened to any more."""
        taking = [task for task in self._tasks if task.get_name() != "slack connection"]
        await asyncio.gather(*taking, return_exceptions=True)
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def body_of(kind: str, payload: Mapping[str, Any]) -> bytes:
    """The body the same request has over HTTP, so that it is read in one place; equal requests have equal bytes."""
    if kind == "slash_commands":
        return urlencode({name: str(value) for name, value in sorted(payload.items())}).encode()
    json = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    return urlencode({"payload": json.decode()}).encode() if kind == "interactive" else json


async def _first(connection: asyncio.Task[None], *events: asyncio.Event) -> None:
    """Until the connection has ended, or one of these has come."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait([connection, *waits], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _nap(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
