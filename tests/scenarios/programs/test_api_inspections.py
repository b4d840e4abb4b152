"""`POST /api/v1/inspections`: the shell's JSON for a repository at GitHub, or for a tree given as data."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree
from tests.world import World

FLASK = {
    "requirements.txt": "flask\ngunicorn\n",
    "main.py": "from flask import Flask\n\napp = Flask(__name__)\n",
}
GUESSES = "acme/guess"


class Program:
    """A program with a key."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world, self.session = world, session

    async def inspect(self, body: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.world.address}/api/v1/inspections", json=body) as reply:
            return reply.status, await reply.json()


@pytest.fixture
async def program(world: World) -> AsyncIterator[Program]:
    await world.github.create_repo(GUESSES, files=FLASK, private=True)
    _, key = await world.store.keys.create("tests", utc_now())
    async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session:
        yield Program(world, session)


async def test_a_repository_is_answered_as_the_shell_would(program: Program) -> None:
    status, body = await program.inspect({"repo": GUESSES})
    data = body["data"]
    assert (status, body["code"], data["repo"], data["ref"], data["question"]) == (200, 200, GUESSES, "main", None)
    assert {"apps": data["apps"], "warnings": data["warnings"]} == inspect_tree(ListingTree([], FLASK)).to_json()
    assert len(data["sha"]) == 40


async def test_a_ref_is_pinned_to_its_commit(world: World, program: Program) -> None:
    sha = (await world.github.push(GUESSES, branch="next", files={"Procfile": "web: gunicorn main:app\n"})).sha
    _, body = await program.inspect({"repo": GUESSES, "ref": "next"})
    assert (body["data"]["sha"], body["data"]["apps"][0]["startCommand"]) == (sha, "gunicorn main:app")


async def test_at_most_three_calls_are_for_the_tree_and_its_files(world: World, program: Program) -> None:
    before = len(world.github.requests)
    await program.inspect({"repo": GUESSES})
    asked = [str(one.operation) for one in world.github.requests[before:]]
    assert asked.count("git/get-tree") + asked.count("graphql") <= 3
    assert len(asked) <= 12


async def test_a_tree_is_inspected_as_it_is_given(program: Program) -> None:
    _, body = await program.inspect({"paths": ["README.md"], "files": FLASK})
    assert body["data"]["apps"][0]["framework"] == "flask"
    _, body = await program.inspect({"paths": ["README.md"]})
    assert body["data"]["apps"] == []
    assert "No application was found" in body["data"]["question"]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "[" * 100_000},
        {"pom.xml": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><project>&b;</project>'},
        {".shipmate.yml": "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"},
        {"Cargo.toml": "a = " + "{b = " * 5_000},
        {"../../etc/passwd": "x", "/abs": "y", "a\nb": "z", "package.json": "\u0000"},
    ],
)
async def test_no_tree_breaks_it(program: Program, files: dict[str, str]) -> None:
    status, body = await program.inspect({"paths": [], "files": files})
    assert status == 200, body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "repo"),
        ({"repo": "nobody"}, "repo"),
        ({"repo": "../.."}, "repo"),
        ({"repo": "https://evil.example/x"}, "repo"),
        ({"repo": GUESSES, "ref": "--x"}, "ref"),
        ({"repo": GUESSES, "paths": []}, "repo"),
        ({"paths": [1]}, "paths.0"),
        ({"paths": [], "files": {"a": {}}}, "files.a"),
    ],
)
async def test_a_body_that_makes_no_sense_is_told_field_by_field(program: Program, body: Any, field: str) -> None:
    status, answer = await program.inspect(body)
    assert (status, answer["errorCode"]) == (422, "INVALID_BODY")
    assert field in {fault["field"] for fault in answer["fields"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"repo": "acme/nothing"}, "REPOSITORY_NOT_INSTALLED"),
        ({"repo": GUESSES, "ref": "nowhere"}, "REF_NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_not_found(program: Program, body: Any, code: str) -> None:
    status, answer = await program.inspect(body)
    assert (status, answer["errorCode"]) == (404, code)


async def test_bad_settings_are_told_with_their_line(world: World, program: Program) -> None:
    await world.github.push(GUESSES, files={".shipmate.yml": "version: 1\nbuild: {nonsense: 1}\n"})
    status, answer = await program.inspect({"repo": GUESSES})
    assert (status, answer["errorCode"], answer["line"]) == (400, "BAD_CONFIG", 2)


async def test_a_body_of_ten_megabytes_is_refused(world: World, program: Program) -> None:
    body = io.BytesIO(json.dumps({"paths": [], "files": {"a": "x" * 10_000_000}}).encode())
    path, headers = f"{world.address}/api/v1/inspections", {"Content-Type": "application/json"}
    async with program.session.post(path, data=body, headers=headers) as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (413, "BODY_TOO_LARGE")


async def test_an_error_at_github_is_said_as_one(world: World, program: Program) -> None:
    world.github.faults.add("status", path="/git/trees", status=500, count=None)
    status, answer = await program.inspect({"repo": GUESSES})
    assert (status, answer["errorCode"]) == (503, "GITHUB_UNAVAILABLE")
    assert "graphql" not in json.dumps(answer)
