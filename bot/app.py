"""The composition root: opens the house for one process, runs its loops, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from bot.clock import utc_now
from bot.composition.amazon import take_off
from bot.composition.house import House, open_house
from bot.composition.upkeep import rounds
from bot.composition.web import web_application
from bot.composition.work import face_loops, job_worker, worker_loops
from bot.config import Settings, bad
from bot.engines.router.launch import ensure_running, watch
from bot.errors import Refused, Transient
from bot.masking import Masker
from bot.model import JobKind, JobState
from bot.process.queued import Message
from bot.tenure import LEASE_S
from handlers import github_webhook

SHUTDOWN_LIMIT_S = 25.0
AGAIN_S = 1.0
"""Between two beginnings of a loop."""

log = logging.getLogger("shipmate")


async def run(settings: Settings, masker: Masker, *, serves: bool, works: bool, ready: Callable[[str], None]) -> int:
    """Run one process until SIGTERM or SIGINT; `ready` is told the address once it answers. Returns the exit code."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with contextlib.ExitStack() as held:
        listener = held.enter_context(_listener(settings)) if serves else None
        known = _with_address(settings, listener) if listener else settings
        async with open_house(known, masker) as house, contextlib.AsyncExitStack() as stack:
            if works:
                await stack.enter_async_context(_working(house))
            if listener:
                await stack.enter_async_context(_serving(house, listener))
            ready(f"http://{known.host}:{known.port}" if listener else "")
            await stopping.wait()
            log.info("stopping")
    return 0


def _listener(settings: Settings) -> socket.socket:
    """The port is taken before anything is opened, and known before any link is made."""
    try:
        return socket.create_server((settings.host, settings.port), backlog=1024)
    except OSError as error:
        sentence = f"{settings.port} cannot be listened on at {settings.host} ({error.strerror})"
        raise bad("PORT", sentence) from error


def _with_address(settings: Settings, listener: socket.socket) -> Settings:
    """With PORT=0 the port is the one the system chose."""
    port = int(listener.getsockname()[1])
    public_url = f"http://{settings.host}:{port}" if settings.port == 0 and not settings.has_public_url else ""
    return dataclasses.replace(settings, port=port, public_url=public_url or settings.public_url)


@asynccontextmanager
async def _serving(house: House, listener: socket.socket) -> AsyncIterator[None]:
    app = web_application(house)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, handler_cancellation=True)
    await runner.setup()
    try:
        github_webhook.put_in_front(runner, app[github_webhook.INGRESS])
        await web.SockSite(runner, listener, backlog=1024).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _working(house: House) -> AsyncIterator[None]:
    """The router is there before a job needs it, and is watched; the loops are stopped before they are ended."""
    await ensure_running(house.settings.router)
    loops = worker_loops(house)
    tasks = [asyncio.create_task(kept(loop.name, loop.run), name=loop.name) for loop in loops]
    watching = kept("router", partial(watch, house.settings.router))
    keepers = [asyncio.create_task(watching), asyncio.create_task(kept("rounds", rounds(house).run))]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.wait(tasks, timeout=SHUTDOWN_LIMIT_S)
        for task in [*tasks, *keepers]:
            task.cancel()
        await asyncio.gather(*tasks, *keepers, return_exceptions=True)


async def kept(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A loop that breaks is begun again, so that the others' work goes on; unless that passes, it is our bug."""
    while True:
        try:
            return await run()
        except Transient as passing:
            log.warning("a loop could not go on and is begun again", extra={"loop": name, "code": passing.code})
        except Exception:
            log.exception("a loop broke and is begun again", extra={"loop": name})
        await asyncio.sleep(AGAIN_S)


async def run_one_job(settings: Settings, masker: Masker, job_id: str) -> str:
    """Run one waiting job to its end and tell every face of it; answers its state, also that of one that has ended.

    Raises Refused("job_not_found" or "job_not_runnable") when it is not there, or is not its turn.
    """
    async with open_house(settings, masker) as house:
        jobs = house.opened.store.jobs
        job = await jobs.claim(house.name, utc_now(), LEASE_S, only=job_id)
        if job is None:
            known = await jobs.get(job_id)
            if known and known.state.is_final:
                return known.state.value
            raise Refused("job_not_runnable" if known else "job_not_found", job=job_id)
        if job.kind is not JobKind.ANALYSIS:  # which moves no traffic
            await ensure_running(settings.router)
        await job_worker(house).run_one(job)
        for loop in face_loops(house):
            await loop.drain()
        ended = await jobs.get(job_id)
        return ended.state.value if ended else "UNKNOWN"


async def run_asked_job(settings: Settings, masker: Masker, message: Message) -> str:
    """Run the job that a message asks for; the message is taken off its queue when the job is completed, else it stays.

    Repeatable: a message that comes a second time finds the job ended. Raises UserMistake("bad_setting") for a
    message that names no job, and what `run_one_job` raises.
    """
    state = await run_one_job(settings, masker, message.job_id)
    if state == JobState.COMPLETED and message.is_to_be_taken_off:
        if settings.aws is None:
            raise bad("AWS_REGION", "is not set, while SQS_QUEUE_URL is: the message cannot be taken off its queue")
        await take_off(settings.aws, message)
    return state
