"""What happens to repositories: made, forked, pushed to; and what follows from a push."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.github.acts import checks, installations, pulls
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.git import SUBMODULE, SYMLINK, ZERO, Git, GitFailed
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, Repository
from bot.sandbox.github.shapes import code

Json = dict[str, Any]
Files = Mapping[str, str | bytes | None]
NAME = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\Z")
BAD_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.$|^$")
"""What git doesn't let stand in a name: https://git-scm.com/docs/git-check-ref-format"""
MAX_PUSHED_COMMITS = 2048
SKIPPED_FOLDERS = {".git", "__pycache__"}


@dataclass(frozen=True)
class Contents:
    """Files by path, with the modes of those that aren't plain."""

    files: dict[str, bytes | None]
    modes: dict[str, str]


@dataclass(frozen=True)
class Pushed:
    """What a push did: the new head (all zeros when the branch was deleted) and what the app was told of it."""

    sha: str
    before: str
    deliveries: tuple[Delivery, ...]


def from_mapping(files: Files, links: Mapping[str, str] | None, submodules: Mapping[str, str] | None) -> Contents:
    """Inline files (text becomes UTF-8, None removes), links by their targets, submodules by their commits."""
    written = {path: one.encode() if isinstance(one, str) else one for path, one in files.items()}
    modes = dict.fromkeys(links or {}, SYMLINK) | dict.fromkeys(submodules or {}, SUBMODULE)
    pointing = {path: one.encode() for path, one in {**(links or {}), **(submodules or {})}.items()}
    return Contents({**written, **pointing}, modes)


def from_folder(folder: Path) -> Contents:
    """Every file below a folder, with links and the executable bit kept."""
    if not folder.is_dir():
        raise Impossible(f"{folder} is not a folder")
    files: dict[str, bytes | None] = {}
    modes: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if SKIPPED_FOLDERS & set(path.relative_to(folder).parts):
            continue
        if path.is_symlink():
            files[name], modes[name] = str(path.readlink()).encode(), SYMLINK
        elif path.is_file():
            files[name] = path.read_bytes()
            modes[name] = "100755" if os.access(path, os.X_OK) else "100644"
    return Contents(files, modes)


async def create(
    hub: Hub, full_name: str, contents: Contents, *, private: bool, default_branch: str, organization: bool
) -> Repository:
    """A new repository with a first commit, of which nobody is told. Raises Impossible."""
    if not NAME.match(full_name):
        raise Impossible(f"{full_name!r} is not a repository's name; write owner/name")
    if hub.world.repository(full_name):
        raise Impossible(f"there is already a repository {full_name!r}")
    owner_name, name = full_name.split("/")
    owner = hub.world.account(owner_name, "Organization" if organization else "User")
    repository = await _empty(hub, owner, name, default_branch)
    repository.private = private
    installations.install(hub, owner)
    if contents.files:
        await _write(hub, repository, default_branch, contents, owner, "Initial commit", None)
    return repository


async def _empty(hub: Hub, owner: Account, name: str, default_branch: str) -> Repository:
    """A repository without a commit."""
    number, now = hub.world.next_id(), hub.world.now()
    git = Git(hub.root / f"{number}.git")
    await git.create(default_branch)
    repository = Repository(number, owner, name, git, now, now, default_branch=default_branch)
    hub.world.repositories[repository.full_name.lower()] = repository
    return repository


async def fork(hub: Hub, parent: Repository, full_name: str) -> Repository:
    """A copy of a repository under another owner, where the app is not installed. Raises Impossible."""
    if existing := hub.world.repository(full_name):
        return existing
    if not NAME.match(full_name):
        raise Impossible(f"{full_name!r} is not a repository's name; write owner/name")
    owner_name, name = full_name.split("/")
    repository = await _empty(hub, hub.world.account(owner_name), name, parent.default_branch)
    await repository.git.run("fetch", "--quiet", str(parent.git.path), "+refs/heads/*:refs/heads/*")
    repository.parent, repository.private = parent, parent.private
    return repository


async def push(hub: Hub, repository: Repository, branch: str, contents: Contents, by: Account, message: str) -> Pushed:
    """Commit files onto a branch (a new one starts at the default branch) and tell the app. Raises Impossible."""
    if BAD_BRANCH.search(branch):
        raise Impossible(f"{branch!r} can't be the name of a branch")
    async with repository.git.lock:
        before = await repository.git.resolve(f"refs/heads/{branch}")
        parent = before or await repository.git.resolve(f"refs/heads/{repository.default_branch}")
        sha = await _write(hub, repository, branch, contents, by, message, parent)
    deliveries = await after_push(hub, repository, f"refs/heads/{branch}", before or ZERO, sha, by)
    return Pushed(sha, before or ZERO, tuple(deliveries))


async def move(hub: Hub, repository: Repository, ref: str, sha: str | None, by: Account) -> Pushed:
    """Point a branch or tag (`refs/heads/x`, `refs/tags/x`) at a commit by force, or delete it. Raises Impossible."""
    async with repository.git.lock:
        before = (await repository.git.refs(ref)).get(ref, ZERO)
        await _set(repository.git, ref, sha, before)
    deliveries = await after_push(hub, repository, ref, before, sha or ZERO, by)
    return Pushed(sha or ZERO, before, tuple(deliveries))


async def _set(git: Git, ref: str, sha: str | None, before: str) -> None:
    if sha is None and before == ZERO:
        raise Impossible(f"there is no {ref!r} to delete")
    try:
        await (git.delete_ref(ref) if sha is None else git.set_ref(ref, sha))
    except GitFailed as error:
        raise Impossible(f"{ref!r} can't be moved to {sha!r}: {error}") from error


async def _write(
    hub: Hub, repository: Repository, branch: str, contents: Contents, by: Account, message: str, parent: str | None
) -> str:
    """One commit by a person. Raises Impossible when git won't have it."""
    author = (by.login, code.email_of(by))
    ref = f"refs/heads/{branch}"
    try:
        return await repository.git.write(ref, contents.files, author, message, parent, hub.world.now(), contents.modes)
    except GitFailed as error:
        raise Impossible(f"git refused to commit to {branch!r}: {error}") from error


async def after_push(
    hub: Hub, repository: Repository, ref: str, before: str, after: str, by: Account
) -> list[Delivery]:
    """Everything GitHub does when a ref moved: create or delete, push, a check suite, and the open pull requests."""
    if before == after:
        return []
    repository.pushed_at = hub.world.now()
    kind, _, name = ref.removeprefix("refs/").partition("/")
    told = [_made_or_gone(hub, repository, kind, name, before, after, by)]
    told.append(await _told_push(hub, repository, ref, before, after, by))
    if kind == "heads" and after != ZERO:
        told.append(await checks.request_suite(hub, repository, after, name, before, by))
    if kind == "heads":
        told += await pulls.follow(hub, repository, name, before, after, by)
    return [one for one in told if one]


def _made_or_gone(
    hub: Hub, repository: Repository, kind: str, name: str, before: str, after: str, by: Account
) -> Delivery | None:
    """The `create` or `delete` event of a branch or tag that appeared or went."""
    if ZERO not in (before, after) or kind not in ("heads", "tags"):
        return None
    word = "tag" if kind == "tags" else "branch"
    parts: Json = {"ref": name, "ref_type": word, "pusher_type": "user"}
    if before == ZERO:
        parts |= {"full_ref": f"refs/{kind}/{name}", "master_branch": repository.default_branch, "description": None}
    return hub.tell(repository, "create" if before == ZERO else "delete", by, **parts)


async def _told_push(
    hub: Hub, repository: Repository, ref: str, before: str, after: str, by: Account
) -> Delivery | None:
    """The `push` event, its commits oldest first."""
    made, gone = before == ZERO, after == ZERO
    commits = [] if gone else await _pushed_commits(hub, repository, before, after)
    span = after[:12] if made else f"{before[:12]}...{after[:12]}"
    return hub.tell(
        repository,
        "push",
        by,
        ref=ref,
        before=before,
        after=after,
        created=made,
        deleted=gone,
        forced=not made and not gone and not await repository.git.is_ancestor(before, after),
        base_ref=None,
        compare=f"{hub.base}/{repository.full_name}/compare/{span}",
        commits=commits,
        head_commit=commits[-1] if commits else await _head_commit(hub, repository, after),
        pusher={"name": by.login, "email": code.email_of(by)},
    )


async def _head_commit(hub: Hub, repository: Repository, sha: str) -> Json | None:
    """The head of a push that brought nothing new; None when the branch is gone."""
    commit = await repository.git.commit(sha) if sha != ZERO else None
    return code.pushed_commit(hub.base, hub.world, repository, commit, []) if commit else None


async def _pushed_commits(hub: Hub, repository: Repository, before: str, after: str) -> list[Json]:
    """What is new on the ref; on a new branch, what the default branch hasn't."""
    git = repository.git
    since = before if before != ZERO else await git.resolve(f"refs/heads/{repository.default_branch}")
    selection = [after] + ([f"^{since}"] if since and since != after else [])
    commits = await git.commits(*selection, limit=MAX_PUSHED_COMMITS)
    shapes = []
    for one in reversed([] if since == after else commits):
        changes = await git.changes(one.parents[0], one.sha) if one.parents else []
        shapes.append(code.pushed_commit(hub.base, hub.world, repository, one, changes))
    return shapes


def rename(hub: Hub, repository: Repository, name: str, by: Account) -> Delivery | None:
    """Give a repository another name; the old one goes on leading to it. Raises Impossible."""
    was, full_name = repository.name, f"{repository.owner.login}/{name}"
    if not NAME.match(full_name) or hub.world.repository(full_name):
        raise Impossible(f"{full_name!r} can't be its name: it is taken or not a name")
    hub.world.renamed[repository.full_name.lower()] = hub.world.repositories.pop(repository.full_name.lower())
    repository.name = name
    hub.world.repositories[repository.full_name.lower()] = repository
    changes = {"repository": {"name": {"from": was}}}
    return hub.tell(repository, "repository", by, action="renamed", changes=changes)


def delete(hub: Hub, repository: Repository, by: Account) -> Delivery | None:
    """Remove a repository; pull requests that came from it have no head repository any more."""
    told = hub.tell(repository, "repository", by, action="deleted")
    del hub.world.repositories[repository.full_name.lower()]
    hub.world.renamed = {name: one for name, one in hub.world.renamed.items() if one is not repository}
    for other in hub.world.repositories.values():
        for issue in other.issues.values():
            if issue.pull and issue.pull.head_repo is repository:
                issue.pull.head_repo = None
    return told


async def publish_release(hub: Hub, repository: Repository, tag: str, body: str, by: Account) -> Delivery | None:
    """Publish a release of a tag that exists. Raises Impossible."""
    if await repository.git.resolve(f"refs/tags/{tag}") is None:
        raise Impossible(f"{repository.full_name} has no tag {tag!r}")
    shape = code.release(hub.base, repository, hub.world.next_id(), tag, body, by, hub.world.now())
    return hub.tell(repository, "release", by, action="published", release=shape)
