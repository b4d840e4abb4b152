"""Real git against the simulated GitHub: clone, fetch, push, and who may."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from bot.sandbox.github.git import clean_environment
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient, Receiver


async def git(*arguments: str, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run git as somebody without any settings would."""
    environment = clean_environment(cwd, **extra) | {"GIT_ASKPASS": "echo"}
    return await asyncio.to_thread(
        subprocess.run, ["git", *arguments], cwd=cwd, capture_output=True, text=True, env=environment, check=False
    )


def remote(github: GitHubSandbox, token: str, repo: str = "acme/api") -> str:
    """A repository's address with credentials in it."""
    return github.url.replace("http://", f"http://x-access-token:{token}@") + f"/{repo}.git"


async def test_a_clone_with_an_installation_token_holds_the_files(
    github: GitHubSandbox, app: AppClient, tmp_path: Path
) -> None:
    token = await app.token(permissions={"contents": "read"})
    done = await git("clone", "--quiet", remote(github, token), "copy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy" / "src" / "app.py").read_text() == "print('hi')\n"


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
async def test_every_protocol_version_is_spoken(
    github: GitHubSandbox, app: AppClient, tmp_path: Path, protocol: str
) -> None:
    url = remote(github, await app.token())
    done = await git("-c", f"protocol.version={protocol}", "ls-remote", url, cwd=tmp_path)
    assert await github.head("acme/api") in done.stdout


async def test_one_commit_is_fetched_shallow_and_partial(github: GitHubSandbox, app: AppClient, tmp_path: Path) -> None:
    wanted = await github.head("acme/api")
    await github.push("acme/api", files={"later.txt": "x"})
    await git("init", "--quiet", cwd=tmp_path)
    url = remote(github, await app.token())
    fetched = await git("fetch", "--quiet", "--depth=1", "--filter=blob:none", url, wanted, cwd=tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    assert (await git("rev-parse", "FETCH_HEAD", cwd=tmp_path)).stdout.strip() == wanted


async def test_a_private_repository_is_closed_to_strangers(
    github: GitHubSandbox, app: AppClient, tmp_path: Path
) -> None:
    nobody = await git("ls-remote", f"{github.url}/acme/api.git", cwd=tmp_path)
    mallory = await git("ls-remote", remote(github, github.user_token("mallory")), cwd=tmp_path)
    checker = await app.token(permissions={"checks": "read"})
    without = await git("ls-remote", remote(github, checker), cwd=tmp_path)
    assert [one.returncode for one in (nobody, mallory, without)] == [128, 128, 128]


async def test_a_public_repository_is_open_to_read_but_not_to_write(github: GitHubSandbox, tmp_path: Path) -> None:
    await github.create_repo("acme/open", files={"a": "b"})
    assert (await git("clone", "--quiet", f"{github.url}/acme/open.git", "copy", cwd=tmp_path)).returncode == 0
    denied = await git("push", remote(github, github.user_token("bob"), "acme/open"), "HEAD:x", cwd=tmp_path / "copy")
    assert "Permission to acme/open.git denied to bob." in denied.stderr


async def _commit(folder: Path, name: str, content: str) -> str:
    """Write a file and commit it."""
    (folder / name).write_text(content)
    await git("add", name, cwd=folder)
    await git("commit", "--quiet", "--message", f"Add {name}", cwd=folder)
    return (await git("rev-parse", "HEAD", cwd=folder)).stdout.strip()


async def test_a_real_push_moves_the_branch_the_pull_request_and_tells_the_app(
    github: GitHubSandbox, receiver: Receiver, tmp_path: Path
) -> None:
    await github.push("acme/api", branch="feature", files={"a.txt": "a"})
    pull = await github.open_pull("acme/api", head="feature")
    url = remote(github, github.user_token("alice"))
    await git("clone", "--quiet", "--branch", "feature", url, "copy", cwd=tmp_path)
    sha = await _commit(tmp_path / "copy", "b.txt", "b")
    pushed = await git("push", "--quiet", "origin", "feature", cwd=tmp_path / "copy")
    assert pushed.returncode == 0, pushed.stderr
    await github.settle()
    assert await github.head("acme/api", "feature") == sha
    issue = github.issue("acme/api", pull.number)
    assert issue.pull is not None
    assert issue.pull.head_sha == sha
    assert sorted(receiver.events[-3:]) == ["check_suite.requested", "pull_request.synchronize", "push"]
    told = next(one for one in reversed(github.deliveries) if one.event == "push")
    assert (told.payload["pusher"]["name"], told.payload["head_commit"]["message"]) == ("alice", "Add b.txt")


@pytest.mark.parametrize(("tags", "told"), [(3, 3), (4, 0)])
async def test_of_more_than_three_tags_at_once_nothing_is_told(
    github: GitHubSandbox, receiver: Receiver, tmp_path: Path, tags: int, told: int
) -> None:
    await git("clone", "--quiet", remote(github, github.user_token("alice")), "copy", cwd=tmp_path)
    names = [f"v{number}" for number in range(tags)]
    for name in names:
        await git("tag", name, cwd=tmp_path / "copy")
    before = len(github.deliveries)
    pushed = await git("push", "--quiet", "origin", *names, cwd=tmp_path / "copy")
    assert pushed.returncode == 0, pushed.stderr
    await github.settle()
    events = [one.event for one in github.deliveries[before:]]
    assert (events.count("create"), events.count("push")) == (told, told)


async def test_a_large_push_comes_through(github: GitHubSandbox, tmp_path: Path) -> None:
    url = remote(github, github.user_token("alice"))
    await git("clone", "--quiet", url, "copy", cwd=tmp_path)
    (tmp_path / "copy" / "big.bin").write_bytes(os.urandom(3 * 1024 * 1024))
    sha = await _commit(tmp_path / "copy", "small.txt", "s")
    await git("add", "big.bin", cwd=tmp_path / "copy")
    await git("commit", "--quiet", "--amend", "--no-edit", cwd=tmp_path / "copy")
    pushed = await git("push", "--quiet", "origin", "main", cwd=tmp_path / "copy")
    assert pushed.returncode == 0, pushed.stderr
    assert await github.head("acme/api") != sha


async def test_pull_refs_are_fetched_but_not_pushed(github: GitHubSandbox, tmp_path: Path) -> None:
    await github.push("acme/api", branch="feature", files={"a.txt": "a"})
    pull = await github.open_pull("acme/api", head="feature")
    url = remote(github, github.user_token("alice"))
    await git("clone", "--quiet", url, "copy", cwd=tmp_path)
    fetched = await git("fetch", "--quiet", "origin", f"refs/pull/{pull.number}/head", cwd=tmp_path / "copy")
    assert fetched.returncode == 0, fetched.stderr
    denied = await git("push", "origin", "HEAD:refs/pull/9/head", cwd=tmp_path / "copy")
    assert denied.returncode != 0


async def test_gits_requests_fail_as_planned(github: GitHubSandbox, app: AppClient, tmp_path: Path) -> None:
    url = remote(github, await app.token())
    for effect in ("status", "cut", "lose_reply"):
        github.faults.add(effect, path=r"\.git/info/refs", status=500)
        assert (await git("ls-remote", url, cwd=tmp_path)).returncode == 128
    assert (await git("ls-remote", url, cwd=tmp_path)).returncode == 0
