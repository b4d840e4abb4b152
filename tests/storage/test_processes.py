"""Several processes on one file, some of which die or may write no more."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections import defaultdict

from bot.store.store import Store
from storage.opened import OpenStore, open_store
from tests.storage.sample import NOW, request


def child(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.children", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_a_process_killed_while_recording_loses_nothing_it_acknowledged(url: str) -> None:
    with child("record", url, "") as process:
        assert process.stdout
        acknowledged = [line.strip() for line in itertools.islice(process.stdout, 400)]
        process.kill()
        acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    opened = await open_store(url)
    assert await opened.store.deliveries.unknown(acknowledged) == []
    assert await opened.store.deliveries.record("another", "push", b"{}", NOW)
    await opened.close()


async def test_processes_that_claim_at_once_never_share_a_job_or_a_lane(store: Store, url: str) -> None:
    lanes = [f"lane{number % 12}" for number in range(240)]
    await asyncio.gather(*(store.jobs.create(request(lane), NOW) for lane in lanes))
    workers = [child("work", url, f"worker{number}") for number in range(3)]
    for worker in workers:
        assert worker.stdout
        assert worker.stdin
        worker.stdout.readline()
    told = await asyncio.gather(*(asyncio.to_thread(worker.communicate, "go\n", 60) for worker in workers))
    lines = [line.split() for out, _ in told for line in out.splitlines()]
    assert len({job for job, *_ in lines}) == len(lines) == 240
    assert {fence for _, _, fence, _, _ in lines} == {"1"}
    assert sum(bool(out.strip()) for out, _ in told) > 1
    held = defaultdict(list)
    for _, lane, _, begun, done in lines:
        held[lane].append((float(begun), float(done)))
    for spans in held.values():
        spans.sort()
        assert all(done <= begun for (_, done), (begun, _) in itertools.pairwise(spans))


async def test_a_disk_that_is_full_refuses_and_takes_again_when_there_is_room(url: str) -> None:
    with child("fill", url, "") as process:
        out, _ = process.communicate(timeout=60)
    code, kept, stored, *working = out.split()
    assert code in {"store_full", "store_io"}
    assert int(kept) == int(stored) > 1
    assert working == ["False", "True"]


async def test_a_commit_of_another_process_wakes_a_watch(opened: OpenStore, url: str) -> None:
    waiting = asyncio.create_task(opened.database.watch().wait(60))
    await asyncio.sleep(0)
    with child("record", url, "") as process:
        await asyncio.wait_for(waiting, 30)
        process.kill()
        process.communicate()
