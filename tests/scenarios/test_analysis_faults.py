"""Whatever happens in the middle of an analysis, it ends once, with the right answer or one sentence that says why."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot import tenure
from bot.clock import utc_now
from bot.jobs.analysis import telling
from bot.jobs.analysis.plan import Target
from bot.jobs.analysis.progress import Progress, Stage
from bot.jobs.analysis.repositories import folders
from bot.jobs.analysis.repositories.children import Children
from bot.model import JobState
from tests.scenarios.analysing import analysed, asked, report_of, target
from tests.world import REPO, World, new_world

PYTHON = "".join(f"line_{number} = {number}\n" for number in range(30))


class Hold:
    """Holds an analysis up, once, where it enters a stage, until it is opened or its processes are stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        put, cancel = telling._Board.put, Children.cancel

        def held(board: telling._Board, progress: Progress) -> None:
            put(board, progress)
            if progress.stage is stage and not self.reached.is_set():
                self.reached.set()
                self.opened.wait(30)

        def cancelled(children: Children) -> None:
            cancel(children)
            self.opened.set()

        monkeypatch.setattr(telling._Board, "put", held)
        monkeypatch.setattr(Children, "cancel", cancelled)


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Hold:
    return Hold(monkeypatch, request.param)


in_each_stage = pytest.mark.parametrize("hold", list(Stage), indirect=True, ids=str)
while_cloning = pytest.mark.parametrize("hold", [Stage.CLONING], indirect=True, ids=str)


@in_each_stage
async def test_a_server_that_dies_in_any_stage_takes_the_analysis_up_again(world: World, hold: Hold) -> None:
    job = await asked(world)
    await world.until(hold.reached.is_set)
    await world.abandon()
    hold.opened.set()
    await world.start()
    await world.settle()
    ended = await world.store.jobs.get(job.id)
    assert ended is not None
    assert ended.state is JobState.COMPLETED
    assert (await report_of(world, ended)).head == job.sha


@in_each_stage
async def test_an_analysis_cancelled_in_any_stage_ends_and_keeps_nothing(world: World, hold: Hold) -> None:
    job = await asked(world)
    await world.until(hold.reached.is_set)
    await world.store.jobs.ask_cancel(job.id, "alice", utc_now())
    await world.settle()
    assert await world.states() == ["CANCELLED"]
    assert await world.store.analyses.of_job(job.id) == []
    assert (await analysed(world)).state is JobState.COMPLETED


async def test_two_questions_at_once_about_one_repository_are_both_answered(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    jobs = [await asked(world), await asked(world, await target(world, "topic")), await asked(world, merges=True)]
    await world.settle()
    ended = [await world.store.jobs.get(job.id) for job in jobs]
    assert [job.state for job in ended if job] == [JobState.COMPLETED] * 3
    assert len(list(world.folder.glob("work/analysis/clones/*.git"))) == 1


async def test_after_a_force_push_nothing_old_is_counted(world: World) -> None:
    before = await world.github.head(REPO)
    await world.push_files({"dropped.py": PYTHON}, by="bob")
    await world.settle()
    counted = await report_of(world, await analysed(world))
    await world.github.force_push(REPO, "main", before)
    await world.settle()
    report = await report_of(world, await analysed(world))
    assert (report.head, report.lines) == (before, counted.lines - 30)
    assert "bob" not in {report.login(entry.author) for entry in report.authors}


async def test_a_repository_that_vanished_is_told_in_a_sentence(world: World) -> None:
    await analysed(world)
    elsewhere = Target(REPO, ref="main")
    await world.github.delete_repo(REPO)
    job = await analysed(world, elsewhere)
    assert (job.state, job.error_code) == (JobState.FAILED, "credentials_needed")
    assert "does not exist" in (job.error_message or "")


@while_cloning
async def test_a_token_that_ended_while_the_analysis_waited_is_replaced(world: World, hold: Hold) -> None:
    world.github.repository(REPO).private = True
    world.github.tokens.life_s = 60
    job = await asked(world)
    await world.until(hold.reached.is_set)
    assert world.github.tokens.expire_all()
    hold.opened.set()
    await world.settle()
    ended = await world.store.jobs.get(job.id)
    assert ended is not None
    assert ended.state is JobState.COMPLETED


async def test_a_full_disk_fails_the_analysis_with_a_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folders, "this_worker", full)
    monkeypatch.setattr(folders, "_MEMORY", world.folder)
    job = await analysed(world)
    assert (job.state, job.error_code) == (JobState.FAILED, "disk_full")
    assert "free some space" in (job.error_message or "")
    assert list(world.folder.glob(f"{folders.PREFIX}*")) == []


@pytest.fixture
async def proxied() -> AsyncIterator[tuple[World, list[str]]]:
    """A world whose way out is a proxy, which refuses all and remembers what it was asked for."""
    asked_for: list[str] = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        asked_for.append(f"{request.method} {request.path_qs or request.raw_path}")
        return web.Response(status=502)

    runner = web.ServerRunner(web.Server(refuse))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with new_world(HTTPS_PROXY=f"http://127.0.0.1:{port}") as world:
        yield world, asked_for
    await runner.cleanup()


async def test_analyses_leave_through_the_proxy_that_is_set(
    proxied: tuple[World, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, asked_for = proxied
    monkeypatch.setattr(tenure, "TRIES", 1)
    job = await analysed(world, Target("93.184.216.34/acme/web", url="https://93.184.216.34/acme/web", ref="main"))
    assert job.error_code == "host_unreachable"
    assert [line for line in asked_for if "93.184.216.34" in line]
