"""Operations that read a repository: itself, its files, branches, commits and permissions."""

from typing import Any

from bot.sandbox.github.git import SYMLINK, Commit, Entry, Git, GitFailed
from bot.sandbox.github.model import node_id
from bot.sandbox.github.refusals import GitHubError, not_found
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import accounts, code

Json = dict[str, Any]
MAX_COMPARED = 250
MAX_COMPARED_FILES = 300
LANGUAGES = {"py": "Python", "js": "JavaScript", "ts": "TypeScript", "go": "Go", "html": "HTML", "rb": "Ruby"}


async def get_repository(call: Call) -> Reply:
    """The repository, and what the asker may do in it."""
    user = call.identity.user
    role = call.repository.role(user.login) if user else "read" if call.identity.installation else None
    return Reply(accounts.full_repository(call.base, call.repository, role))


async def get_permission(call: Call) -> Reply:
    """What somebody may do here; people who don't exist are an error, strangers have none or read."""
    account = call.hub.world.accounts.get(call.path["username"].lower())
    if account is None:
        raise GitHubError(404, f"{call.path['username']} is not a user")
    return Reply(accounts.collaborator_permission(call.base, call.repository, account))


async def get_content(call: Call) -> Reply:
    """A file or a folder at a ref (the default branch when none is given)."""
    repository, path = call.repository, call.path.get("path", "").strip("/")
    ref = call.query.get("ref") or repository.default_branch
    sha = await repository.git.resolve(ref)
    if sha is None:
        raise GitHubError(404, f"No commit found for the ref {ref}")
    if not path:
        return await _folder(call, ref, sha, "")
    entry = await _entry(call, sha, path)
    if entry.kind == "tree":
        return await _folder(call, ref, sha, path)
    if entry.kind == "commit":
        url = (await repository.git.submodules(sha)).get(path)
        return Reply(code.content(call.base, repository, ref, entry) | {"submodule_git_url": url})
    return await _file(call, ref, sha, entry)


async def _entry(call: Call, sha: str, path: str) -> Entry:
    if ".." in path.split("/") or "\0" in path:
        raise GitHubError(422, "path contains a malformed path component")
    entry = await call.repository.git.entry(sha, path)
    if entry is None:
        raise not_found()
    return entry


async def _folder(call: Call, ref: str, sha: str, path: str) -> Reply:
    """Up to 1,000 entries; where files hold no content and submodules call themselves files, as GitHub has it."""
    entries = await call.repository.git.tree(sha, path=path)
    shapes = [_in_folder(call, ref, path, one) for one in entries[:1000]]
    if "object" in call.accept:
        size = {"type": "dir", "size": 0, "path": path, "entries": shapes}
        return Reply(size | {"name": path.rpartition("/")[2], "sha": sha})
    return Reply(shapes)


def _in_folder(call: Call, ref: str, path: str, one: Entry) -> Json:
    full = f"{path}/{one.path}" if path else one.path
    moved = Entry(one.mode, one.kind, one.sha, one.size_bytes, full)
    return code.content(call.base, call.repository, ref, moved, "file" if one.kind == "commit" else None)


async def _file(call: Call, ref: str, sha: str, entry: Entry) -> Reply:
    """A file: raw when asked for, else as base64; a link inside the repository is followed."""
    entry = await _followed(call, sha, entry)
    if (entry.size_bytes or 0) > 100_000_000:
        error = {"resource": "Blob", "field": "data", "code": "too_large"}
        raise GitHubError(403, "This API returns blobs up to 100 MB in size.", errors=[error])
    data = await call.repository.git.blob(entry.sha)
    if "raw" in call.accept:
        return Reply(raw=data, media="application/vnd.github.raw+json; charset=utf-8")
    return Reply(code.file_content(call.base, call.repository, ref, entry, data))


async def _followed(call: Call, sha: str, entry: Entry) -> Entry:
    """The file a link leads to; the link itself when it leads out of the repository or nowhere."""
    if entry.mode != SYMLINK:
        return entry
    target = (await call.repository.git.blob(entry.sha)).decode(errors="replace")
    steps: list[str] = entry.path.split("/")[:-1]
    for step in target.split("/"):
        if step == ".." and steps:
            steps.pop()
        elif step in ("..", "") or step == ".git":
            return entry
        elif step != ".":
            steps.append(step)
    found = await call.repository.git.entry(sha, "/".join(steps)) if steps else None
    return found if found and found.kind == "blob" and found.mode != SYMLINK else entry


async def list_languages(call: Call) -> Reply:
    """Bytes by language, told by the files' endings."""
    sha = await call.repository.git.resolve(call.repository.default_branch)
    counts: dict[str, int] = {}
    for one in await call.repository.git.tree(sha, recursive=True) if sha else []:
        if language := LANGUAGES.get(one.path.rpartition(".")[2]):
            counts[language] = counts.get(language, 0) + (one.size_bytes or 0)
    return Reply(counts)


async def list_branches(call: Call) -> Reply:
    """Every branch, by name."""
    heads = await call.repository.git.refs("refs/heads/")
    names = [(name.removeprefix("refs/heads/"), sha) for name, sha in sorted(heads.items())]
    if "protected" in call.query:
        names = [one for one in names if (one[0] in call.repository.protected) == call.query["protected"]]
    return call.listed(names, lambda one: code.short_branch(call.base, call.repository, *one))


async def get_branch(call: Call) -> Reply:
    """One branch with its head commit."""
    name = call.path["branch"]
    sha = (await call.repository.git.refs(f"refs/heads/{name}")).get(f"refs/heads/{name}")
    commit = await call.repository.git.commit(sha) if sha else None
    if commit is None:
        raise GitHubError(404, "Branch not found")
    return Reply(code.branch(call.base, call.repository, name, _commit_shape(call, commit)))


async def list_tags(call: Call) -> Reply:
    """Every tag, by name, newest name first."""
    api = accounts.api_of(call.base, call.repository)
    tags = sorted(await call.repository.git.refs("refs/tags/"), reverse=True)
    named = [(name.removeprefix("refs/tags/"), await call.repository.git.resolve(name)) for name in tags]

    def shape(one: tuple[str, str]) -> Json:
        name, sha = one
        commit = {"sha": sha, "url": f"{api}/commits/{sha}"}
        balls = {"zipball_url": f"{api}/zipball/refs/tags/{name}", "tarball_url": f"{api}/tarball/refs/tags/{name}"}
        return {"name": name, "commit": commit, **balls, "node_id": node_id("REF", len(name))}

    return call.listed(named, shape)


async def get_commit(call: Call) -> Reply:
    """One commit by SHA, branch or tag; only its SHA when that media type is asked for."""
    git = call.repository.git
    sha = await call.commit(call.path["ref"])
    if "sha" in call.accept:
        return Reply(raw=sha.encode(), media="application/vnd.github.sha; charset=utf-8")
    commit = await git.commit(sha)
    if commit is None:
        raise not_found()
    parent = commit.parents[0] if commit.parents else await _empty_tree(call)
    changes = await git.changes(parent, sha)
    return Reply(code.full_commit(call.base, call.hub.world, call.repository, commit, changes))


async def _empty_tree(call: Call) -> str:
    return (await call.repository.git.run("hash-object", "-t", "tree", "-w", "--stdin")).decode().strip()


async def list_commits(call: Call) -> Reply:
    """Commits that a ref holds, newest first; those of one `author` (a login or an address) where one is named."""
    git = call.repository.git
    sha = await git.resolve(call.query.get("sha") or call.repository.default_branch)
    if sha is None:
        raise not_found()
    theirs = _by(call)
    total = int(await git.run("rev-list", "--count", *theirs, sha))
    size = max(1, min(call.query.get("per_page", 30), 100))
    commits = await git.commits(*theirs, sha, limit=size, skip=size * (max(1, call.query.get("page", 1)) - 1))
    return Reply([_commit_shape(call, one) for one in commits], pages=max(1, -(-total // size)))


def _by(call: Call) -> list[str]:
    """What git is asked so that it lists the commits of the `author` alone."""
    named = call.query.get("author")
    if not named:
        return []
    account = call.hub.world.accounts.get(named.lower())
    address = code.email_of(account) if account else named
    return ["--fixed-strings", "--regexp-ignore-case", f"--author=<{address}>"]


async def compare(call: Call) -> Reply:
    """How far two commits are apart, `BASE...HEAD`; HEAD may be `owner:branch` of a fork."""
    base_name, dots, head_name = call.path["basehead"].partition("...")
    base, head = await _compared(call, base_name), await _compared(call, head_name)
    root = await call.repository.git.merge_base(base, head) if dots and base and head else None
    if base is None or head is None or root is None:
        raise not_found()
    commits = await call.repository.git.commits(head, f"^{base}", limit=MAX_COMPARED)
    tips = {one.sha: one for one in await call.repository.git.commits("--no-walk=unsorted", base, root, limit=2)}
    files = (await call.repository.git.changes(root, head))[:MAX_COMPARED_FILES]
    return Reply(
        {
            **_compared_urls(call, base_name, head_name, base, head),
            **await _distance(call, base, head),
            "base_commit": _commit_shape(call, tips[base]),
            "merge_base_commit": _commit_shape(call, tips[root]),
            "commits": [_commit_shape(call, one) for one in reversed(commits)],
            "files": [code.changed_file(call.base, call.repository, head, one) for one in files],
        }
    )


def _commit_shape(call: Call, one: Commit) -> Json:
    return code.commit(call.base, call.hub.world, call.repository, one)


def _compared_urls(call: Call, base_name: str, head_name: str, base: str, head: str) -> Json:
    """Where a comparison is found; the permanent link names commits."""
    page, span = f"{call.base}/{call.repository.full_name}/compare", f"{base_name}...{head_name}"
    return {
        "url": f"{accounts.api_of(call.base, call.repository)}/compare/{span}",
        "html_url": f"{page}/{span}",
        "permalink_url": f"{page}/{base[:7]}...{head[:7]}",
        "diff_url": f"{page}/{span}.diff",
        "patch_url": f"{page}/{span}.patch",
    }


async def _distance(call: Call, base: str, head: str) -> Json:
    """How many commits each side has that the other hasn't, and the word for it."""
    ahead, behind = await call.repository.git.count(base, head), await call.repository.git.count(head, base)
    word = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    return {"status": word, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead}


async def _compared(call: Call, name: str) -> str | None:
    """The commit one side of a comparison names; `owner:branch` is brought here from that owner's fork."""
    owner, colon, branch = name.partition(":")
    if not colon or owner.lower() == call.repository.owner.login.lower():
        return await call.repository.git.resolve(branch if colon else name)
    for fork in call.hub.world.repositories.values():
        if fork.parent is call.repository and fork.owner.login.lower() == owner.lower():
            return await _brought(call, fork.git, branch)
    return None


async def _brought(call: Call, other: Git, branch: str) -> str | None:
    """A fork's branch, its commits fetched so that they can be compared here."""
    sha = await other.resolve(f"refs/heads/{branch}")
    if sha is None:
        return None
    try:
        await call.repository.git.fetch(other, f"refs/heads/{branch}", f"refs/pull/compared/{sha}")
    except GitFailed as error:
        raise not_found() from error
    return sha


HANDLERS: dict[str, Handler] = {
    "repos/get": get_repository,
    "repos/get-collaborator-permission-level": get_permission,
    "repos/get-content": get_content,
    "repos/list-languages": list_languages,
    "repos/list-branches": list_branches,
    "repos/get-branch": get_branch,
    "repos/list-tags": list_tags,
    "repos/get-commit": get_commit,
    "repos/list-commits": list_commits,
    "repos/compare-commits-with-basehead": compare,
}
