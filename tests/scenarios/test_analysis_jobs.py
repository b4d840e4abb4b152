"""An analysis is a job like any other: durable, cancellable, resumed, and its report is kept."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import tenure
from bot.clock import utc_now
from bot.errors import Permanent
from bot.jobs.analysis import contributions
from bot.jobs.analysis.plan import TOKENS, AnalysisPlan, Target
from bot.jobs.analysis.progress import Listener, Progress, Stage
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.repositories import folders
from bot.jobs.analysis.repositories.addresses import Address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clones import Clones
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.run import analyse_here
from bot.jobs.analysis.submit import JobQueue
from bot.model import EventType, Job, JobState, Origin
from bot.store.store import Store
from bot.tenure import LEASE_S
from storage.opened import open_store
from tests.scenarios.analysing import analysed, asked, report_of, target
from tests.world import REPO, World, new_world

PYTHON = "".join(f"line_{number} = {number}\n" for number in range(30))


def clones(world: World) -> list[Path]:
    """What was cloned."""
    return list(world.folder.glob("work/analysis/clones/*.git"))


class Gate:
    """Holds every analysis up in its middle until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.times = 0
        monkeypatch.setattr(contributions, "analyse_here", self._analyse)

    def _analyse(
        self, request: AnalysisRequest, listener: Listener, children: Children, states: States | None
    ) -> Report:
        self.times += 1

        def held(progress: Progress) -> None:
            listener(progress)
            if progress.stage is Stage.DIFFING:
                self.reached.set()
                while not self.opened.wait(0.02):
                    children.check()

        return analyse_here(request, held, children, states)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


async def test_an_analysis_says_who_wrote_what(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    job = await analysed(world, await target(world, "topic"))
    assert job.state is JobState.COMPLETED
    report = await report_of(world, job)
    assert report.exact
    assert (report.ref, report.head) == ("topic", job.sha)
    by_login = {report.login(entry.author): entry.lines for entry in report.authors}
    assert by_login["bob"] == 30
    assert job.result["analysis"]["authors"][0]["login"] == "bob"
    assert {entry.name: entry.lines for entry in report.languages}["Python"] == 30


async def test_the_commit_is_the_one_that_was_asked_about(world: World) -> None:
    await world.push_files({"a.txt": "one\n"}, branch="topic")
    then = await target(world, "topic")
    await world.push_files({"b.txt": "two\n"}, branch="topic")
    job = await analysed(world, then)
    assert (await report_of(world, job)).head == then.sha


async def test_a_second_analysis_of_a_branch_begins_where_the_first_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str | None] = []
    take = States.take

    def watched(states: States, name: str) -> object:
        state = take(states, name)
        started.append(state.head.decode() if state else None)
        return state

    monkeypatch.setattr(States, "take", watched)
    first = await analysed(world)
    await world.push_files({"a.py": PYTHON})
    await world.settle()
    await analysed(world)
    assert started == [None, first.sha]


async def test_progress_is_told_in_files_and_pairs(world: World, gate: Gate) -> None:
    job = await asked(world)
    await world.until(gate.reached.is_set)
    told: list[dict[str, object]] = []
    while not told:
        story = await world.store.jobs.story(job.id)
        told = [dict(event.details["analysis"]) for event in story if event.type is EventType.STAGE_PROGRESSED]
    gate.opened.set()
    await world.settle()
    assert set(told[-1]) >= {"repository", "phase", "commits", "pairs", "pairsDone", "files", "filesDone"}


async def test_the_same_question_asked_twice_is_one_job(world: World, gate: Gate) -> None:
    first, second = await asked(world), await asked(world)
    other = await asked(world, authors=("bob",))
    gate.opened.set()
    await world.settle()
    assert first.id == second.id != other.id
    assert (await asked(world)).id != first.id


async def test_a_cancelled_analysis_stops_in_its_middle_and_keeps_nothing(world: World, gate: Gate) -> None:
    job = await asked(world)
    await world.until(gate.reached.is_set)
    await world.store.jobs.ask_cancel(job.id, "alice", utc_now())
    await world.settle()
    assert await world.states() == ["CANCELLED"]
    assert await world.store.analyses.of_job(job.id) == []


async def test_a_server_that_dies_in_the_middle_takes_the_analysis_up_again(world: World, gate: Gate) -> None:
    job = await asked(world)
    await world.until(gate.reached.is_set)
    await world.abandon()
    gate.opened.set()
    await world.start()
    await world.settle()
    ended = await world.store.jobs.get(job.id)
    assert ended is not None
    assert ended.state is JobState.COMPLETED
    assert gate.times == 2
    assert (await report_of(world, ended)).head == job.sha


async def test_a_branch_that_is_gone_fails_with_a_sentence(world: World) -> None:
    job = await analysed(world, Target(REPO, ref="gone"))
    assert (job.state, job.error_code) == (JobState.FAILED, "unknown_ref")
    assert "gone" in (job.error_message or "")


@pytest.mark.parametrize(
    "address",
    ["file:///etc", "https://127.0.0.1/a/b", "https://[::1]/a/b", "https://169.254.169.254/a/b", "ssh://git@x/a/b"],
)
async def test_an_address_inside_is_refused(world: World, address: str) -> None:
    job = await analysed(world, Target("somewhere/else", url=address))
    assert (job.state, job.error_code) == (JobState.FAILED, "address_not_allowed")
    assert clones(world) == []


async def test_a_private_repository_needs_the_installation_or_a_token(world: World) -> None:
    world.github.repository(REPO).private = True
    refused = await analysed(world, Target(REPO, ref="main"))
    assert refused.error_code == "credentials_needed"
    allowed = await analysed(world)
    assert allowed.state is JobState.COMPLETED


async def test_no_token_is_in_anything_that_was_written(world: World) -> None:
    await analysed(world)
    written, tokens = world.everything_written(), list(world.github.tokens.issued)
    assert tokens
    assert [token for token in tokens if token in written] == []


async def test_a_persons_own_token_opens_their_repository_and_is_forgotten(world: World) -> None:
    world.github.repository(REPO).private = True
    await world.store.secrets.put(TOKENS, "mine", world.github.user_token("alice"), utc_now())
    job = await analysed(world, Target(REPO, ref="main"), token_name="mine")
    assert job.state is JobState.COMPLETED
    assert await world.store.secrets.names(TOKENS) == []


async def test_a_persons_own_token_goes_to_no_other_server_than_github(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str | None]] = []

    def watched(clones: Clones, address: Address, *given: Any, token: str | None, **more: Any) -> NoReturn:
        shown.append((address.url, token))
        raise Permanent("clone_failed", target=address.url, detail="for this test")

    monkeypatch.setattr(Clones, "fetched", watched)
    token = world.github.user_token("alice")
    elsewhere = Target("192.0.32.8/a/b", url="https://192.0.32.8/a/b")
    for number, about in enumerate((Target("zoe/site"), elsewhere)):
        await world.store.secrets.put(TOKENS, f"mine{number}", token, utc_now())
        await analysed(world, about, token_name=f"mine{number}")
    assert shown == [(f"{world.github.url}/zoe/site.git", token), ("https://192.0.32.8/a/b", None)]


async def test_what_a_dead_process_left_in_memory_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_MEMORY", tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine, left, strange = folders.private_folder(), folders.private_folder(), tmp_path / "shipmate-strange"
    host = (left / "owner").read_text().partition(":")[0]
    (left / "owner").write_text(f"{host}:1:0")
    strange.mkdir()
    assert folders.sweep() == 1
    assert [folder.exists() for folder in (mine, left, strange)] == [True, False, True]


async def test_of_several_repositories_those_done_are_not_done_again(world: World, gate: Gate) -> None:
    await world.github.create_repo("acme/web", files={"index.html": "<p>\n"})
    one, two = await target(world), Target("acme/web", ref="main")
    gate.opened.set()
    job = await asked(world, one, two)
    await world.until(lambda: gate.times == 2)
    await world.abandon()
    await world.start()
    await world.settle()
    ended = await world.store.jobs.get(job.id)
    assert ended is not None
    assert ended.result["portfolio"]["repositories"] == [REPO, "acme/web"]
    assert gate.times <= 3


@pytest.fixture
async def queued(world: World) -> AsyncIterator[tuple[Store, Job]]:
    """An analysis that waits, in a world whose server has gone."""
    about = await target(world)
    await world.abandon()
    opened = await open_store(f"sqlite:///{world.database}")
    job, _ = await JobQueue(opened.store.jobs, utc_now).submit(AnalysisPlan((about,)), Origin("api", "robot", 0))
    yield opened.store, job
    await opened.close()
    await world.start()


async def run_job(world: World, job: Job) -> tuple[int | None, str]:
    """What a process of its own answers that is to run one job."""
    environment = {
        **world.github.environment(),
        "DATABASE_URL": f"sqlite:///{world.database}",
        "SHIPMATE_WORKDIR": str(world.folder / "other"),
        "SHIPMATE_JOB_ID": job.id,
        "PATH": os.defpath,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run-job"), env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode().strip()


async def test_a_process_of_its_own_runs_an_analysis(world: World, queued: tuple[Store, Job]) -> None:
    store, job = queued
    assert await run_job(world, job) == (0, "COMPLETED")
    assert [one.sha for one in await store.analyses.of_job(job.id)] == [job.sha]


async def test_what_a_process_left_that_died_the_next_one_ends(world: World, queued: tuple[Store, Job]) -> None:
    store, job = queued
    assert await store.jobs.claim("died an hour ago", utc_now() - timedelta(hours=1), LEASE_S, only=job.id)
    assert await run_job(world, job) == (0, "COMPLETED")
    assert [one.sha for one in await store.analyses.of_job(job.id)] == [job.sha]


async def test_a_job_that_another_process_works_on_is_left_to_it(world: World, queued: tuple[Store, Job]) -> None:
    store, job = queued
    assert await store.jobs.claim("at work", utc_now(), 600.0, only=job.id)
    code, _ = await run_job(world, job)
    assert code not in (0, None)
    assert await store.analyses.of_job(job.id) == []


async def page_of(world: World, job: Job) -> str:
    """The job's page, as its link shows it."""
    parts = urlsplit(world.house.links.job(job.id))
    return await fetched(f"{world.address}{parts.path}?{parts.query}")


async def fetched(address: str) -> str:
    """What is to be had there."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(address) as reply:
        return await reply.text()


async def test_the_page_of_a_job_about_several_repositories_says_so(world: World) -> None:
    await world.github.create_repo("acme/web", files={"index.html": "<p>\n"})
    page = await page_of(world, await analysed(world, await target(world), Target("acme/web", ref="main")))
    assert "<title>2 repositories: who wrote what · Shipmate</title>" in page
    assert f"{REPO}, acme/web · robot" in page


async def test_the_page_of_the_job_shows_what_was_found(world: World) -> None:
    job = await analysed(world, since=date(2001, 1, 1), until=date(2002, 1, 1))
    page = await page_of(world, job)
    assert "Commits from 2001-01-01 on and before 2002-01-01 count" in page
    assert "Who wrote what" in page
    picture = page.partition(f'src="/jobs/{job.id}/picture.svg')[2].partition('"')[0]
    assert (await fetched(f"{world.address}/jobs/{job.id}/picture.svg{unescape(picture)}")).startswith("<svg")
    assert f"/jobs/{job.id}/report?link=" in page
    assert "Blue/green" not in page
    assert "Lines" in page


async def test_a_quality_snapshot_asks_the_services_that_are_set(tmp_path: Path) -> None:
    asked_of: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked_of.append(f"{request.path} {request.query.get('component', '')}".strip())
        if request.path.endswith("measures/component"):
            return web.json_response({"component": {"measures": [{"metric": "bugs", "value": "3"}]}})
        return web.json_response({"choices": [{"message": {"content": "Small and plain."}}]})

    services = web.Application()
    services.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(services) as server:
        url = str(server.make_url("")).rstrip("/")
        settings = {"SONAR_HOST_URL": url, "SHIPMATE_MODEL_URL": f"{url}/v1", "SHIPMATE_MODEL_NAME": "small"}
        async with new_world(**settings) as world:
            plain, wanted = await analysed(world), await analysed(world, quality=True)
            assert (await world.store.analyses.of_job(plain.id))[0].body["quality"] is None
            quality = (await world.store.analyses.of_job(wanted.id))[0].body["quality"]
    assert asked_of == ["/api/measures/component acme_api", "/v1/chat/completions"]
    assert quality["sonar"] == {"bugs": "3"}
    assert (quality["summary"]["generated"], quality["summary"]["text"]) == (True, "Small and plain.")
    assert quality["complexity"]["functions"] == 0


async def test_a_clone_that_fails_once_is_tried_again(world: World) -> None:
    world.github.faults.add("status", path=r"/info/refs", status=503)
    assert (await analysed(world)).state is JobState.COMPLETED


async def test_a_host_that_never_answers_fails_the_analysis_with_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "TRIES", 1)
    world.github.faults.add("status", path=r"/info/refs", status=503, count=None)
    job = await analysed(world)
    assert (job.state, job.error_code) == (JobState.FAILED, "host_unreachable")
    assert "does not answer" in (job.error_message or "")


async def test_github_not_telling_logins_costs_the_report_only_those(world: World) -> None:
    world.github.faults.add("status", path=r"/commits$", status=500, count=None)
    job = await analysed(world)
    assert (job.state, (await report_of(world, job)).lines > 0) == (JobState.COMPLETED, True)


async def test_a_damaged_clone_is_made_anew(world: World) -> None:
    await analysed(world)
    (clone,) = clones(world)
    for pack in [*clone.rglob("*.pack"), *(file for file in (clone / "objects").rglob("??/*") if file.is_file())]:
        pack.chmod(0o644)
        pack.write_bytes(b"nothing of value")
    await world.push_files({"app.py": PYTHON})
    await world.settle()
    assert (await analysed(world)).state is JobState.COMPLETED


async def test_damage_that_only_the_analysis_finds_costs_one_more_clone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Path] = []

    def damaged_once(request: AnalysisRequest, *given: Any) -> Report:
        tries.append(request.repository)
        if len(tries) == 1:
            raise Permanent("corrupt_repository", command="git log", detail="loose object is corrupt")
        assert (request.repository / "HEAD").exists()
        return analyse_here(request, *given)

    monkeypatch.setattr(contributions, "analyse_here", damaged_once)
    assert (await analysed(world)).state is JobState.COMPLETED
    assert len(tries) == 2
