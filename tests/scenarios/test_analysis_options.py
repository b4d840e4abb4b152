"""What a question, or the settings of a repository, choose of an analysis shows in its report."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.clock import utc_now
from bot.jobs.analysis.reports.report import Report
from bot.model import JobKind
from tests.scenarios.analysing import report_of
from tests.scenarios.test_analysis_jobs import PYTHON
from tests.world import REPO, World, new_world


@pytest.fixture
async def busy() -> AsyncIterator[World]:
    """A world whose repository has a lock file, a bot's file, a merge, and a commit that reformatted everything."""
    async with new_world() as world:
        await world.push_files({"app.py": PYTHON, "package-lock.json": "{\n}\n"}, by="bob")
        reformatted = await world.push_files({"app.py": PYTHON.replace(" = ", "=")}, by="alice")
        await world.push_files({".git-blame-ignore-revs": f"{reformatted}\n"})
        world.github.person("renovate[bot]", "Bot")
        await world.push_files({"bot.py": "b = 1\n"}, by="renovate[bot]")
        await world.push_files({"more.py": "m = 1\n"}, branch="topic")
        pull = await world.github.open_pull(REPO, head="topic")
        await world.github.merge_pull(REPO, pull.number)
        await world.settle()
        yield world


def seen_in(report: Report) -> set[str]:
    """The options that a report of the busy repository was made with."""
    names = {entry.author.name for entry in report.authors}
    signs = {
        "allFiles": "package-lock.json" not in {entry.path for entry in report.excluded},
        "merges": "GitHub" in names,
        "withoutBots": "renovate[bot]" not in names,
        "ignoreRevs": sum(entry.lines for entry in report.authors if entry.author.name == "bob") >= 30,
    }
    return {name for name, is_so in signs.items() if is_so}


async def newest(world: World) -> Report:
    """What the newest analysis reported."""
    (*_, job) = (job for job in await world.jobs() if job.kind is JobKind.ANALYSIS)
    return await report_of(world, job)


async def test_each_option_of_a_question_shows_in_its_report(busy: World) -> None:
    _, key = await busy.store.keys.create("tests", utc_now())
    async with aiohttp.ClientSession(busy.address, headers={"X-API-Key": key}) as session:
        for asked in (set(), {"allFiles"}, {"merges"}, {"withoutBots"}, {"ignoreRevs"}, {"merges", "ignoreRevs"}):
            body = {"repo": REPO, **dict.fromkeys(asked, True)}
            async with session.post("/api/v1/analyses", json=body) as reply:
                assert reply.status == 201
            await busy.settle()
            assert seen_in(await newest(busy)) == asked


async def test_what_the_settings_say_of_counting_holds_for_comments_and_pushes(busy: World) -> None:
    chosen = "analysis: {pushes: true, bots: false, merges: true, ignore_revs: true}"
    await busy.push_files({".shipmate.yml": f"environments:\n  production: {{branch: never}}\n{chosen}\n"})
    await busy.settle()
    assert (await busy.jobs())[-1].origin.face == "push"
    by_push = await newest(busy)
    await busy.say(await busy.github.open_issue(REPO), "/analyze")
    assert (await busy.jobs())[-1].origin.face == "comment"
    for report in (by_push, await newest(busy)):
        assert seen_in(report) == {"merges", "withoutBots", "ignoreRevs"}
