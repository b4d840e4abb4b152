"""The page of a repository opens to its link or a key, shows what was chosen, and runs nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.clock import utc_now
from tests.scenarios.analysing import analysed, target
from tests.scenarios.test_analysis_jobs import PYTHON
from tests.world import REPO, World

HOSTILE = "<script>alert(1)</script>\"'"


class Reader:
    """A browser's eye on the world's server, without a key."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._session = session

    async def read(self, link: str, **headers: str) -> tuple[int, str, str]:
        """Status, text and content security policy."""
        parts = urlsplit(link)
        address = f"{self._world.address}{parts.path}?{parts.query}"
        async with self._session.get(address, headers=headers) as reply:
            policy = reply.headers.get("Content-Security-Policy", "")
            return reply.status, (await reply.read()).decode("latin-1"), policy


def pages_of(html: str) -> list[str]:
    """The addresses of other pages of ours that a page leads to; no files, and not the page's own choices."""
    addresses = [unescape(one) for one in re.findall(r'href="(/[^"]*)"', html)]
    page = re.compile(r"/(jobs/\w+(/report)?|repos/\w+/\w+(/overview)?)")
    return [
        one for one in addresses if page.fullmatch(urlsplit(one).path) and not re.search("format=|environment=", one)
    ]


@pytest.fixture
async def reader(world: World) -> AsyncIterator[Reader]:
    async with aiohttp.ClientSession() as session:
        yield Reader(world, session)


async def test_the_page_shows_pictures_with_their_numbers(world: World, reader: Reader) -> None:
    await analysed(world)
    status, page, policy = await reader.read(world.house.links.repository(REPO))
    assert status == 200
    for heading in ("Languages over time", "Who owns what", "Authors", "Languages"):
        assert heading in page
    assert page.count("<svg viewBox") >= 4
    assert page.count("<table>") >= 4
    assert "<script" not in page
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_without_a_link_or_a_key_the_page_stays_shut(world: World, reader: Reader) -> None:
    await analysed(world)
    link = world.house.links.repository(REPO)
    other = world.house.links.repository("acme/other").partition("?")[2]
    assert (await reader.read(f"/repos/{REPO}"))[0] == 403
    assert (await reader.read(f"/repos/{REPO}?{other}"))[0] == 403
    assert (await reader.read(link[:-1] + ("0" if link[-1] != "0" else "1")))[0] == 403
    assert (await reader.read(world.house.links.repository(REPO, now_s=0.0)))[0] == 403
    _, key = await world.store.keys.create("tests", utc_now())
    assert (await reader.read(f"/repos/{REPO}", **{"X-API-Key": key}))[0] == 200


async def test_a_repository_nobody_analysed_says_so(world: World, reader: Reader) -> None:
    status, text, _ = await reader.read(world.house.links.repository(REPO))
    assert status == 404
    assert "has not been analysed" in text
    assert "<form" in text
    _, text, _ = await reader.read(world.house.links.overview(REPO).replace("/overview", ""))
    assert [urlsplit(one).path for one in pages_of(text)] == [f"/repos/{REPO}/overview"]


async def test_dates_and_an_author_are_chosen(world: World, reader: Reader) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    await analysed(world, await target(world, "topic"))
    link = world.house.links.repository(REPO, ref="topic")
    _, whole, _ = await reader.read(link)
    _, bobs, _ = await reader.read(f"{link}&author=bob")
    assert '<td class="number">30</td>' in bobs
    assert whole.count("<tr>") > bobs.count("<tr>")
    assert 'value="bob"' in bobs
    _, before, _ = await reader.read(f"{link}&until=2001-01-01")
    assert "Languages over time" in whole
    assert "Languages over time" not in before
    _, nobody, _ = await reader.read(f"{link}&author=nobody")
    assert "Nobody there is called that" in nobody
    status, wrong, _ = await reader.read(f"{link}&since=2026-13-01")
    assert (status, 'value="2026-13-01"' in wrong) == (422, True)
    status, sheet, _ = await reader.read(f"{link}&format=csv")
    assert (status, sheet.partition(",")[0]) == (200, "name")


async def test_names_and_choices_are_only_text_on_the_page(world: World, reader: Reader) -> None:
    await world.push_files({f"{HOSTILE}.py": PYTHON, f"{HOSTILE}/a.py": PYTHON})
    await world.settle()
    await analysed(world)
    _, page, _ = await reader.read(world.house.links.repository(REPO, author='"><script>x'))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_the_picture_of_an_analysis_opens_to_the_jobs_link(world: World, reader: Reader) -> None:
    job = await analysed(world)
    for form, begin in (("svg", "<svg"), ("png", "\x89PNG")):
        status, body, policy = await reader.read(world.house.links.picture(job.id, form))
        assert status == 200
        assert body.startswith(begin)
        assert policy.startswith("default-src 'none'")
        assert (await reader.read(f"/jobs/{job.id}/picture.{form}"))[0] == 403
    assert (await reader.read(world.house.links.picture("dep_aaaaaaaaaa", "svg")))[0] == 404


async def test_a_link_to_an_analysis_opens_its_report_and_nothing_around_it(world: World, reader: Reader) -> None:
    first, _ = await analysed(world), await world.push_files({"app.py": PYTHON}, by="bob")
    await analysed(world)
    _, page, _ = await reader.read(world.house.links.job(first.id))
    (report,) = pages_of(page)
    assert urlsplit(report).path == f"/jobs/{first.id}/report"
    status, text, _ = await reader.read(report)
    assert (status, "Languages over time" in text, "bob" in text) == (200, True, False)
    (back,) = pages_of(text)
    assert urlsplit(back).path == f"/jobs/{first.id}"
    assert (await reader.read(back))[0] == 200
    query = urlsplit(report).query
    for path in (f"/repos/{REPO}", f"/repos/{REPO}/overview"):
        assert (await reader.read(f"{path}?{query}"))[0] == 403
    assert (await reader.read(f"{report}&format=csv"))[0] == 200
    assert (await reader.read(f"{report}&since=2026-13-01"))[0] == 422
    assert (await reader.read(f"/jobs/{first.id}/report"))[0] == 403


async def test_a_link_to_who_wrote_what_opens_that_page_alone(world: World, reader: Reader) -> None:
    job = await analysed(world)
    link = world.house.links.repository(REPO)
    _, page, _ = await reader.read(link)
    assert pages_of(page) == []
    query = urlsplit(link).query
    for path in (f"/repos/{REPO}/overview", f"/jobs/{job.id}", f"/jobs/{job.id}/report"):
        assert (await reader.read(f"{path}?{query}"))[0] == 403


async def test_who_sees_all_of_a_repository_goes_from_page_to_page_and_back(world: World, reader: Reader) -> None:
    job = await analysed(world)
    seen, ahead = set[str](), [urlsplit(world.house.links.overview(REPO)).path]
    query = urlsplit(world.house.links.overview(REPO)).query
    while ahead:
        path = ahead.pop()
        status, page, _ = await reader.read(f"{path}?{query}")
        assert status == 200
        seen.add(path)
        onward = pages_of(page)
        assert {urlsplit(one).query for one in onward} == {query}
        assert f"/repos/{REPO}/overview" in {urlsplit(one).path for one in onward} | {path}
        ahead += {urlsplit(one).path for one in onward} - seen - set(ahead)
    assert seen == {f"/repos/{REPO}/overview", f"/repos/{REPO}", f"/jobs/{job.id}", f"/jobs/{job.id}/report"}


async def test_after_a_rename_the_old_names_page_leads_to_the_new_ones(world: World, reader: Reader) -> None:
    job = await analysed(world)
    old = world.house.links.repository(REPO)
    await world.github.rename_repo(REPO, "backend")
    await world.push("two")
    await world.settle()
    status, page, _ = await reader.read(old)
    assert (status, f"{job.sha[:7]}" in page, 'action="/repos/acme/backend"' in page) == (200, True, True)
    assert (await reader.read(world.house.links.repository("acme/backend")))[0] == 200
    query = urlsplit(old).query
    assert (await reader.read(f"/repos/acme/backend/overview?{query}"))[0] == 403


async def test_the_page_says_what_each_release_shipped(world: World, reader: Reader) -> None:
    await world.push("one")
    await world.settle()
    await world.push_files({"app.py": PYTHON}, by="bob")
    await world.settle()
    job = await analysed(world)
    (kept,) = await world.store.analyses.of_job(job.id)
    (shipped,) = kept.body["releases"]
    assert (shipped["environment"], shipped["version"]) == ("production", 2)
    assert [author["commits"] for author in shipped["authors"]] == [1]
    assert {"name": "Python", "added": 30, "deleted": 0} in shipped["languages"]
    _, page, _ = await reader.read(world.house.links.repository(REPO))
    assert "production v2" in page
