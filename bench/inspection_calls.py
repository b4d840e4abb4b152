"""Counts what inspection asks of GitHub: the calls a repository takes at the simulated GitHub, which logs each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.github.api import GitHub, open_github
from bot.github.files import CommitFiles
from bot.github.permissions import CLONE
from bot.inspect.remote import inspect_remote
from bot.masking import Masker
from bot.model import Repository
from bot.sandbox.github.simulator import GitHubSandbox

TOKEN_CALL = "apps/create-installation-access-token"
"""A token serves an hour; it is no call of the inspection."""
MANIFEST = '{"dependencies": {"express": "4"}, "scripts": {"start": "node server.js"}}'


async def calls_taken(samples: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """The most calls of an ordinary repository, the samples', and the most of a large and a cut one."""
    with tempfile.TemporaryDirectory(prefix="shipmate-bench-") as place:
        sandbox = GitHubSandbox(Path(place) / "github")
        await sandbox.start()
        try:
            key = sandbox.private_key_pem
            async with open_github(str(sandbox.app_id), key, Masker().register, api_url=sandbox.url) as github:
                ordinary = [await _taken(sandbox, github, f"acme/s{n}", _files(s)) for n, s in enumerate(samples)]
                return max(ordinary), max([await _monorepo(sandbox, github), await _cut(sandbox, github)])
        finally:
            await sandbox.stop()


def _files(sample: Mapping[str, Any]) -> dict[str, str]:
    return {path: sample["files"].get(path, "") for path in sample["paths"]}


async def _monorepo(sandbox: GitHubSandbox, github: GitHub) -> int:
    """A hundred applications in one repository."""
    files = {f"apps/a{n}/{name}": MANIFEST for n in range(100) for name in ("package.json", "server.js")}
    return await _taken(sandbox, github, "acme/monorepo", files)


async def _cut(sandbox: GitHubSandbox, github: GitHub) -> int:
    """A tree that GitHub does not answer whole, with more folders than are looked into."""
    files = {f"d{n}/package.json": MANIFEST for n in range(60)}
    return await _taken(sandbox, github, "acme/cut", files, tree_limit=10)


async def _taken(
    sandbox: GitHubSandbox, github: GitHub, name: str, files: Mapping[str, str], tree_limit: int | None = None
) -> int:
    await sandbox.create_repo(name, files=dict(files))
    repository = sandbox.hub.repository(name)
    if tree_limit is not None:
        repository.tree_limit = tree_limit
    installation = sandbox.hub.world.installation_on(repository)
    if installation is None:
        raise LookupError(name)
    client = github.repository(installation.id, Repository(repository.id, name), CLONE)
    sha = await repository.git.resolve("HEAD") or ""
    before = len(sandbox.requests)
    await inspect_remote(CommitFiles(client, sha))
    return sum(one.operation != TOKEN_CALL for one in sandbox.requests[before:])
