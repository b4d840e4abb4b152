"""Deployments asked for over the API: the same job, rules and faces, its walk, its events and its result."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.errors import Refused
from handlers import streaming
from storage.jobs import rows as jobrows
from tests.world import REPO, SETTINGS, World

ASKED = {"userId": "alice", "repo": REPO, "branch": "main"}


@dataclass
class Program:
    """A program with a key."""

    world: World
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.world.address + path, **how) as reply:
            return reply.status, await reply.json()

    async def deploy(self, **changed: Any) -> tuple[int, Any]:
        return await self.ask("POST", "/deployments", json={**ASKED, **changed})

    async def events(self, job_id: str, **headers: str) -> list[tuple[str, str, dict[str, Any]]]:
        """All (id, event, data) until the stream closes."""
        path = f"{self.world.address}/api/v1/deploy/{job_id}/events"
        async with self.session.get(path, headers=headers) as reply:
            assert reply.headers["Content-Type"] == "text/event-stream"
            text = (await reply.read()).decode()
        assert text.startswith("retry: 5000\n\n")
        frames = [dict(line.split(": ", 1) for line in one.splitlines()) for one in text.split("\n\n") if "id: " in one]
        return [(one["id"], one["event"], json.loads(one["data"])) for one in frames]


@pytest.fixture
async def program(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Program]:
    monkeypatch.setattr(streaming, "CLOSE_AFTER_S", 0.01)
    _, key = await world.store.keys.create("tests", utc_now())
    async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session:
        yield Program(world, session)


async def test_no_secret_of_what_a_program_asks_is_kept_in_the_trail(world: World, program: Program) -> None:
    token = "ghp_" + "a1B2" * 9
    await world.push("one", branch=token)
    await program.deploy(branch=token)
    await program.deploy(branch=f"{token}-gone")
    kept = await world.store.audit.newest(REPO, None, 10)
    assert {record.entry.outcome for record in kept} >= {"acted", "refused"}
    assert token not in str([(record.entry.raw, record.entry.rules) for record in kept])


async def test_the_answer_is_a_pending_deployment_that_then_walks_to_its_end(world: World, program: Program) -> None:
    await world.push("one", branch="feature")
    status, body = await program.deploy(branch="feature")
    assert (status, body["code"], body["data"]["status"]) == (201, 201, "PENDING")
    assert body["data"]["deploymentId"].startswith("dep_")
    assert [step["status"] for step in body["data"]["steps"]] == ["PENDING"]
    await world.settle()
    _, shown = await program.ask("GET", f"/api/v1/deployments/{body['data']['deploymentId']}")
    walked = [step["status"] for step in shown["data"]["steps"]]
    assert walked == ["PENDING", "PROCESSING", "BUILDING", "PUSHING", "DEPLOYING", "VERIFYING", "COMPLETED"]
    times = [step["at"] for step in shown["data"]["steps"]]
    assert times == sorted(times)
    assert await world.serves() == "one"


async def test_it_is_told_on_the_commit_as_any_other(world: World, program: Program) -> None:
    sha = await world.push("one", branch="feature")
    await program.deploy(branch="feature")
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.told("production") == ["success"]
    (job,) = await world.jobs()
    assert (job.origin.face, job.origin.actor, job.sha) == ("api", "alice", sha)


async def test_it_looks_at_the_repository_while_it_is_processing(world: World, program: Program) -> None:
    await world.push("one", "hang", branch="feature")
    _, body = await program.deploy(branch="feature")
    job = await world.until_state("BUILDING")
    story = await world.store.jobs.story(job.id)
    found = next(event for event in story if event.details.get("state") == "BUILDING")
    assert "Dockerfile" in found.message
    assert body["data"]["deploymentId"] == job.id
    await world.store.jobs.ask_cancel(job.id, "alice", utc_now())
    await world.settle()


async def test_a_branch_goes_to_its_own_environment(world: World, program: Program) -> None:
    await world.push_files({".shipmate.yml": SETTINGS}, branch="staging")
    await world.settle()
    _, body = await program.deploy(branch="staging")
    assert body["data"]["environment"] == "staging"
    _, body = await program.deploy(branch="staging", environment="production")
    assert body["data"]["environment"] == "production"
    await world.settle()


@pytest.mark.parametrize("named", ["acme", 0])
async def test_the_account_of_a_user_tells_whose_repository_is_meant(
    world: World, program: Program, named: str | int
) -> None:
    world.github.set_permission(REPO, "acme", "admin")
    user = named or world.github.hub.world.accounts["acme"].id
    status, body = await program.deploy(userId=user, repo="api" if named else REPO)
    assert (status, body["data"]["owner"], body["data"]["repo"]) == (201, "acme", "api")
    await world.settle()


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"userId": "bob"}, 403, "PERMISSION_NEEDED"),
        ({"userId": "nobody-at-all"}, 403, "PERMISSION_NEEDED"),
        ({"userId": "nobody-at-all", "repo": "api"}, 404, "USER_UNKNOWN"),
        ({"userId": 999999}, 404, "USER_UNKNOWN"),
        ({"repo": "acme/nothing"}, 404, "REPOSITORY_NOT_INSTALLED"),
        ({"branch": "nowhere"}, 404, "REF_NOT_FOUND"),
        ({"environment": "mars"}, 400, "UNKNOWN_ENVIRONMENT"),
    ],
)
async def test_what_may_not_be_is_refused_and_nothing_begins(
    world: World, program: Program, changed: dict[str, Any], status: int, code: str
) -> None:
    answered, body = await program.deploy(**changed)
    assert (answered, body["errorCode"]) == (status, code)
    assert await world.jobs() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**ASKED, "userId": None},
        {**ASKED, "userId": "../../etc"},
        {**ASKED, "repo": "a/b/c"},
        {**ASKED, "repo": ".."},
        {**ASKED, "branch": "--upload-pack=x"},
        {**ASKED, "branch": "a" * 300},
        {**ASKED, "token": "hunter2"},
        [],
        "x",
    ],
)
async def test_a_body_that_makes_no_sense_is_told_field_by_field(world: World, program: Program, body: Any) -> None:
    status, answer = await program.ask("POST", "/api/v1/deployments", json=body)
    assert (status, answer["errorCode"]) == (422, "INVALID_BODY")
    assert answer["fields"]
    assert "hunter2" not in json.dumps(answer)
    assert await world.jobs() == []


async def test_without_a_key_nothing_is_taken_on(world: World, program: Program) -> None:
    for path in ("/deployments", "/api/v1/deployments"):
        async with aiohttp.ClientSession() as stranger, stranger.post(world.address + path, json=ASKED) as reply:
            assert reply.status == 401
    assert await world.jobs() == []


async def test_a_full_queue_is_told_as_such(world: World, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Refused("queue_full", limit=0)

    monkeypatch.setattr(jobrows, "_require_room", full)
    status, body = await program.deploy()
    assert (status, body["message"]) == (400, "Deployment queue is full")


async def test_the_list_has_the_newest_first_a_page_at_a_time(world: World, program: Program) -> None:
    for number in range(3):
        await world.push(f"v{number}")
        await world.settle()
    _, first = await program.ask("GET", "/api/v1/deployments?limit=2")
    _, second = await program.ask("GET", f"/api/v1/deployments?limit=2&before={first['data']['next']}")
    shown = [one["sha"] for one in first["data"]["deployments"] + second["data"]["deployments"]]
    assert shown == [job.sha for job in reversed(await world.jobs())]
    assert (len(first["data"]["deployments"]), second["data"]["next"]) == (2, None)
    status, body = await program.ask("GET", "/api/v1/deployments?limit=no&x=1")
    assert (status, {fault["field"] for fault in body["fields"]}) == (422, {"limit", "x"})


async def test_the_events_tell_the_whole_history_then_close(world: World, program: Program) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    told = await program.events(job.id)
    numbers = [int(number) for number, _, _ in told]
    assert numbers == sorted(set(numbers))
    assert {name for _, name, _ in told} == {"stage", "done"}
    assert [data["details"]["stage"] for _, name, data in told if name == "stage"] == sorted(
        data["details"]["stage"] for _, name, data in told if name == "stage"
    )
    assert all(data["message"].startswith(f"[Stage {data['details']['stage']}]") for _, n, data in told if n == "stage")
    assert all(data["type"] == name for _, name, data in told)
    end = told[-1][2]["details"]
    assert end["totalDuration"] > 0
    assert end["greenServiceUrl"] == world.url()
    assert "blueServiceUrl" in end


async def test_the_stages_give_the_details_clients_read(world: World, program: Program) -> None:
    await world.push("zero")
    await world.settle()
    await world.push("one")
    await world.settle()
    told = await program.events((await world.jobs())[-1].id)
    known: dict[int, set[str]] = {}
    for _, name, data in told:
        if name == "stage":
            known.setdefault(data["details"]["stage"], set()).update(data["details"])
    assert {"path", "imageName"} <= known[1]
    assert {"repository", "uri"} <= known[2]
    assert {"image", "serviceName", "clusterName"} <= known[3]
    assert {"url", "hook"} <= known[4]
    assert {"url", "check", "passedChecks", "from", "to", "activeService"} <= known[5]
    assert {"finalService", "blueUrl", "greenUrl"} <= known[6]


async def test_a_reader_that_comes_again_gets_what_it_missed_and_nothing_twice(world: World, program: Program) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    told = await program.events(job.id)
    again = await program.events(job.id, **{"Last-Event-ID": told[3][0]})
    assert again == told[4:]
    path = f"{world.address}/api/v1/deploy/{job.id}/events"
    async with program.session.get(path, headers={"Last-Event-ID": told[-1][0]}) as reply:
        assert reply.status == 204


async def test_a_reader_that_comes_early_sees_the_rest_live(world: World, program: Program) -> None:
    await world.push("one", "wait")
    job = await world.until_state("BUILDING")
    reading = asyncio.create_task(program.events(job.id))
    world.engine.go_on.set()
    told = await reading
    assert told[-1][1] == "done"
    assert len({number for number, _, _ in told}) == len(told)


async def test_a_failure_is_told_with_its_stage_and_reason(world: World, program: Program) -> None:
    await world.push("one", "fail")
    await world.settle()
    (job,) = await world.jobs()
    _, name, data = (await program.events(job.id))[-1]
    assert (name, data["type"], data["details"]["failedStage"]) == ("error", "error", 1)
    assert "could not be built" in data["details"]["reason"]
    _, body = await program.ask("GET", f"/api/v1/deploy/{job.id}/result")
    assert (body["data"]["status"], body["data"]["errorCode"]) == ("FAILED", "DOCKER_BUILD_FAILED")
    assert "could not be built" in body["data"]["errorMessage"]


@pytest.mark.parametrize(
    ("command", "code"),
    [("CMD sick", "HEALTH_CHECK_FAILED"), ("CMD exit 3", "HEALTH_CHECK_FAILED")],
)
async def test_a_version_that_is_not_well_has_the_published_code(
    world: World, program: Program, command: str, code: str
) -> None:
    settings = SETTINGS.replace("health_timeout: 5", "health_timeout: 1")
    await world.push_files({"Dockerfile": f"FROM scratch\n{command}\n", ".shipmate.yml": settings})
    await world.settle()
    (job,) = await world.jobs()
    _, body = await program.ask("GET", f"/api/v1/deploy/{job.id}/result")
    assert body["data"]["errorCode"] == code


async def test_a_result_has_every_key_and_invents_nothing(world: World, program: Program) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    _, body = await program.ask("GET", f"/api/v1/deploy/{job.id}/result")
    data = body["data"]
    assert {"deploymentId", "owner", "repo", "branch", "startedAt", "completedAt", "durationSeconds"} <= set(data)
    assert (data["status"], data["finalService"]) == ("COMPLETED", "green")
    assert (data["blueUrl"], data["blueLatencyMs"]) == (None, None)
    assert data["greenUrl"] == world.url()
    assert set(data["metrics"]) == {"gitCloneDuration", "dockerBuildDuration", "ecrPushDuration", "deploymentDuration"}
    assert data["eventCount"] == await world.store.jobs.last_seq(job.id)
    assert data["errorCode"] is None


async def test_an_id_nobody_knows(world: World, program: Program) -> None:
    status, body = await program.ask("GET", "/api/v1/deploy/dep_zzzzzzzzzz/result")
    assert (status, body["message"]) == (400, "Deployment result not found: dep_zzzzzzzzzz")
    for path in ("deployments/dep_zzzzzzzzzz", "deploy/dep_zzzzzzzzzz/events"):
        status, body = await program.ask("GET", f"/api/v1/{path}")
        assert (status, body["errorCode"]) == (404, "DEPLOYMENT_NOT_FOUND")


async def test_a_signed_link_opens_the_events_to_a_browser(world: World, program: Program) -> None:
    await world.push("one")
    await world.settle()
    (job,) = await world.jobs()
    query = world.house.links.job(job.id).partition("?")[2]
    path = f"{world.address}/api/v1/deploy/{job.id}/events"
    async with aiohttp.ClientSession() as browser:
        async with browser.get(f"{path}?{query}") as reply:
            assert reply.status == 200
        async with browser.get(path) as reply:
            assert reply.status == 401


async def test_the_same_job_can_be_cancelled_from_a_comment(world: World, program: Program) -> None:
    await world.push("one", "hang", branch="feature")
    await program.deploy(branch="feature")
    job = await world.until_state("BUILDING")
    number = await world.github.open_issue(REPO, "Stop")
    await world.say(number, f"/cancel {job.id}")
    assert await world.states() == ["CANCELLED"]
