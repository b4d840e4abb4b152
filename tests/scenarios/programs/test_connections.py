"""What a program that lends us a way into GitHub or AWS is told, and that nothing it lent is ever seen again."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.errors import Permanent
from tests.world import World, new_world


@pytest.fixture
async def lending() -> AsyncIterator[World]:
    async with new_world(SHIPMATE_SECRET_KEY="k" * 32) as world:
        yield world


async def ask(world: World, method: str, path: str, **how: Any) -> tuple[int, dict[str, Any]]:
    _, key = await world.store.keys.create("program", utc_now())
    headers = {"X-API-Key": key, **how.pop("headers", {})}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{world.address}{path}", headers=headers, **how) as reply,
    ):
        return reply.status, await reply.json()


def offer(world: World, **changed: str) -> dict[str, str]:
    return {"owner": "acme", "repo": "api", "branch": "main", "token": world.github.user_token("alice"), **changed}


async def test_a_token_that_github_takes_is_kept_and_listed_without_the_token(lending: World) -> None:
    token = lending.github.user_token("alice")
    status, made = await ask(lending, "POST", "/api/v1/connect/github", json=offer(lending, token=token))
    connection_id = made["data"]["githubConnectionId"]
    assert (status, connection_id[:3], len(connection_id)) == (200, "gh_", 13)
    _, listed = await ask(lending, "GET", "/api/v1/connections")
    known = {"connectionId": connection_id, "owner": "acme", "repo": "api", "branch": "main"}
    assert listed["data"] == {"github": [known], "aws": []}
    assert token not in lending.everything_written()
    assert await lending.store.connections.token_of(connection_id) == token


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"repo": "nothing"}, "GitHub connection failed: Repository not found: acme/nothing"),
        ({"token": "ghp_wrong"}, "GitHub connection failed: Bad credentials"),
        ({"branch": "nowhere"}, "GitHub connection failed: Branch not found: nowhere"),
    ],
)
async def test_what_github_does_not_know_is_said_and_nothing_is_kept(
    lending: World, changed: dict[str, str], message: str
) -> None:
    status, answer = await ask(lending, "POST", "/api/v1/connect/github", json=offer(lending, **changed))
    assert (status, answer["message"]) == (400, message)
    assert await lending.store.connections.github() == []


async def test_a_role_is_lent_by_name_to_repositories_over_the_api(
    lending: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def account(lent: object, **_: object) -> str:
        return "210987654321"

    monkeypatch.setattr("aws.credentials.account_lent", account)
    role = {
        "region": "eu-west-1",
        "roleArn": "arn:aws:iam::210987654321:role/shipmate",
        "externalId": "acme-external-7",
    }
    body = {**role, "name": "prod", "lentTo": ["acme/api"]}
    status, made = await ask(lending, "POST", "/api/v1/connect/aws", json=body)
    connection_id = made["data"]["awsConnectionId"]
    assert (status, connection_id[:4], len(connection_id)) == (200, "aws_", 14)
    status, answer = await ask(lending, "POST", "/api/v1/connect/aws", json=body)
    assert (status, answer["errorCode"]) == (400, "CONNECTION_NAME_TAKEN")
    assert (await ask(lending, "POST", "/api/v1/connect/aws", json={**body, "replace": True}))[0] == 200
    assert (await ask(lending, "POST", "/api/v1/connect/aws", json=role))[0] == 200
    _, listed = await ask(lending, "GET", "/api/v1/connections")
    known = {"region": "eu-west-1", "accountId": "210987654321"}
    named, plain = listed["data"]["aws"]
    assert named == {"connectionId": connection_id, **known, "name": "prod", "lentTo": ["acme/api"]}
    assert set(plain) == {"connectionId", *known}
    assert "acme-external-7" not in lending.everything_written()
    trail = [one.entry for one in await lending.store.audit.newest("", None, 9)]
    assert {(one.actor, one.face) for one in trail} == {("program", "api")}


async def test_korean_readers_are_told_in_korean(lending: World) -> None:
    given = offer(lending, branch="nowhere")
    _, answer = await ask(lending, "POST", "/api/v1/connect/github", json=given, headers={"Accept-Language": "ko-KR"})
    assert answer["message"].startswith("GitHub 연결 실패")


async def test_each_missing_field_is_named(lending: World) -> None:
    status, answer = await ask(lending, "POST", "/api/v1/connect/github", json={"owner": "acme"})
    assert (status, [fault["field"] for fault in answer["fields"]]) == (422, ["branch", "repo", "token"])


@pytest.mark.parametrize("owner", ["../..", "acme/api", "a b", ".."])
async def test_a_name_that_would_lead_elsewhere_is_refused(lending: World, owner: str) -> None:
    status, _ = await ask(lending, "POST", "/api/v1/connect/github", json=offer(lending, owner=owner))
    assert status == 422


async def test_a_connection_that_was_forgotten_is_gone(lending: World) -> None:
    _, made = await ask(lending, "POST", "/api/v1/connect/github", json=offer(lending))
    path = f"/api/v1/connections/{made['data']['githubConnectionId']}"
    assert (await ask(lending, "DELETE", path))[0] == 200
    assert (await ask(lending, "DELETE", path))[0] == 404
    assert await lending.store.connections.github() == []


async def test_without_a_key_to_seal_with_nothing_is_taken(lending: World) -> None:
    async with new_world(SHIPMATE_SECRET_KEY="") as world:
        status, answer = await ask(world, "POST", "/api/v1/connect/github", json=offer(world))
        assert (status, answer["errorCode"]) == (400, "SECRET_KEY_MISSING")


async def test_a_row_put_under_another_id_does_not_open(lending: World) -> None:
    _, made = await ask(lending, "POST", "/api/v1/connect/github", json=offer(lending))
    with pytest.raises(Permanent, match="secret_sealed"):
        await _moved(lending, made["data"]["githubConnectionId"], "gh_0000000000")
    assert await lending.store.connections.token_of("gh_1111111111") is None


async def _moved(world: World, before: str, after: str) -> None:
    with closing(sqlite3.connect(world.database)) as database, database:
        database.execute("UPDATE connections SET id = ? WHERE id = ?", (after, before))
    await world.store.connections.token_of(after)
