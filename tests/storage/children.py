"""What other processes do to the same file in the tests. Run: python -m tests.storage.children NAME URL [ARGUMENT]."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import resource
import sys
import time

from aiohttp import web

from bot.audit import AuditEntry
from bot.deliveries.ingress import Ingress
from bot.errors import Transient
from bot.model import JobState
from bot.process.metrics import Metrics
from bot.store.jobs import JobFilter
from handlers.github_webhook import add_to
from storage.engine.database import Database
from storage.opened import open_store
from tests.storage.sample import ENDED, NOW, STARTED, guid

SECRET = b"webhook secret"
UNFINISHED = JobFilter(states=tuple(state for state in JobState if not state.is_final), limit=1)


async def record(url: str, _: str) -> None:
    """Record deliveries from many tasks without end, naming each that was acknowledged."""
    opened = await open_store(url)
    numbers = itertools.count()

    async def one_by_one() -> None:
        while True:
            name = guid(next(numbers))
            if await opened.store.deliveries.record(name, "push", b"{}" * 2000, NOW):
                print(name, flush=True)

    await asyncio.gather(*(one_by_one() for _ in range(16)))


async def work(url: str, name: str) -> None:
    """Claim and finish jobs until none is left, telling when each was held."""
    jobs = (opened := await open_store(url)).store.jobs
    print("ready", flush=True)
    sys.stdin.readline()
    while await jobs.find(UNFINISHED):
        job = await jobs.claim(name, NOW, 3600)
        if job is None:
            await asyncio.sleep(0.002)
            continue
        begun = time.monotonic()
        await jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [STARTED], NOW)
        done = time.monotonic()
        await jobs.finish(job.id, job.fence, JobState.FAILED, [ENDED], NOW, result={})
        print(job.id, job.lane, job.fence, begun, done, flush=True)
    await opened.close()


async def fill(url: str, _: str) -> None:
    """Record until files may grow no more, then again when they may; tells what came of it, and whether it works."""
    opened = await open_store(url)
    deliveries = opened.store.deliveries
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    kept, code = 0, "never full"
    for number in range(1000):
        try:
            await deliveries.record(guid(number), "push", os.urandom(20_000), NOW)
            kept += 1
        except Transient as full:
            code = full.code
            break
    with contextlib.suppress(Transient):
        while True:
            await opened.database.write(lambda c: c.execute("PRAGMA user_version = 0").fetchone())
    working = [await _works(opened.database)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    again = await deliveries.record(guid(5000), "push", b"{}", NOW)
    working.append(await _works(opened.database))
    print(code, kept + again, len(await deliveries.recent(2000)), *working, flush=True)
    await opened.close()


async def _works(database: Database) -> bool:
    try:
        await database.require_working()
    except Transient:
        return False
    return True


async def audit(url: str, name: str) -> None:
    """Add to the audit trail without end."""
    opened = await open_store(url)
    print("ready", flush=True)
    while True:
        await opened.store.audit.add(AuditEntry(name, "api", "deploy", "acted", "deploy_asked"), NOW)


async def serve(url: str, _: str) -> None:
    """Take in webhooks at a free port, which is told."""
    opened = await open_store(url)
    app = web.Application()
    add_to(app, Ingress(opened.store.deliveries, (SECRET,), Metrics()))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


ACTS = {"record": record, "work": work, "fill": fill, "audit": audit, "serve": serve}

if __name__ == "__main__":
    asyncio.run(ACTS[sys.argv[1]](*sys.argv[2:4]))
