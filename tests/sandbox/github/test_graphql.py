"""GraphQL as an app asks it: strict about the schema, and about who may see what."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

FILES = """
query($owner: String!, $repo: String!, $a: String!, $b: String!) {
  repository(owner: $owner, name: $repo) {
    nameWithOwner
    a: object(expression: $a) { __typename oid ... on Blob { text byteSize isBinary isTruncated } }
    b: object(expression: $b) { __typename ... on Blob { text } }
  }
}
"""
HERE = {"owner": "acme", "repo": "api"}


async def ask(app: AppClient, query: str, token: str | None = None, **variables: Any) -> Any:
    asked = {"query": query, "variables": {**HERE, **variables}}
    return await app.call("POST", "/graphql", token=token or await app.token(), json=asked)


async def test_many_files_come_in_one_answer(app: AppClient) -> None:
    answer = await ask(app, FILES, a="HEAD:src/app.py", b="HEAD:src")
    found = answer.json["data"]["repository"]
    assert found["nameWithOwner"] == "acme/api"
    assert (found["a"]["__typename"], found["a"]["text"]) == ("Blob", "print('hi')\n")
    assert (found["a"]["byteSize"], found["a"]["isBinary"], found["a"]["isTruncated"]) == (12, False, False)
    assert found["b"] == {"__typename": "Tree"}


async def test_what_is_not_there_is_null(app: AppClient) -> None:
    answer = await ask(app, FILES, a="HEAD:nowhere", b="no-such-branch:src/app.py")
    assert answer.json["data"]["repository"]["a"] is None
    assert answer.json["data"]["repository"]["b"] is None


async def test_queries_count_against_their_own_limit(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    before = github.hub.limits.facts(github.hub.tokens.bearer(token))["used"]
    answer = await ask(app, FILES, token, a="HEAD:src/app.py", b="HEAD:x")
    assert answer.headers["X-RateLimit-Resource"] == "graphql"
    assert github.hub.limits.facts(github.hub.tokens.bearer(token))["used"] == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("query { repository(owner: 1, name: 2) { name } }", "String cannot represent a non string value"),
        ("query { nothing }", "Cannot query field 'nothing' on type 'Query'"),
        ("query { repository(owner: $x, name: $y) { name } }", "Variable '$x' is not defined"),
        ("query {", "Syntax Error"),
        ("mutation { x }", "mutation"),
    ],
)
async def test_a_faulty_query_is_answered_with_errors(app: AppClient, query: str, said: str) -> None:
    answer = await ask(app, query)
    assert answer.status == 200
    assert said in answer.json["errors"][0]["message"]
    assert not answer.json.get("data")


async def test_a_repository_that_must_not_be_seen_is_not_found(github: GitHubSandbox, app: AppClient) -> None:
    stranger = github.user_token("mallory")
    answer = await ask(app, FILES, stranger, a="HEAD:src/app.py", b="HEAD:x")
    assert answer.json["data"] == {"repository": None}
    assert answer.json["errors"][0]["type"] == "NOT_FOUND"
    assert answer.json["errors"][0]["path"] == ["repository"]


async def test_without_the_permission_contents_are_not_shown(app: AppClient) -> None:
    answer = await ask(app, FILES, await app.token(permissions={"checks": "read"}), a="HEAD:src/app.py", b="HEAD:x")
    assert {error["type"] for error in answer.json["errors"]} == {"FORBIDDEN"}
    assert answer.json["data"]["repository"]["a"] is None


async def test_nobody_asks_without_credentials(app: AppClient) -> None:
    answer = await app.call("POST", "/graphql", json={"query": "query { rateLimit { cost } }"})
    assert answer.status == 401


@pytest.mark.parametrize("body", [{}, {"query": 1}, [], "x"])
async def test_a_body_without_a_query_is_refused(app: AppClient, body: Any) -> None:
    assert (await app.call("POST", "/graphql", token=await app.token(), json=body)).status == 400


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000], ids=["lists", "objects"])
async def test_json_nested_beyond_reason_is_no_query(app: AppClient, body: bytes) -> None:
    answer = await app.call("POST", "/graphql", token=await app.token(), data=body)
    assert (answer.status, answer.message) == (400, "Problems parsing JSON")
