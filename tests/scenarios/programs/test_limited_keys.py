"""A key that is limited to some repositories learns nothing of any other, at whatever door it asks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.audit import AuditEntry
from bot.clock import utc_now
from bot.connections import AWS_ID, new_id
from bot.store.connections import AwsConnection, LentTo
from handlers import streaming
from tests.world import REPO, World, new_world

OTHER = "acme/web"
METHODS = {"get", "post", "delete"}
LENDING = {"owner": "acme", "repo": "api", "branch": "main", "token": "ghp_x"}
LENT = {"owner": "acme", "repo": "api", "branch": "main", "githubConnectionId": "gh_x", "target": "docker"}
AWS = {"region": "eu-west-1", "accessKeyId": "A" * 20, "secretAccessKey": "s" * 40}
DEPLOY = {"userId": "alice", "repo": REPO, "branch": "main"}
ABOUT: dict[tuple[str, str], dict[str, Any]] = {
    ("get", "/api/v1/analyses/{id}"): {"id": "analysis"},
    ("get", "/api/v1/analyses/{id}/{form}"): {"id": "analysis", "form": "json"},
    ("get", "/api/v1/deploy/{id}/events"): {"id": "deployment"},
    ("get", "/api/v1/deploy/{id}/result"): {"id": "deployment"},
    ("get", "/api/v1/deployments/{id}"): {"id": "deployment"},
    ("get", "/api/v1/repos/{owner}/{repo}/contributions"): {"owner": "acme", "repo": "api"},
    ("get", "/results"): {"query": {"repo": REPO}},
    ("post", "/analyze"): {"json": {"repo": REPO}},
    ("post", "/api/v1/analyses"): {"json": {"repos": [OTHER, REPO]}},
    ("post", "/api/v1/analyses/{id}/cancel"): {"id": "analysis"},
    ("post", "/api/v1/connect/github"): {"json": LENDING},
    ("post", "/api/v1/deploy"): {"json": LENT},
    ("post", "/api/v1/deployments"): {"json": DEPLOY},
    ("post", "/api/v1/inspections"): {"json": {"repo": REPO}},
    ("post", "/deployments"): {"json": DEPLOY},
    ("delete", "/api/v1/connections/{id}"): {"id": "connection"},
}
"""What is asked about the other repository at each door, where it is not there; `id` says of what."""
NOT_THERE = {404, 400}
"""A result that is not there is 400."""
LISTS = {("get", "/api/v1/analyses"), ("get", "/api/v1/deployments"), ("get", "/api/v1/connections")}
REFUSED = {("post", "/api/v1/connect/aws")}
PAGES = ("/jobs/{}", "/jobs/{}/log", "/jobs/{}/events", "/jobs/{}/picture.svg")


@dataclass
class Program:
    """Speaks to the world's server under a key that is limited to these."""

    world: World
    session: aiohttp.ClientSession
    ids: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """Status and body: JSON where it is JSON, else text."""
        async with self.session.request(method, self.world.address + path, **how) as reply:
            return reply.status, await (reply.json() if reply.content_type == "application/json" else reply.text())

    async def limited(self, *repositories: str) -> None:
        """Show another key from now on."""
        _, key = await self.world.store.keys.create("tests", utc_now(), repositories)
        self.session.headers["X-API-Key"] = key


@pytest.fixture
async def program(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Program]:
    """In a world where one repository was deployed and analysed and lent to us, under a key for another."""
    monkeypatch.setattr(streaming, "CLOSE_AFTER_S", 0.01)
    async with new_world(SHIPMATE_SECRET_KEY="k" * 32) as world, aiohttp.ClientSession() as session:
        await world.github.create_repo(OTHER, files={"index.html": "<p>\n"})
        program = Program(world, session)
        await program.limited()
        _, deployment = await program.ask("POST", "/deployments", json=DEPLOY)
        _, analysis = await program.ask("POST", "/api/v1/analyses", json={"repo": REPO})
        token = world.github.user_token("alice")
        _, connection = await program.ask("POST", "/api/v1/connect/github", json={**LENDING, "token": token})
        await world.settle()
        program.ids = {
            "deployment": deployment["data"]["deploymentId"],
            "analysis": analysis["data"]["analysisId"],
            "connection": connection["data"]["githubConnectionId"],
        }
        await program.limited(OTHER, "example/*")
        yield program


async def test_every_door_of_the_api_is_looked_at_here(program: Program) -> None:
    _, document = await program.ask("GET", "/api-docs")
    doors = {(method, path) for path, known in document["paths"].items() for method in METHODS & known.keys()}
    assert doors == ABOUT.keys() | LISTS | REFUSED


@pytest.mark.parametrize("limits", [(OTHER, "example/*"), (REPO,), ("ACME/*",), ()], ids=str)
async def test_what_a_key_does_not_see_is_not_there(program: Program, limits: tuple[str, ...]) -> None:
    await program.limited(*limits)
    hidden = OTHER in limits
    for (method, path), about in ABOUT.items():
        if not hidden and method != "get":
            continue
        names = {**about, "id": program.ids.get(about.get("id", ""), "")}
        address = re.sub(r"{(\w+)}", lambda part, names=names: names[part[1]], path)  # type: ignore[misc]
        status, body = await program.ask(method, address, json=about.get("json"), params=about.get("query"))
        assert (status in NOT_THERE) is hidden, (method, path, body)


async def test_a_key_cannot_tell_what_it_does_not_see_from_what_is_not_there(program: Program) -> None:
    async def told(name: str) -> list[tuple[int, str, str]]:
        answers = [
            await program.ask("POST", "/deployments", json={**DEPLOY, "repo": name}),
            await program.ask("POST", "/api/v1/inspections", json={"repo": name}),
            await program.ask("POST", "/api/v1/analyses", json={"repo": name}),
            await program.ask("GET", f"/api/v1/repos/{name}/contributions"),
        ]
        plain = [(status, body["errorCode"], body["message"].replace("\u200b", "")) for status, body in answers]
        return [(status, code, message.replace(name, "")) for status, code, message in plain]

    assert await told(REPO) == await told("acme/nothing")
    assert {status for status, _, _ in await told(REPO)} == {404}


async def test_lists_leave_out_what_a_key_does_not_see(program: Program) -> None:
    async def listed() -> list[int]:
        found = []
        for _, path in sorted(LISTS):
            _, body = await program.ask("GET", path)
            found.append(sum(len(items) for items in body["data"].values() if isinstance(items, list)))
        return found

    assert await listed() == [0, 0, 0]
    await program.limited("acme/*")
    assert await listed() == [1, 1, 1]


async def test_pages_of_a_job_and_of_a_repository_open_to_a_key_that_sees_them(program: Program) -> None:
    pages = [page.format(program.ids["analysis"]) for page in PAGES] + [f"/repos/{REPO}"]
    assert [(await program.ask("GET", page))[0] for page in pages] == [404] * 5
    await program.limited(REPO)
    assert [(await program.ask("GET", page))[0] for page in pages] == [200] * 5
    program.session.headers["X-API-Key"] = "smk_wrong"
    assert [(await program.ask("GET", page))[0] for page in pages] == [403] * 5


async def test_of_an_owners_repositories_those_are_analysed_that_a_key_sees(program: Program) -> None:
    _, body = await program.ask("POST", "/api/v1/analyses", json={"owner": "acme"})
    assert body["data"]["repos"] == [OTHER]
    await program.world.settle()
    await program.limited("acme/nothing")
    status, body = await program.ask("POST", "/api/v1/analyses", json={"owner": "acme"})
    assert (status, body["errorCode"]) == (404, "NO_REPOSITORIES")


async def test_an_analysis_of_several_needs_a_key_that_sees_each(program: Program) -> None:
    await program.limited("acme/*")
    _, body = await program.ask("POST", "/api/v1/analyses", json={"repos": [OTHER, REPO]})
    await program.world.settle()
    here = f"/api/v1/analyses/{body['data']['analysisId']}"
    assert (await program.ask("GET", here))[0] == 200
    await program.limited(OTHER)
    assert (await program.ask("GET", here))[0] == 404
    _, listed = await program.ask("GET", "/api/v1/analyses")
    assert listed["data"]["analyses"] == []


async def test_a_repository_that_moved_out_of_reach_is_not_there(program: Program) -> None:
    await program.world.github.rename_repo(REPO, "secret")
    await program.limited(REPO)
    for path, asked in (("/deployments", DEPLOY), ("/api/v1/analyses", {"repo": REPO}), ("/analyze", {"repo": REPO})):
        status, body = await program.ask("POST", path, json=asked)
        assert (status, "secret" in str(body)) == (404, False)


@pytest.mark.parametrize("repo", ["https://git.example.org/acme/web", "https://acme/web", "web"])
async def test_what_is_not_named_as_at_github_needs_a_key_without_limits(program: Program, repo: str) -> None:
    assert (await program.ask("POST", "/api/v1/analyses", json={"repo": repo}))[0] == 404


async def test_a_limited_key_lends_no_way_into_aws(program: Program) -> None:
    status, body = await program.ask("POST", "/api/v1/connect/aws", json=AWS)
    assert (status, body["errorCode"]) == (403, "KEY_LIMITED")


async def lent_into_aws(program: Program, *borrowers: LentTo) -> str:
    """The id of a way into AWS that is lent to these."""
    lent = AwsConnection(new_id(AWS_ID), "eu-west-1", "123456789012", None, utc_now(), None, borrowers)
    told = AuditEntry("alice", "shell", "connect aws", "acted", "connection_lent")
    await program.world.store.connections.put_aws(lent, {}, told)
    return lent.id


@pytest.fixture
async def through(program: Program) -> dict[str, Any]:
    """What a program asks that deploys through its connections; the one to AWS is left out."""
    _, listed = await program.ask("GET", "/api/v1/connections")
    assert listed["data"] == {"github": [], "aws": []}
    return {"owner": "acme", "repo": "api", "branch": "main", "githubConnectionId": program.ids["connection"]}


async def test_a_limited_key_deploys_through_what_is_lent_to_its_repository_alone(
    program: Program, through: dict[str, Any]
) -> None:
    api, web = (LentTo(name, program.world.github.repository(name).id) for name in (REPO, OTHER))
    connections = [await lent_into_aws(program, *to) for to in ((), (web,), (web, api))]

    async def answers() -> list[tuple[int, str | None]]:
        asked = [{**through, "awsConnectionId": name} for name in ("aws_0000000000", *connections)]
        told = [await program.ask("POST", "/api/v1/deploy", json=body) for body in asked]
        return [(status, body.get("errorCode")) for status, body in told]

    missing, taken = (400, "AWS_CONNECTION_NOT_FOUND"), (200, None)
    await program.limited(REPO)
    assert await answers() == [missing, missing, missing, taken]
    await program.limited()
    assert await answers() == [missing, taken, taken, taken]


async def test_a_token_lent_for_another_repository_is_not_there_for_a_limited_key(
    program: Program, through: dict[str, Any]
) -> None:
    elsewhere = {**through, "repo": "web", "target": "docker"}
    status, body = await program.ask("POST", "/api/v1/deploy", json=elsewhere)
    assert (status, body["errorCode"], REPO in str(body)) == (400, "GITHUB_CONNECTION_NOT_FOUND", False)
    await program.limited()
    assert (await program.ask("POST", "/api/v1/deploy", json=elsewhere))[1]["errorCode"] == "CONNECTION_FOR_ANOTHER"


async def test_what_a_key_sees_it_may_do(program: Program) -> None:
    await program.limited(REPO)
    assert (await program.ask("POST", "/deployments", json=DEPLOY))[0] == 201
    assert (await program.ask("POST", "/api/v1/inspections", json={"repo": REPO}))[0] == 200
    await program.world.settle()
    assert (await program.ask("DELETE", f"/api/v1/connections/{program.ids['connection']}"))[0] == 200
