"""Programs ask who wrote what over HTTP: at once they have an id, later the report, as JSON, CSV or a page."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.errors import Refused
from bot.jobs.analysis.plan import TOKENS
from bot.jobs.analysis.submit import JobQueue
from bot.shown.analysis import not_analysed
from tests.scenarios.test_analysis_jobs import PYTHON, Gate
from tests.world import REPO, World, new_world


class Program:
    """Speaks to the world's server under a key."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._session = session

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """Status and body: JSON where it is JSON, else text."""
        async with self._session.request(method, self._world.address + path, **how) as reply:
            is_json = reply.content_type == "application/json"
            return reply.status, await (reply.json() if is_json else reply.text())

    async def data(self, method: str, path: str, **how: Any) -> Any:
        """The data of a success."""
        status, body = await self.ask(method, path, **how)
        assert status < 300, body
        return body["data"]

    async def analysed(self, **body: Any) -> Any:
        """An analysis that was asked for and has ended."""
        taken = await self.data("POST", "/api/v1/analyses", json=body)
        await self._world.settle()
        return await self.data("GET", f"/api/v1/analyses/{taken['analysisId']}")


@pytest.fixture
async def program(world: World) -> AsyncIterator[Program]:
    _, key = await world.store.keys.create("tests", utc_now())
    async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session:
        yield Program(world, session)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.mark.parametrize("address", ["http://[", "https://[::1/acme/api"])
async def test_what_is_no_address_is_refused_as_one_that_is_not_allowed(program: Program, address: str) -> None:
    status, body = await program.ask("POST", "/api/v1/analyses", json={"repo": address})
    assert (status, body["errorCode"]) == (422, "ADDRESS_NOT_ALLOWED")


async def test_an_analysis_is_taken_on_at_once_and_read_later(world: World, program: Program) -> None:
    status, body = await program.ask("POST", "/api/v1/analyses", json={"repo": REPO})
    assert (status, body["code"], body["data"]["status"]) == (201, 201, "PENDING")
    await world.settle()
    data = await program.data("GET", body["data"]["links"]["self"])
    assert (data["status"], data["repo"], data["ref"]) == ("COMPLETED", REPO, "main")
    assert data["sha"] == await world.github.head(REPO)
    report = data["report"]
    assert report["exact"] is True
    assert sum(author["lines"] for author in report["authors"]) == report["lines"] > 0
    assert report["authors"][0]["login"]


async def test_the_same_question_asked_twice_has_one_answer(world: World, program: Program, gate: Gate) -> None:
    first = await program.ask("POST", "/api/v1/analyses", json={"repo": REPO})
    await world.until(gate.reached.is_set)
    again = await program.ask(
        "POST", "/analyze", json={"repo": f"https://github.com/{REPO}".replace("https://github.com", world.github.url)}
    )
    gate.opened.set()
    assert (first[0], again[0]) == (201, 200)
    assert first[1]["data"]["analysisId"] == again[1]["data"]["analysisId"]


async def test_progress_is_seen_while_it_runs_and_no_report_yet(world: World, program: Program, gate: Gate) -> None:
    taken = await program.data("POST", "/api/v1/analyses", json={"repo": REPO})
    await world.until(gate.reached.is_set)
    here = f"/api/v1/analyses/{taken['analysisId']}"
    assert (await program.ask("GET", f"{here}/json"))[0] == 409
    data = await program.data("GET", here)
    while data["progress"] is None:
        await asyncio.sleep(0.05)  # who asks without a pause is asked to wait
        data = await program.data("GET", here)
    assert "report" not in data
    assert data["progress"]["pairs"] >= data["progress"]["pairsDone"]
    assert (await program.ask("POST", f"{here}/cancel"))[0] == 200
    await world.settle()
    assert (await program.data("GET", here))["status"] == "CANCELLED"
    assert (await program.ask("POST", f"{here}/cancel"))[0] == 409


async def test_contributions_are_read_by_ref_dates_and_author(world: World, program: Program) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    await program.analysed(repo=REPO)
    await program.analysed(repo=REPO, ref="topic")
    here = f"/api/v1/repos/{REPO}/contributions"
    whole = await program.data("GET", here)
    topic = await program.data("GET", f"{here}?ref=topic")
    assert (whole["ref"], topic["ref"]) == ("main", "topic")
    assert topic["report"]["lines"] == whole["report"]["lines"] + 30
    bobs = (await program.data("GET", f"{here}?ref=topic&author=bob"))["report"]
    assert [(author["login"], author["lines"]) for author in bobs["authors"]] == [("bob", 30)]
    long_ago = (await program.data("GET", f"{here}?ref=topic&until=2001-01-01"))["report"]
    assert long_ago["timeline"] == {"week": [], "month": []}
    assert long_ago["lines"] == topic["report"]["lines"]
    assert (await program.data("GET", f"/results?repo={REPO}"))["analysisId"] == whole["analysisId"]
    assert (await program.data("GET", f"/results?id={topic['analysisId']}"))["ref"] == "topic"


async def test_a_report_is_downloaded_as_json_csv_and_a_page(world: World, program: Program) -> None:
    data = await program.analysed(repo=REPO)
    here = f"/api/v1/analyses/{data['analysisId']}"
    _, published = await program.ask("GET", f"{here}/json")
    assert published == data["report"]
    _, sheet = await program.ask("GET", f"{here}/csv")
    rows = list(csv.DictReader(io.StringIO(sheet)))
    for column in ("lines", "login"):
        assert [row[column] for row in rows] == [str(author[column]) for author in published["authors"]]
    _, page = await program.ask("GET", f"{here}/html")
    assert page.startswith("<!doctype html>")
    assert (await program.ask("GET", f"/api/v1/repos/{REPO}/contributions?format=csv"))[1] == sheet


async def test_all_of_an_owners_repositories_are_added_up(world: World, program: Program) -> None:
    await world.github.create_repo("acme/web", files={"index.html": "<p>\nhello\n</p>\n"}, private=True)
    data = await program.analysed(owner="acme")
    assert set(data["repos"]) == {REPO, "acme/web"}
    assert set(data["portfolio"]["repositories"]) == {REPO, "acme/web"}
    assert data["portfolio"]["lines"] == sum(report["lines"] for report in data["reports"])
    _, summary = await program.ask("GET", f"/api/v1/analyses/{data['analysisId']}/json")
    assert summary == data["portfolio"]
    _, sheet = await program.ask("GET", f"/api/v1/analyses/{data['analysisId']}/csv")
    assert {row["repository"] for row in csv.DictReader(io.StringIO(sheet))} == {REPO, "acme/web"}
    _, page = await program.ask("GET", f"/api/v1/analyses/{data['analysisId']}/html", headers={"Accept-Language": "ko"})
    assert "저장소 2개" in page


async def test_all_private_repositories_of_a_person_are_added_up_with_their_own_token(
    world: World, program: Program
) -> None:
    for name, lines in (("zoe/one", 1), ("zoe/two", 2)):
        await world.github.create_repo(name, files={"a.py": "a = 1\n" * lines}, private=True, organization=False)
        world.github.set_permission(name, "zoe", "admin")
    await world.github.uninstall("zoe", by="zoe")
    assert (await program.ask("POST", "/api/v1/analyses", json={"owner": "zoe"}))[0] == 404
    token = world.github.user_token("zoe")
    data = await program.analysed(owner="zoe", token=token)
    assert (set(data["repos"]), data["portfolio"]["lines"]) == ({"zoe/one", "zoe/two"}, 3)
    assert data["portfolio"]["skipped"] == []
    assert token not in world.everything_written()


async def test_a_token_is_taken_only_where_it_can_be_sealed() -> None:
    async with new_world(SHIPMATE_SECRET_KEY="") as world, aiohttp.ClientSession() as session:
        _, key = await world.store.keys.create("tests", utc_now())
        session.headers["X-API-Key"] = key
        body = {"repo": REPO, "token": world.github.user_token("alice")}
        status, answer = await Program(world, session).ask("POST", "/api/v1/analyses", json=body)
        assert (status, answer["errorCode"]) == (400, "SECRET_KEY_MISSING")
        assert await world.jobs() == []


async def test_one_that_cannot_be_analysed_costs_an_owners_others_nothing(world: World, program: Program) -> None:
    data = await program.analysed(repos=[REPO, "zoe/gone"])
    assert (data["status"], data["portfolio"]["repositories"]) == ("COMPLETED", [REPO])
    (skipped,) = data["portfolio"]["skipped"]
    assert (skipped["repository"], skipped["errorCode"]) == ("zoe/gone", "credentials_needed")
    assert "does not exist or needs a password" in skipped["why"]
    assert [report["repository"] for report in data["reports"]] == [REPO]
    here = f"/api/v1/analyses/{data['analysisId']}"
    assert (await program.ask("GET", f"{here}/json"))[1] == data["portfolio"]
    _, page = await program.ask("GET", f"{here}/html", headers={"Accept-Language": "ko"})
    assert "분석하지 못한 저장소" in page
    assert "암호가 필요합니다" in page
    job = await world.store.jobs.get(data["analysisId"])
    assert job is not None
    (line,) = not_analysed(job.result["portfolio"], "en")
    assert line.replace("\u200b", "").startswith("Not analysed: zoe/gone – ")


async def test_a_token_lent_to_an_analysis_that_is_not_taken_on_is_not_kept(
    world: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Refused("queue_full", limit=0)

    monkeypatch.setattr(JobQueue, "submit", full)
    token = world.github.user_token("zoe")
    status, body = await program.ask("POST", "/api/v1/analyses", json={"repo": REPO, "token": token})
    assert (status, body["errorCode"]) == (400, "QUEUE_FULL")
    assert await world.store.secrets.names(TOKENS) == []


async def test_several_private_repositories_are_read_with_their_owners_token(world: World, program: Program) -> None:
    await world.github.create_repo("zoe/one", files={"a.py": "a = 1\n"}, private=True)
    await world.github.create_repo("zoe/two", files={"b.py": "b = 2\n"}, private=True)
    world.github.set_permission("zoe/one", "zoe", "admin")
    world.github.set_permission("zoe/two", "zoe", "admin")
    await world.github.uninstall("zoe")
    refused = await program.analysed(repos=["zoe/one", "zoe/two"])
    assert (refused["status"], refused["errorCode"]) == ("FAILED", "credentials_needed")
    token = world.github.user_token("zoe")
    data = await program.analysed(repos=["zoe/one", "zoe/two"], token=token)
    assert data["portfolio"]["lines"] == 2
    assert token not in world.everything_written()
    assert await world.store.secrets.names(TOKENS) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "repo"),
        ({"repo": REPO, "owner": "acme"}, "repo"),
        ({"repo": ""}, "repo"),
        ({"repo": 5}, "repo"),
        ({"repos": []}, "repos"),
        ({"repo": REPO, "ref": "--upload-pack=x"}, "ref"),
        ({"repo": REPO, "since": "yesterday"}, "since"),
        ({"repo": REPO, "until": "2026-06-31"}, "until"),
        ({"repo": REPO, "authors": "bob"}, "authors"),
        ({"repo": REPO, "token": ["x"]}, "token"),
        ({"repo": REPO, "color": "red"}, "color"),
        ({"owner": "not/an/owner"}, "owner"),
    ],
)
async def test_each_fault_of_a_body_is_told_by_its_field(program: Program, body: Any, field: str) -> None:
    status, answer = await program.ask("POST", "/api/v1/analyses", json=body)
    assert (status, answer["errorCode"]) == (422, "INVALID_BODY")
    assert field in {fault["field"] for fault in answer["fields"]}


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "/etc",
        "https://127.0.0.1/a/b",
        "http://localhost/a/b",
        "https://user:hunter22@example.org/a/b",
        "ssh://git@10.0.0.1/a",
        "ext::sh -c touch% /tmp/x",
        "--upload-pack=touch",
    ],
)
async def test_an_address_no_server_may_clone_is_refused_at_once(program: Program, address: str) -> None:
    status, answer = await program.ask("POST", "/api/v1/analyses", json={"repo": address})
    assert (status, answer["errorCode"]) == (422, "ADDRESS_NOT_ALLOWED")
    assert "hunter22" not in str(answer)


async def test_what_is_not_there_is_not_found(program: Program) -> None:
    for path in (
        "/api/v1/analyses/dep_aaaaaaaaaa",
        "/api/v1/analyses/x",
        f"/api/v1/repos/{REPO}/contributions",
        "/results?repo=no/such",
        "/results?id=dep_bbbbbbbbbb",
    ):
        assert (await program.ask("GET", path))[0] == 404
    assert (await program.ask("POST", "/api/v1/analyses", json={"repo": REPO, "ref": "gone"}))[0] == 404
    assert (await program.ask("POST", "/api/v1/analyses", json={"owner": "nobody"}))[0] == 404


@pytest.mark.parametrize("query", ["since=soon", "until=2026-02-30", "format=exe", "nonsense=1"])
async def test_a_question_that_makes_no_sense_is_refused(program: Program, query: str) -> None:
    status, answer = await program.ask("GET", f"/api/v1/repos/{REPO}/contributions?{query}")
    assert (status, answer["errorCode"]) == (422, "INVALID_QUERY")


async def test_nobody_without_a_key_learns_anything(world: World) -> None:
    async with aiohttp.ClientSession() as stranger:
        for method, path in (
            ("POST", "/api/v1/analyses"),
            ("POST", "/analyze"),
            ("GET", "/results"),
            ("GET", f"/api/v1/repos/{REPO}/contributions"),
        ):
            async with stranger.request(method, world.address + path, json={"repo": REPO}) as reply:
                assert reply.status == 401
    assert await world.jobs() == []


async def test_analyses_are_listed_newest_first_page_by_page(world: World, program: Program) -> None:
    made = [(await program.analysed(repo=REPO, authors=[name]))["analysisId"] for name in ("a", "b", "c")]
    first = await program.data("GET", f"/api/v1/analyses?repo={REPO}&limit=2")
    rest = await program.data("GET", f"/api/v1/analyses?limit=2&before={first['next']}")
    listed = [entry["analysisId"] for entry in first["analyses"] + rest["analyses"]]
    assert listed == made[::-1]
    assert rest["next"] is None
