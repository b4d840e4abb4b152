"""Checking out one commit from a real git server, whatever the repository holds and however the server behaves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engines.git_source import GitLimits, GitSource
from bot.errors import Permanent, ShipmateError, Transient
from bot.model import Job, JobKind, JobState, Origin, Repository
from tests.engines.githost import TOKEN, GitHost, open_host
from tests.engines.machine import command_lines, processes_with
from tests.engines.waiting import until


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[GitHost]:
    async with open_host(tmp_path) as host:
        yield host


def job(sha: str) -> Job:
    return Job(
        id="dep_0123456789",
        kind=JobKind.DEPLOY,
        state=JobState.BUILDING,
        lane="x",
        repository=Repository(1, "acme/api"),
        sha=sha,
        ref="main",
        environment="production",
        origin=Origin("push", "someone", 1),
        spec={},
        created_at=datetime.now(UTC),
    )


class Checkout:
    """Checks commits of one host out, and keeps what was said."""

    def __init__(self, host: GitHost, limits: GitLimits | None = None) -> None:
        self.into = host.folder / "checkout"
        self.log: list[str] = []
        self._source = GitSource(host.url, self._token, limits)
        self._host = host

    async def _token(self, job: Job) -> str:
        return TOKEN

    async def bring(self, sha: str) -> Path:
        await self._source.checkout(job(sha), self.into, self.log.append)
        return self.into

    async def refused(self, sha: str) -> ShipmateError:
        with pytest.raises(ShipmateError) as failed:
            await self.bring(sha)
        return failed.value


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_exactly_the_commit_asked_for_is_brought_and_nothing_else(host: GitHost) -> None:
    (host.work / "a.txt").write_text("first")
    first = host.commit()
    (host.work / "a.txt").write_text("second")
    (host.work / "b.txt").write_text("more")
    second = host.commit()
    checkout = Checkout(host)
    assert names(await checkout.bring(second)) == ["a.txt", "b.txt"]
    assert names(await checkout.bring(first)) == ["a.txt"]
    assert (checkout.into / "a.txt").read_text() == "first"


async def test_a_commit_that_was_pushed_over_is_still_found(host: GitHost) -> None:
    (host.work / "a.txt").write_text("first")
    first = host.commit()
    host.git("checkout", "--quiet", "--orphan", "other")
    (host.work / "a.txt").write_text("other")
    host.commit()
    assert ((await Checkout(host).bring(first)) / "a.txt").read_text() == "first"


async def test_a_server_that_hands_out_branches_only_is_fetched_from_by_branch(host: GitHost) -> None:
    host.speaks_v2 = False
    (host.work / "a.txt").write_text("first")
    first = host.commit()
    (host.work / "a.txt").write_text("second")
    host.commit()
    assert ((await Checkout(host).bring(first)) / "a.txt").read_text() == "first"


@pytest.mark.parametrize("speaks_v2", [True, False])
async def test_a_commit_that_is_not_there_is_named(host: GitHost, speaks_v2: bool) -> None:
    host.commit()
    host.speaks_v2 = speaks_v2
    failed = await Checkout(host).refused("1" * 40)
    assert (type(failed), failed.code, failed.facts["sha"]) == (Permanent, "commit_not_found", "1" * 40)


@pytest.mark.parametrize("sha", ["main", "--upload-pack=touch /tmp/x", "abc", "A" * 40, f"{'a' * 40}\n"])
async def test_nothing_but_a_full_sha_is_ever_given_to_git(host: GitHost, sha: str) -> None:
    assert (await Checkout(host).refused(sha)).code == "commit_not_found"
    assert host.asked == []


async def test_a_token_that_does_not_open_the_repository_is_an_answer(host: GitHost) -> None:
    sha = host.commit()
    host.token = "another"
    failed = await Checkout(host).refused(sha)
    assert (type(failed), failed.code) == (Permanent, "clone_denied")


async def test_the_token_is_in_no_argument_address_log_error_or_file(host: GitHost) -> None:
    sha = host.commit()
    checkout = Checkout(host)
    host.hangs = True
    bringing = asyncio.create_task(checkout.bring(sha))
    await until(lambda: bool(host.asked))
    seen = set(command_lines().values())
    bringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bringing
    assert any(b"fetch" in words and sha.encode() in words for words in seen)
    host.hangs = False
    await checkout.bring(sha)
    assert host.asked[-1][1].startswith("Basic ")
    held = [path.read_bytes() for path in checkout.into.rglob("*") if path.is_file()]
    for form in (TOKEN, host.asked[-1][1].removeprefix("Basic ")):
        assert not any(form.encode() in text for text in (*seen, *held))
        assert form not in "\n".join([*checkout.log, *(path for path, _ in host.asked)])


async def test_cancelling_ends_git_and_its_helpers(host: GitHost) -> None:
    sha = host.commit()
    host.hangs = True
    bringing = asyncio.create_task(Checkout(host).bring(sha))
    await until(lambda: bool(host.asked))
    bringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bringing
    await until(lambda: not processes_with(host.url))


async def test_a_server_that_never_answers_is_given_up_and_may_be_tried_again(host: GitHost) -> None:
    sha = host.commit()
    host.hangs = True
    failed = await Checkout(host, GitLimits(limit_s=1.0)).refused(sha)
    assert (type(failed), failed.code) == (Transient, "clone_unreachable")


async def test_an_answer_that_is_cut_short_may_be_tried_again(host: GitHost) -> None:
    (host.work / "a.bin").write_bytes(os.urandom(200_000))
    sha = host.commit()
    host.breaks = True
    failed = await Checkout(host).refused(sha)
    assert (type(failed), failed.code) == (Transient, "clone_unreachable")


async def test_a_server_that_is_not_there_may_be_tried_again(host: GitHost) -> None:
    host.url = "http://127.0.0.1:1"
    failed = await Checkout(host).refused("1" * 40)
    assert (type(failed), failed.code) == (Transient, "clone_unreachable")


async def test_links_stay_links_and_no_file_of_this_machine_is_read(host: GitHost) -> None:
    (host.work / "passwd").symlink_to("/etc/passwd")
    (host.work / "up").symlink_to("../../..")
    (host.work / "loop").symlink_to("loop")
    into = await Checkout(host).bring(host.commit())
    assert {path.name: str(path.readlink()) for path in into.iterdir()} == {
        "passwd": "/etc/passwd",
        "up": "../../..",
        "loop": "loop",
    }


async def test_nothing_the_repository_says_is_run(host: GitHost) -> None:
    mark = host.folder / "ran"
    (host.work / ".gitattributes").write_text("* filter=evil\n*.bin filter=lfs diff=lfs merge=lfs\n")
    (host.work / ".gitconfig").write_text(
        f'[filter "evil"]\n\tsmudge = touch {mark}\n[core]\n\tfsmonitor = touch {mark}\n'
    )
    (host.work / ".githooks").mkdir()
    hook = host.work / ".githooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    (host.work / "large.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    checkout = Checkout(host)
    into = await checkout.bring(host.commit())
    assert not mark.exists()
    assert (into / "large.bin").read_text().startswith("version https://git-lfs")
    assert any("LFS" in line for line in checkout.log)


async def test_submodules_are_not_fetched_and_the_log_says_so(host: GitHost) -> None:
    (host.work / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = file:///etc\n')
    host.git("update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},x")
    checkout = Checkout(host)
    host.git("add", ".gitmodules")
    host.git("commit", "--quiet", "-m", "with a submodule")
    host.git("push", "--quiet", "origin", "HEAD:main")
    into = await checkout.bring(host.git("rev-parse", "HEAD"))
    assert list((into / "x").iterdir()) == []
    assert any("submodules are not fetched" in line for line in checkout.log)


async def test_a_large_tree_with_unusual_names_arrives_whole(host: GitHost) -> None:
    for number in range(5000):
        (host.work / str(number % 50)).mkdir(exist_ok=True)
        (host.work / str(number % 50) / f"file {number}.txt").write_text(str(number))
    (host.work / "안녕 ünïcode.txt").write_text("hello")
    (host.work / "--option=x").write_text("plain")
    into = await Checkout(host).bring(host.commit())
    assert sum(path.is_file() for path in into.rglob("*")) == 5002
    assert (into / "안녕 ünïcode.txt").read_text() == "hello"


async def test_a_tree_larger_than_allowed_is_refused(host: GitHost) -> None:
    (host.work / "a.bin").write_bytes(bytes(3_000_000))
    failed = await Checkout(host, GitLimits(size_limit_mb=1)).refused(host.commit())
    assert (failed.code, failed.facts["limit_mb"]) == ("checkout_too_large", 1)


async def test_files_of_this_machine_are_no_server_unless_that_is_allowed(host: GitHost) -> None:
    sha = host.commit()
    host.url = f"file://{host.folder}/bare"
    failed = await Checkout(host).refused(sha)
    assert "not allowed" in failed.facts["message"]
    await Checkout(host, GitLimits(allow_files=True)).bring(sha)
