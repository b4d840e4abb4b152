"""The page of a job in a real browser: history first, then live, search, and who may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port
from aiohttp.web import Application
from playwright.async_api import Page, expect

from bot.clock import utc_now
from bot.errors import Transient
from bot.links import Links
from bot.model import Event, EventType, Job, JobKind, JobRequest, JobState, NewEvent, Origin, Repository, Stage
from handlers import jobs, pages, streaming
from storage.jobs.jobs import SqlJobs
from storage.opened import OpenStore, open_store


@dataclass
class Shown:
    """A server with one job in it, and what writes that job's events."""

    opened: OpenStore
    links: Links
    job: Job

    async def write(self, type_: EventType, message: str, stage: Stage | None = None, /, **details: Any) -> None:
        event = NewEvent(type_, message, stage, details)
        await self.opened.store.jobs.append(self.job.id, self.job.fence, [event], utc_now())

    async def log(self, *lines: str) -> None:
        await self.write(EventType.LOG_WRITTEN, "lines", Stage.BUILD, lines=list(lines))

    async def end(self, state: JobState, message: str) -> None:
        event = NewEvent(EventType.JOB_ENDED, message, None, {"state": state.value})
        await self.opened.store.jobs.finish(
            self.job.id, self.job.fence, state, [event], utc_now(), result={"url": "http://127.0.0.1:1/"}
        )

    @property
    def link(self) -> str:
        return self.links.job(self.job.id)


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    opened = await open_store(f"sqlite:///{tmp_path}/shipmate.db")
    request = JobRequest(
        JobKind.DEPLOY, "lane", Repository(7, "acme/api"), "a" * 40, "main", "production", Origin("push", "alice", 1)
    )
    made = await opened.store.jobs.create(request, utc_now())
    job = await opened.store.jobs.claim("here:1:1", utc_now(), 600)
    assert job is not None
    assert job.id == made.id
    await opened.store.jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [], utc_now())
    started = NewEvent(EventType.STAGE_STARTED, "[Stage 1] Build", Stage.BUILD)
    await opened.store.jobs.advance(job.id, job.fence, JobState.BUILDING, Stage.BUILD, [started], utc_now())
    app = Application()
    app.add_routes([*jobs.routes, *pages.routes])
    port = unused_port()
    links = Links(f"http://127.0.0.1:{port}", b"key")
    app[jobs.PAGES] = jobs.JobPages(opened.store.jobs, opened.store.keys, links, utc_now, opened.database.watch)
    server = TestServer(app, port=port)
    await server.start_server()
    yield Shown(opened, links, job)
    await server.close()
    await opened.close()


async def test_the_page_shows_what_happened_and_then_what_happens(shown: Shown, browser_page: Page) -> None:
    await shown.log("first line", "\u001b[32mgreen line\u001b[0m")
    await browser_page.goto(shown.link)
    await expect(browser_page.locator("#log")).to_contain_text("green line")
    await expect(browser_page.locator("#stage-1 .stage-state")).to_have_text("◐ running")
    await shown.log("a line while you watch")
    await expect(browser_page.locator("#log")).to_contain_text("a line while you watch")
    await shown.write(EventType.STAGE_FINISHED, "[Stage 1] Build", Stage.BUILD, stage=1, durationSeconds=1.5)
    await expect(browser_page.locator("#stage-1 .time")).to_have_text("1.5 s")
    await shown.end(JobState.FAILED, "It failed because of <b>this</b>.")
    await expect(browser_page.locator("#state")).to_have_text("Failed")
    await expect(browser_page.locator("#said")).to_have_text("It failed because of <b>this</b>.")
    assert await browser_page.locator("#log").inner_text() == "\n".join(
        ["[Stage 1] Build", "first line", "green line", "a line while you watch", "[Stage 1] Build"]
    )


async def test_a_line_of_the_log_is_text_and_never_markup(shown: Shown, browser_page: Page) -> None:
    alarms: list[str] = []
    browser_page.on("dialog", lambda dialog: alarms.append(dialog.message))
    browser_page.on("pageerror", lambda error: alarms.append(str(error)))
    await shown.log("<img src=x onerror=alert(1)>", "<script>alert(2)</script>")
    await browser_page.goto(shown.link)
    await expect(browser_page.locator("#log")).to_contain_text("<img src=x onerror=alert(1)>")
    assert alarms == []
    assert await browser_page.locator("#log img").count() == 0


async def test_the_log_can_be_searched_and_followed(shown: Shown, browser_page: Page) -> None:
    await shown.log(*[f"line number {number}" for number in range(400)])
    await browser_page.goto(shown.link)
    await expect(browser_page.locator("#log")).to_contain_text("line number 399")
    await browser_page.fill("#search", "number 117")
    await expect(browser_page.locator("#log .found")).to_have_count(1)
    await expect(browser_page.locator("#follow")).not_to_be_checked()
    await browser_page.click("#jump")
    await expect(browser_page.locator("#follow")).to_be_checked()


async def test_the_page_is_closed_without_a_link_or_a_key(shown: Shown) -> None:
    bare = shown.link.partition("?")[0]
    _, key = await shown.opened.store.keys.create("reader", utc_now())
    async with aiohttp.ClientSession() as http:

        async def status(url: str, **headers: str) -> int:
            async with http.get(url, headers=headers) as reply:
                return reply.status

        assert await status(shown.link) == 200
        assert await status(bare) == 403
        assert await status(shown.link[:-1] + ("0" if shown.link[-1] != "0" else "1")) == 403
        assert await status(Links(bare.partition("/jobs")[0], b"key", life_s=-200_000).job(shown.job.id)) == 403
        assert await status(bare, **{"X-API-Key": key}) == 200
        assert await status(bare, Authorization=f"Bearer {key}") == 200
        assert await status(bare, **{"X-API-Key": key[:-1]}) == 403
        assert await status(f"{bare}/log", **{"X-API-Key": key}) == 200
        assert await status(bare.replace(shown.job.id, "dep_aaaaaaaaaa"), **{"X-API-Key": key}) == 404


async def test_a_browser_without_a_link_is_told_so_on_a_page(shown: Shown, browser_page: Page) -> None:
    await browser_page.goto(shown.link.partition("?")[0])
    await expect(browser_page.locator("main")).to_contain_text("This page needs a link that has not expired")


async def test_on_a_phone_what_each_stage_did_is_seen_without_scrolling_sideways(
    shown: Shown, browser_page: Page
) -> None:
    await browser_page.set_viewport_size({"width": 390, "height": 844})
    await browser_page.goto(shown.link)
    fits = "[...document.querySelectorAll('.table')].every((box) => box.scrollWidth <= box.clientWidth)"
    assert await browser_page.evaluate(fits)


async def test_a_listener_gets_the_history_once_and_then_only_what_it_missed(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "CLOSE_AFTER_S", 0.01)
    await shown.log("one")
    await shown.end(JobState.COMPLETED, "done")
    query = shown.link.partition("?")[2]
    address = f"{shown.link.partition('?')[0]}/events?{query}"
    async with aiohttp.ClientSession() as http:
        whole = await (await http.get(address)).text()
        ids = [int(line.removeprefix("id: ")) for line in whole.splitlines() if line.startswith("id: ")]
        rest = await (await http.get(address, headers={"Last-Event-ID": str(ids[-2])})).text()
    assert whole.startswith("retry: 5000\n\n")
    assert ids == list(range(1, ids[-1] + 1))
    assert [line for line in rest.splitlines() if line.startswith("id: ")] == [f"id: {ids[-1]}"]


async def test_the_raw_log_is_every_line_as_text(shown: Shown) -> None:
    await shown.log("one", "two")
    await shown.log("three")
    bare, _, query = shown.link.partition("?")
    async with aiohttp.ClientSession() as http, http.get(f"{bare}/log?{query}") as reply:
        assert reply.content_type == "text/plain"
        assert await reply.text() == "one\ntwo\nthree\n"


async def test_a_log_that_could_not_be_read_to_its_end_does_not_look_whole(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown.log(*[f"line {number}" for number in range(3)])
    read, reads = SqlJobs.events, iter((True, False))

    async def failing(self: SqlJobs, job_id: str, after: int = 0, limit: int = 1000) -> list[Event]:
        if not next(reads):
            raise Transient("store_io")
        return await read(self, job_id, after, limit)

    monkeypatch.setattr(SqlJobs, "events", failing)
    async with aiohttp.ClientSession() as http, http.get(shown.link.replace("?", "/log?")) as reply:
        assert reply.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.text()
