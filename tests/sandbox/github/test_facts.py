"""What the simulated GitHub knows of a repository without asking git again is only what cannot change."""

from pathlib import Path

import pytest

from bot.sandbox.github.git import MOST_BYTES_KEPT, Git, GitFailed

WHO = ("alice", "alice@example.com")
MAIN = "refs/heads/main"


@pytest.fixture
async def git(tmp_path: Path) -> Git:
    made = Git(tmp_path / "1.git")
    await made.create("main")
    return made


async def committed(git: Git, files: dict[str, bytes | None], ref: str = MAIN, parent: str | None = None) -> str:
    return await git.write(ref, files, WHO, "a commit", parent, 1_767_225_600.0)


async def test_a_branch_leads_to_where_it_was_moved(git: Git) -> None:
    first = await committed(git, {"a": b"1"})
    assert await git.resolve("main") == first
    second = await committed(git, {"a": b"2"}, parent=first)
    assert await git.resolve("main") == await git.resolve("refs/heads/main") == await git.resolve("HEAD") == second
    await git.run("pack-refs", "--all")
    assert await git.resolve("main") == second
    await git.delete_ref(MAIN)
    assert await git.resolve("main") is None


async def test_a_commit_that_was_not_there_is_found_once_it_is(git: Git, tmp_path: Path) -> None:
    other = Git(tmp_path / "2.git")
    await other.create("main")
    sha = await committed(other, {"a": b"1"})
    assert await git.resolve(sha) is None
    assert await git.commit(sha) is None
    with pytest.raises(GitFailed):
        await git.tree(sha)
    await git.fetch(other, MAIN, "refs/heads/brought")
    assert await git.resolve(sha) == sha
    assert (await git.tree(sha))[0].path == "a"


async def test_what_was_found_once_is_found_without_git(git: Git) -> None:
    sha = await committed(git, {"a": b"1"})
    entry = await git.entry(sha, "a")
    assert entry is not None
    assert await git.blob(entry.sha) == b"1"
    (git.path / "objects").rename(git.path / "gone")
    assert await git.entry(sha, "a") == entry
    assert await git.blob(entry.sha) == b"1"
    with pytest.raises(GitFailed):
        await git.tree(sha)


async def test_only_so_much_is_kept(git: Git) -> None:
    sha = await committed(git, {"small": b"1", "large": b"2" * (MOST_BYTES_KEPT + 1)})
    blobs = {one.path: one.sha for one in await git.tree(sha)}
    for blob in blobs.values():
        await git.blob(blob)
    (git.path / "objects").rename(git.path / "gone")
    assert await git.blob(blobs["small"]) == b"1"
    with pytest.raises(GitFailed):
        await git.blob(blobs["large"])
