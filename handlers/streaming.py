"""Follows a job's events as server-sent events: the history after what the reader has, then what happens, each once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from bot.errors import ShipmateError
from bot.model import Event, EventType, Job
from bot.store.jobs import Jobs

KEEP_ALIVE_S = 15.0
CLOSE_AFTER_S = 5.0
RETRY_MS = 5000
PAGE = 1000
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Told = Callable[[Event], Awaitable[bytes | None]]
"""An event as this stream tells it; None: not at all."""


class Watch(Protocol):
    """One reader's view of the store's changes."""

    async def wait(self, timeout_s: float) -> None: ...


async def follow(request: web.Request, jobs: Jobs, watch: Watch, job: Job, told: Told) -> web.StreamResponse:
    """Stream until five seconds after the end. A store that fails ends the stream: the reader comes again.

    204 to one who has all of a job that is over, which tells a browser not to come again.
    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    after = last_event_id(request)
    if job.state.is_final and after >= await jobs.last_seq(job.id):
        return web.Response(status=204)
    reply = web.StreamResponse(headers=HEADERS)
    await reply.prepare(request)
    await reply.write(f"retry: {RETRY_MS}\n\n".encode())
    with contextlib.suppress(ShipmateError):
        await _tell_all(reply, jobs, watch, job.id, after, told)
    return reply


async def _tell_all(reply: web.StreamResponse, jobs: Jobs, watch: Watch, job_id: str, after: int, told: Told) -> None:
    wrote_s = time.monotonic()
    while True:
        events = await jobs.events(job_id, after, PAGE)
        for event in events:
            after = event.seq
            if (frame := await told(event)) is not None:
                await reply.write(frame)
                wrote_s = time.monotonic()
            if event.type is EventType.JOB_ENDED:
                return await asyncio.sleep(CLOSE_AFTER_S)
        if not events:
            await watch.wait(1.0)
        if time.monotonic() - wrote_s >= KEEP_ALIVE_S:
            await reply.write(b": still here\n\n")
            wrote_s = time.monotonic()


def frame_of(seq: int, name: str, data: bytes) -> bytes:
    """One event on the wire; `data` is one line."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, name.encode(), data)


def last_event_id(request: web.Request) -> int:
    """The number of the last event the reader has; 0 where it says none that makes sense."""
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    return int(given) if given.isdecimal() and len(given) < 10 else 0
