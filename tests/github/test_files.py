"""A commit's files read at the strict simulated GitHub: few calls, and the same inspection as of a clone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import Permanent, Transient
from bot.github.api import GitHub, open_github
from bot.github.client.client import Client
from bot.github.files import CommitFiles
from bot.github.permissions import CLONE
from bot.inspect.inspection import inspect_tree
from bot.inspect.remote import inspect_remote
from bot.masking import Masker
from bot.model import Repository
from bot.sandbox.github.simulator import GitHubSandbox
from tests.github.conftest import PATIENCE
from tests.inspect.samples import SAMPLES

NAME = "acme/api"
TOKEN_CALL = "apps/create-installation-access-token"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[GitHubSandbox]:
    started = GitHubSandbox(tmp_path / "github")
    await started.start()
    await started.create_repo(NAME, files={"README.md": "# hi\n"}, private=True)
    yield started
    await started.stop()


@pytest.fixture
async def github(sandbox: GitHubSandbox) -> AsyncIterator[GitHub]:
    register = Masker().register
    async with open_github(
        str(sandbox.app_id), sandbox.private_key_pem, register, api_url=sandbox.url, patience=PATIENCE
    ) as opened:
        yield opened


def client_of(github: GitHub, sandbox: GitHubSandbox) -> Client:
    found = sandbox.hub.repository(NAME)
    installation = sandbox.hub.world.installation_on(found)
    assert installation
    return github.repository(installation.id, Repository(found.id, NAME), CLONE)


async def files_of(github: GitHub, sandbox: GitHubSandbox, files: dict[str, str | bytes]) -> CommitFiles:
    pushed = await sandbox.push(NAME, files=files)
    return CommitFiles(client_of(github, sandbox), pushed.sha)


def calls(sandbox: GitHubSandbox) -> list[str]:
    return [str(one.operation) for one in sandbox.hub.requests if one.operation != TOKEN_CALL]


@pytest.mark.parametrize("name", sorted(SAMPLES)[::4])
async def test_an_ordinary_repository_takes_three_calls(github: GitHub, sandbox: GitHubSandbox, name: str) -> None:
    files: dict[str, str | bytes] = dict(SAMPLES[name].files)
    remote = await files_of(github, sandbox, files)
    found = await inspect_remote(remote)
    assert len(calls(sandbox)) <= 3, calls(sandbox)
    assert found.to_json()["apps"] == inspect_tree(SAMPLES[name].tree()).to_json()["apps"]


async def test_a_monorepo_of_a_hundred_apps_stays_within_the_calls(github: GitHub, sandbox: GitHubSandbox) -> None:
    manifest = '{"dependencies": {"express": "4"}, "scripts": {"start": "node server.js"}}'
    files: dict[str, str | bytes] = {f"apps/a{n}/package.json": manifest for n in range(100)}
    files |= {f"apps/a{n}/server.js": "app.listen(3000)" for n in range(100)}
    assert (await inspect_remote(await files_of(github, sandbox, files))).apps
    assert len(calls(sandbox)) <= 3


async def test_a_cut_list_is_completed_folder_by_folder(github: GitHub, sandbox: GitHubSandbox) -> None:
    files: dict[str, str | bytes] = {f"aaa/{n}.txt": "x" for n in range(30)}
    files |= {"web/package.json": '{"scripts": {"start": "node ."}}', "web/index.js": "1", "main.go": "package main"}
    remote = await files_of(github, sandbox, files)
    sandbox.hub.repository(NAME).tree_limit = 32
    assert "web/package.json" in await remote.paths()
    assert not remote.truncated()
    assert len(calls(sandbox)) == 4


async def test_a_list_that_cannot_be_completed_is_said(github: GitHub, sandbox: GitHubSandbox) -> None:
    files: dict[str, str | bytes] = {f"d{n}/f{m}.txt": "x" for n in range(40) for m in range(3)}
    remote = await files_of(github, sandbox, {**files, "main.py": "print(1)"})
    sandbox.hub.repository(NAME).tree_limit = 10
    found = await inspect_remote(remote)
    assert "tree_truncated" in {notice.code for notice in found.warnings}
    assert len(calls(sandbox)) <= 60


async def test_files_that_are_too_large_or_binary_or_links_are_left_out(github: GitHub, sandbox: GitHubSandbox) -> None:
    files: dict[str, str | bytes] = {"a.json": "{}", "big.json": "x" * 1_000_001, "bin.json": b"\0\1\2", "ü b.txt": "é"}
    remote = await files_of(github, sandbox, files)
    await remote.paths()
    read = await remote.read_many(["a.json", "big.json", "bin.json", "ü b.txt", "nowhere"])
    assert read == {"a.json": b"{}", "ü b.txt": "é".encode()}


async def test_a_text_that_a_query_cuts_is_read_whole(github: GitHub, sandbox: GitHubSandbox) -> None:
    long = "a" * 600_000
    remote = await files_of(github, sandbox, {"package.json": long})
    await remote.paths()
    assert (await remote.read_many(["package.json"]))["package.json"] == long.encode()


async def test_a_manifest_that_could_not_be_read_is_said(github: GitHub, sandbox: GitHubSandbox) -> None:
    remote = await files_of(github, sandbox, {"package.json": "x" * 1_000_001, "index.js": "1"})
    found = await inspect_remote(remote)
    assert ("not_read", "package.json") in {(notice.code, notice.path) for notice in found.warnings}


async def test_githubs_errors_pass_through(github: GitHub, sandbox: GitHubSandbox) -> None:
    remote = await files_of(github, sandbox, {"package.json": "{}"})
    await remote.paths()
    limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}]}
    sandbox.faults.add("status", path="/graphql", status=200, body=limited)
    with pytest.raises(Transient, match="github_rate_limited"):
        await remote.read_many(["package.json"])
    sandbox.faults.add("status", path="/graphql", status=200, body={"errors": [{"message": "?"}]})
    with pytest.raises(Permanent, match="github_refused"):
        await remote.read_many(["package.json"])


def test_an_enterprise_server_has_graphql_beside_its_rest_api(github: GitHub, sandbox: GitHubSandbox) -> None:
    client = client_of(github, sandbox)
    client._wire.base_url = "https://ghe.example.com/api/v3"
    assert client._wire.graphql_url == "https://ghe.example.com/api/graphql"
