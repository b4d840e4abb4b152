"""`POST /api/v1/deploy`: a program deploys with a token of its own, where our app need not be installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.errors import Refused
from storage.jobs import rows as jobrows
from tests.fake_engine import dockerfile
from tests.world import SETTINGS, World

SITE = "carol/site"
"""A private repository that the app is not installed on."""


@dataclass
class Program:
    """A program with a key, which carol gave her token."""

    world: World
    session: aiohttp.ClientSession
    token: str
    github: str = ""
    body: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.world.address + path, **how) as reply:
            return reply.status, await reply.json()

    async def connect(self, repository: str = SITE, **changed: str) -> str:
        owner, _, repo = repository.partition("/")
        offer = {"owner": owner, "repo": repo, "branch": "main", "token": self.token, **changed}
        _, made = await self.ask("POST", "/api/v1/connect/github", json=offer)
        return str(made["data"]["githubConnectionId"])

    async def deploy(self, headers: dict[str, str] | None = None, **changed: Any) -> tuple[int, Any]:
        body = {name: value for name, value in {**self.body, **changed}.items() if value is not None}
        return await self.ask("POST", "/api/v1/deploy", json=body, headers=headers or {})


@pytest.fixture
async def program(world: World) -> AsyncIterator[Program]:
    files = {"Dockerfile": dockerfile("hers"), ".shipmate.yml": SETTINGS}
    await world.github.create_repo(SITE, files=files, organization=False, private=True)
    world.github.set_permission(SITE, "carol", "admin")
    await world.github.uninstall("carol", by="carol")
    _, key = await world.store.keys.create("her program", utc_now())
    async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session:
        program = Program(world, session, world.github.user_token("carol"))
        program.github = await program.connect()
        program.body = {"githubConnectionId": program.github, "owner": "carol", "repo": "site", "branch": "main"}
        program.body["target"] = "docker"
        yield program


async def test_a_branch_is_deployed_with_the_lent_token_and_github_is_told_nothing(
    world: World, program: Program
) -> None:
    head = await world.github.head(SITE)
    status, body = await program.deploy()
    assert (status, body["code"]) == (200, 200)
    deployment = body["data"]["deploymentId"]
    assert deployment.startswith("dep_")
    assert body["data"]["message"]
    await world.settle()
    _, result = await program.ask("GET", f"/api/v1/deploy/{deployment}/result")
    assert (result["data"]["status"], result["data"]["owner"], result["data"]["repo"]) == ("COMPLETED", "carol", "site")
    (job,) = await world.jobs()
    assert (job.id, job.sha, job.origin.actor) == (deployment, head, "carol")
    assert world.engine.running == ["hers"]
    assert world.github.check_runs(SITE) == []
    assert world.github.deployments(SITE) == []
    assert program.token not in world.everything_written()


async def test_what_is_asked_again_with_the_same_key_is_the_same_deployment(world: World, program: Program) -> None:
    once = {"Idempotency-Key": "order 66"}
    answers = [await program.deploy(once) for _ in range(2)]
    assert len({body["data"]["deploymentId"] for _, body in answers}) == 1
    await world.settle()
    again = await asyncio.gather(program.deploy(once), program.deploy({"Idempotency-Key": "other"}))
    assert [status for status, _ in again] == [200, 200]
    status, body = await program.deploy(once, branch="other")
    assert (status, body["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    await world.settle()
    assert len(await world.jobs()) == 2


async def test_two_that_come_at_once_with_the_same_key_are_one(world: World, program: Program) -> None:
    once = {"Idempotency-Key": "order 66"}
    answers = await asyncio.gather(*(program.deploy(once) for _ in range(4)))
    assert [status for status, _ in answers] == [200] * 4
    assert len({body["data"]["deploymentId"] for _, body in answers}) == 1
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_the_older_spelling_is_taken_too(world: World, program: Program) -> None:
    status, _ = await program.deploy(githubConnectionId=None, gitHubConnectionId=program.github)
    assert status == 200
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_the_commit_is_the_one_the_branch_was_at_when_it_was_asked(world: World, program: Program) -> None:
    await program.deploy()
    asked = await world.github.head(SITE)
    await world.github.push(SITE, branch="main", files={"Dockerfile": dockerfile("later")}, by="carol")
    await world.settle()
    assert [job.sha for job in await world.jobs()] == [asked]
    assert world.engine.running == ["hers"]


async def test_where_the_app_is_installed_it_is_a_deployment_like_any_other(world: World, program: Program) -> None:
    program.token = world.github.user_token("alice")
    connection = await program.connect("acme/api")
    sha = await world.github.head("acme/api")
    await program.deploy(githubConnectionId=connection, owner="acme", repo="api")
    await world.settle()
    (job,) = await world.jobs()
    assert (job.origin.actor, job.spec["github_connection"]) == ("alice", None)
    assert world.checks(sha) == ["shipmate / deploy: success"]


async def test_who_may_only_read_deploys_nothing(world: World, program: Program) -> None:
    program.token = world.github.user_token("bob")
    connection = await program.connect("acme/api")
    status, body = await program.deploy(githubConnectionId=connection, owner="acme", repo="api")
    assert (status, body["errorCode"]) == (403, "PERMISSION_NEEDED")
    assert await world.jobs() == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"githubConnectionId": "gh_0000000000"}, "GitHub connection not found"),
        ({"target": None, "awsConnectionId": "aws_0000000000"}, "AWS connection not found"),
        ({"target": "ecs", "awsConnectionId": "aws_0000000000"}, "AWS connection not found"),
    ],
)
async def test_a_connection_that_is_not_there_is_said_in_the_words_clients_know(
    world: World, program: Program, changed: dict[str, Any], message: str
) -> None:
    status, body = await program.deploy(**changed)
    assert (status, body["status"], body["message"]) == (400, 400, message)
    assert await world.jobs() == []


async def test_koreans_read_it_in_korean(program: Program) -> None:
    _, body = await program.deploy({"Accept-Language": "ko"}, githubConnectionId="gh_0000000000")
    assert body["message"] == "GitHub 연결을 찾을 수 없습니다"


async def test_a_full_queue_is_told_as_such(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Refused("queue_full", limit=0)

    monkeypatch.setattr(jobrows, "_require_room", full)
    status, body = await program.deploy()
    assert (status, body["message"]) == (400, "Deployment queue is full")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"githubConnectionId": None}, "githubConnectionId"),
        ({"target": None}, "awsConnectionId"),
        ({"target": "ecs"}, "awsConnectionId"),
        ({"target": "moon"}, "target"),
        ({"owner": None}, "owner"),
        ({"branch": "--upload-pack=x"}, "branch"),
        ({"containerPort": 0}, "containerPort"),
        ({"desiredCount": 5000}, "desiredCount"),
        ({"ecsServiceName": "a b"}, "ecsServiceName"),
    ],
)
async def test_each_fault_of_the_body_is_named(program: Program, changed: dict[str, Any], field: str) -> None:
    status, body = await program.deploy(**changed)
    assert (status, body["errorCode"]) == (422, "INVALID_BODY")
    assert field in {fault["field"] for fault in body["fields"]}


async def test_a_connection_opens_no_other_repository(world: World, program: Program) -> None:
    status, body = await program.deploy(owner="acme", repo="api")
    assert (status, body["errorCode"]) == (400, "CONNECTION_FOR_ANOTHER")
    assert await world.jobs() == []


async def test_a_token_that_was_taken_back_before_the_build_ends_it_with_a_sentence(
    world: World, program: Program
) -> None:
    await world.github.push(SITE, branch="main", files={"Dockerfile": dockerfile("hers", "wait")}, by="carol")
    await program.deploy()
    await world.until_it_builds()
    await program.ask("DELETE", f"/api/v1/connections/{program.github}")
    world.engine.go_on.set()
    await world.settle()
    (job,) = await world.jobs()
    assert (job.state.value, job.error_code) == ("FAILED", "connection_removed")
    assert program.github in str(job.error_message)
    assert world.engine.running == []


async def test_what_was_used_stands_in_the_trail(world: World, program: Program) -> None:
    await program.deploy()
    await world.settle()
    entry = next(
        one.entry
        for one in await world.store.audit.newest(SITE, None, 5)
        if one.entry.face == "api" and one.entry.job_id
    )
    assert (entry.actor, entry.face, entry.outcome) == ("carol", "api", "acted")
    assert (entry.rules["key"], entry.rules["github_connection"]) == ("her program", program.github)


async def test_the_rules_of_the_environment_hold_here_too(world: World, program: Program) -> None:
    frozen = "environments:\n  production: {branch: main, freeze: [{from: '2020-01-01', to: '2999-01-01'}]}\n"
    await world.github.push(SITE, branch="main", files={".shipmate.yml": frozen}, by="carol")
    status, body = await program.deploy()
    assert (status, body["errorCode"]) == (400, "FROZEN")
