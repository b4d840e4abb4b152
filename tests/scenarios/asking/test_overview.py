"""The page of what runs and what is locked in a repository: what it shows, to whom, and where it is found."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.clock import utc_now
from bot.model import Hold, Job, JobKind, JobRequest, Origin, Repository
from bot.overview import PAGE
from tests.world import REPO, World, new_world

HOSTILE = "<script>alert(1)</script>\"'"


class Reader:
    """A browser's eye on the world's server."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._session = session

    async def status(self, link: str, **headers: str) -> int:
        async with self._session.get(self._here(link), headers=headers) as reply:
            return reply.status

    async def read(self, link: str, **headers: str) -> str:
        async with self._session.get(self._here(link), headers=headers) as reply:
            assert reply.status == 200, await reply.text()
            assert "unsafe" not in reply.headers["Content-Security-Policy"]
            return await reply.text()

    async def rows(self, part: str, link: str = "", **headers: str) -> list[list[str]]:
        """The cells of one of the page's tables, in words."""
        page = await self.read(link or self._world.house.links.overview(REPO), **headers)
        section = page.partition(f'<section id="{part}">')[2].partition("</section>")[0]
        rows = re.findall(r"<tr>(<td.*?)</tr>", section, re.DOTALL)
        return [[_words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]

    def _here(self, link: str) -> str:
        parts = urlsplit(link)
        return f"{self._world.address}{parts.path}?{parts.query}"


def _words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html)).strip()


@pytest.fixture
async def reader(world: World) -> AsyncIterator[Reader]:
    async with aiohttp.ClientSession() as session:
        yield Reader(world, session)


async def linked(reader: Reader, page: str, kind: str) -> list[str]:
    """Addresses on the page whose path begins so."""
    return [one for one in map(unescape, re.findall(r'href="([^"]*)"', page)) if urlsplit(one).path.startswith(kind)]


async def ended(world: World, number: int, *targets: str) -> Job:
    """One more job that ended; an analysis where it is about `targets`."""
    kind = JobKind.ANALYSIS if targets else JobKind.DEPLOY
    repository = Repository(world.github.hub.repository(REPO).id, REPO)
    spec = {"targets": [{"name": name} for name in targets]}
    waits = Hold(utc_now() + timedelta(hours=1), approvals=1)
    origin = Origin("push", "alice", 1)
    request = JobRequest(kind, f"lane {number}", repository, "a" * 40, "main", "", origin, spec, hold=waits)
    made = await world.store.jobs.create(request, utc_now())
    await world.store.jobs.ask_cancel(made.id, "alice", utc_now())
    return made


async def test_it_shows_what_is_locked_and_the_words_that_unlock_it(world: World, reader: Reader) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, f"/lock staging --reason {HOSTILE} --for 2h")
    await world.say(pull.number, "/lock --all")
    every, staging = await reader.rows("locks")
    assert (every[0], every[1], every[-1]) == ("every environment", "alice", "/unlock --all")
    assert staging[3].startswith("until 2")
    assert every[3] == "until it is unlocked"
    assert (staging[0], staging[1], staging[-1]) == ("staging", "alice", "/unlock staging")
    assert "alert(1)" in staging[4]
    assert "<script>" not in await reader.read(world.house.links.overview(REPO))


async def test_it_shows_what_serves_since_when_and_who_brought_it_there(world: World, reader: Reader) -> None:
    first = await world.push("one")
    await world.settle()
    second = await world.push("two")
    await world.settle()
    ((environment, serves, _, by, _),) = await reader.rows("live")
    assert (environment, serves, by) == ("production", f"{second[:7]} v2", "alice")
    pull = await world.open_pull("three")
    await world.say(pull.number, "/rollback production")
    ((_, serves, since, _, _),) = await reader.rows("live")
    rollback = (await world.jobs())[-1]
    assert serves == f"{first[:7]} v1"
    assert rollback.ended_at
    assert since == rollback.ended_at.strftime("%Y-%m-%d %H:%M UTC")


async def test_it_shows_who_runs_and_who_waits_in_their_order(world: World, reader: Reader) -> None:
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy to production")
    await world.until_it_builds()
    await world.comment(pull.number, "/deploy to production")
    await world.until(lambda: len(world.answers(pull.number)) == 2)
    runs, waits = await reader.rows("under-way")
    assert (runs[0], runs[2]) == ("production", "◐ Building")
    assert (waits[0], waits[2]) == ("production", "○ waits, 1 ahead")
    assert waits[1].endswith(f"#{pull.number}")
    for job in await world.unfinished():
        await world.store.jobs.ask_cancel(job.id, "alice", utc_now())
    await world.settle()
    assert await reader.rows("under-way") == []
    outcomes = [row[2] for row in await reader.rows("ended")]
    assert [outcome.startswith("⊘ Cancelled") for outcome in outcomes] == [True, True]
    assert any("Cancelled by alice. What served before goes on serving." in outcome for outcome in outcomes)


async def test_of_a_job_that_failed_it_says_why(world: World, reader: Reader) -> None:
    await world.push("two", "fail")
    await world.settle()
    ((_, _, outcome, *_),) = await reader.rows("ended")
    assert outcome.startswith("✗ Failed")
    (job,) = await world.jobs()
    assert job.error_message
    assert job.error_message[:100] in outcome


async def test_older_jobs_are_a_page_further_each_shown_once(world: World, reader: Reader) -> None:
    made = [await ended(world, number) for number in range(PAGE + 3)]
    page = await reader.read(world.house.links.overview(REPO))
    (older,) = [one for one in await linked(reader, page, "/repos") if "before=" in one]
    shown = [*await linked(reader, page, "/jobs"), *await linked(reader, await reader.read(older), "/jobs")]
    ids = [urlsplit(one).path.rpartition("/")[2] for one in shown]
    assert ids == [job.id for job in reversed(made)]


async def test_one_environment_can_be_looked_at_alone(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.push("two", branch="staging")
    await world.settle()
    only = world.house.links.overview(REPO, environment="staging")
    assert [row[0] for row in await reader.rows("live")] == ["production", "staging"]
    assert [row[0] for row in await reader.rows("live", only)] == ["staging"]
    assert [row[0] for row in await reader.rows("ended", only)] == ["staging"]


async def test_without_a_link_or_a_key_it_stays_shut(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    link = world.house.links.overview(REPO)
    other = world.house.links.overview("acme/other").partition("?")[2]
    (job,) = await world.jobs()
    of_a_job = urlsplit(world.house.links.job(job.id)).query
    for closed in ("", other, of_a_job, urlsplit(link).query[:-1]):
        for path in (f"/repos/{REPO}/overview", f"/repos/{REPO}/overview/events"):
            assert await reader.status(f"{path}?{closed}") == 403
    assert await reader.status(world.house.links.overview(REPO, now_s=0.0)) == 403
    _, key = await world.store.keys.create("tests", utc_now())
    assert await reader.rows("live", f"/repos/{REPO}/overview", **{"X-API-Key": key})


async def test_a_key_of_another_repository_learns_nothing(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    _, key = await world.store.keys.create("tests", utc_now(), ["acme/other"])
    shown = await reader.read(f"/repos/{REPO}/overview", **{"X-API-Key": key})
    unknown = await reader.read("/repos/acme/nothing/overview", **{"X-API-Key": key})
    assert shown.replace(REPO, "acme/nothing") == unknown


async def test_an_analysis_that_is_about_other_repositories_too_is_not_shown(world: World, reader: Reader) -> None:
    alone = await ended(world, 1, REPO)
    await ended(world, 2, REPO, "acme/private")
    page = await reader.read(world.house.links.overview(REPO))
    assert [urlsplit(one).path for one in await linked(reader, page, "/jobs")] == [f"/jobs/{alone.id}"]


async def test_its_link_opens_the_jobs_behind_it_which_lead_back(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    overview = urlsplit(world.house.links.overview(REPO))
    onward = set(await linked(reader, await reader.read(overview.geturl()), "/jobs"))
    (job,) = await world.jobs()
    assert onward == {f"/jobs/{job.id}?{overview.query}"}
    back = await linked(reader, await reader.read(onward.pop()), f"/repos/{REPO}")
    assert f"{overview.path}?{overview.query}" in back
    assert await reader.status(f"/jobs/{job.id}/log?{overview.query}") == 200
    other = urlsplit(world.house.links.overview("acme/other")).query
    assert await reader.status(f"/jobs/{job.id}?{other}") == 403


async def test_its_link_opens_no_job_that_tells_of_other_repositories_too(world: World, reader: Reader) -> None:
    query = urlsplit(world.house.links.overview(REPO)).query
    alone, both = await ended(world, 1, REPO), await ended(world, 2, REPO, "acme/private")
    assert await reader.status(f"/jobs/{alone.id}?{query}") == 200
    assert await reader.status(f"/jobs/{both.id}?{query}") == 403
    assert await reader.status(world.house.links.job(both.id)) == 200


async def test_a_link_to_one_job_opens_that_job_alone(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    await world.push("two")
    await world.settle()
    first, second = await world.jobs()
    link = urlsplit(world.house.links.job(first.id))
    page = await reader.read(link.geturl())
    ours = [one for one in map(unescape, re.findall(r'(?:href|data-events)="(/[^"]*)"', page)) if "/static/" not in one]
    assert {urlsplit(one).path for one in ours} == {f"/jobs/{first.id}/events", f"/jobs/{first.id}/log"}
    assert {await reader.status(one) for one in ours if one.split("?")[0].endswith("log")} == {200}
    token = urlsplit(ours[0]).query
    for path in (f"/repos/{REPO}/overview", f"/repos/{REPO}", f"/jobs/{second.id}", f"/jobs/{second.id}/log"):
        assert await reader.status(f"{path}?{link.query}") == 403
        assert await reader.status(f"{path}?{token}") == 403


async def test_a_keys_reader_goes_from_a_job_to_its_repository_with_the_key(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    _, key = await world.store.keys.create("tests", utc_now())
    page = await reader.read(f"/jobs/{job.id}", **{"X-API-Key": key})
    assert f"/repos/{REPO}/overview" in await linked(reader, page, "/repos")
    page = await reader.read(f"/repos/{REPO}/overview", **{"X-API-Key": key})
    assert set(await linked(reader, page, "/jobs")) == {f"/jobs/{job.id}"}


async def test_answers_about_locks_and_lines_lead_to_it(world: World, reader: Reader) -> None:
    pull = await world.open_pull("two")
    for command in ("/locks", "/queue", "/status", "/help"):
        await world.say(pull.number, command)
        (link,) = re.findall(r"\((\S+/overview\S+)\)", world.answers(pull.number)[-1].body)
        assert "Nothing is locked." in await reader.read(link) or "Nothing has been asked" in await reader.read(link)


async def test_a_renamed_repository_has_one_page_and_its_old_name_leads_there(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    (before,) = await world.jobs()
    old = world.house.links.overview(REPO, environment="production")
    await world.github.rename_repo(REPO, "backend")
    await world.push("two")
    await world.settle()
    new = world.house.links.overview("acme/backend")
    assert [row[1] for row in await reader.rows("ended", old)] == [row[1] for row in await reader.rows("ended", new)]
    assert len(await reader.rows("ended", new)) == 2
    assert "acme/backend: what runs" in await reader.read(old)
    onward = await linked(reader, await reader.read(old), "/jobs")
    assert {await reader.status(one) for one in onward} == {200}
    assert f"/jobs/{before.id}" in {urlsplit(one).path for one in onward}
    assert await reader.status(f"/repos/acme/other/overview?{urlsplit(old).query}") == 403


async def test_its_new_name_is_known_as_soon_as_github_tells_it(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    old, new = world.house.links.overview(REPO), world.house.links.overview("acme/backend")
    assert await reader.rows("ended", new) == []
    await world.github.rename_repo(REPO, "backend")
    await world.settle()
    for link in (old, new):
        page = await reader.read(link)
        assert "acme/backend: what runs" in page
        (onward,) = set(await linked(reader, page, "/jobs"))
        assert urlsplit(onward).path == f"/jobs/{job.id}"
        assert await reader.status(onward) == 200


async def test_a_key_of_the_old_name_is_not_told_the_new_one(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    await world.github.rename_repo(REPO, "backend")
    await world.push("two")
    await world.settle()
    _, key = await world.store.keys.create("tests", utc_now(), [REPO])
    assert "backend" not in await reader.read(f"/repos/{REPO}/overview", **{"X-API-Key": key})


async def test_a_key_of_the_new_name_opens_the_jobs_from_before(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    await world.github.rename_repo(REPO, "backend")
    await world.settle()
    _, key = await world.store.keys.create("tests", utc_now(), ["acme/backend"])
    _, other = await world.store.keys.create("tests", utc_now(), ["acme/other"])
    assert await reader.status(f"/jobs/{job.id}", **{"X-API-Key": key}) == 200
    assert await reader.status(f"/jobs/{job.id}", **{"X-API-Key": other}) == 404


async def test_the_case_of_a_name_does_not_matter(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    page = await reader.read(world.house.links.overview(REPO.upper()))
    assert f"{REPO}: what runs" in page
    assert await reader.rows("ended", world.house.links.overview(REPO.upper())) == await reader.rows("ended")


async def test_before_anything_was_asked_for_it_says_how_to_begin(world: World, reader: Reader) -> None:
    assert "Say /deploy on a pull request." in await reader.read(world.house.links.overview(REPO))
    pull = await world.open_pull("two")
    await world.say(pull.number, "/lock staging")
    assert [row[0] for row in await reader.rows("locks")] == ["staging"]


async def test_it_is_in_the_servers_language() -> None:
    async with new_world(SHIPMATE_LOCALE="ko") as world, aiohttp.ClientSession() as session:
        await world.push("one")
        await world.settle()
        page = await Reader(world, session).read(world.house.links.overview(REPO))
    assert '<html lang="ko">' in page
    assert "잠긴 환경이 없습니다." in page
