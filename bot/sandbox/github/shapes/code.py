"""How GitHub writes commits, refs, trees, files and comparisons."""

import base64
from typing import Any
from urllib.parse import quote

from bot.sandbox.github.git import Change, Commit, Entry, Signature
from bot.sandbox.github.model import Account, Repository, World, iso, node_id
from bot.sandbox.github.shapes import accounts

Json = dict[str, Any]
KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}


def email_of(account: Account) -> str:
    """The address GitHub hides people behind."""
    return f"{account.id}+{account.login}@users.noreply.github.com"


def author_of(world: World, signature: Signature) -> Account | None:
    """The account a commit's address belongs to."""
    matching = (one for one in world.accounts.values() if email_of(one) == signature.email)
    return next(matching, None)


def _person(signature: Signature) -> Json:
    return {"name": signature.name, "email": signature.email, "date": signature.when}


def _tree_link(api: str, sha: str) -> Json:
    return {"sha": sha, "url": f"{api}/git/trees/{sha}"}


UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(base: str, world: World, repository: Repository, one: Commit) -> Json:
    """A commit as lists carry it."""
    api, page = accounts.api_of(base, repository), f"{base}/{repository.full_name}"
    author, committer = author_of(world, one.author), author_of(world, one.committer)
    parents = [{"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in one.parents]
    return {
        "sha": one.sha,
        "node_id": node_id("C", int(one.sha[:8], 16)),
        "commit": {
            "author": _person(one.author),
            "committer": _person(one.committer),
            "message": one.message,
            "tree": _tree_link(api, one.tree),
            "url": f"{api}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": f"{api}/commits/{one.sha}",
        "html_url": f"{page}/commit/{one.sha}",
        "comments_url": f"{api}/commits/{one.sha}/comments",
        "author": accounts.user(base, author) if author else None,
        "committer": accounts.user(base, committer) if committer else None,
        "parents": parents,
    }


def full_commit(base: str, world: World, repository: Repository, one: Commit, changes: list[Change]) -> Json:
    """A commit asked for by name, with its files."""
    files = [changed_file(base, repository, one.sha, change) for change in changes]
    return {**commit(base, world, repository, one), "stats": stats(changes), "files": files}


def git_commit(base: str, repository: Repository, one: Commit) -> Json:
    """A commit as the git database has it."""
    api, page = accounts.api_of(base, repository), f"{base}/{repository.full_name}"
    return {
        "sha": one.sha,
        "node_id": node_id("C", int(one.sha[:8], 16)),
        "url": f"{api}/git/commits/{one.sha}",
        "html_url": f"{page}/commit/{one.sha}",
        "author": _person(one.author),
        "committer": _person(one.committer),
        "tree": _tree_link(api, one.tree),
        "message": one.message,
        "parents": [
            {"sha": sha, "url": f"{api}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in one.parents
        ],
        "verification": UNSIGNED,
    }


def simple_commit(one: Commit) -> Json:
    """A commit as a check suite carries it."""
    return {
        "id": one.sha,
        "tree_id": one.tree,
        "message": one.message,
        "timestamp": one.committer.when,
        "author": {"name": one.author.name, "email": one.author.email},
        "committer": {"name": one.committer.name, "email": one.committer.email},
    }


def pushed_commit(base: str, world: World, repository: Repository, one: Commit, changes: list[Change]) -> Json:
    """A commit as a push carries it, with the names of its files."""
    shape = {
        **simple_commit(one),
        "distinct": True,
        "url": f"{base}/{repository.full_name}/commit/{one.sha}",
        "author": _pusher(world, one.author),
        "committer": _pusher(world, one.committer),
    }
    names: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for change in changes:
        if change.status == "renamed":
            names["removed"].append(change.old_path or "")
            names["added"].append(change.path)
        else:
            names[change.status if change.status in names else "modified"].append(change.path)
    return shape | names


def _pusher(world: World, signature: Signature) -> Json:
    account = author_of(world, signature)
    named = {"username": account.login} if account else {}
    return {"name": signature.name, "email": signature.email, "date": signature.when, **named}


def stats(changes: list[Change]) -> Json:
    """Lines added and removed."""
    added, removed = sum(one.additions for one in changes), sum(one.deletions for one in changes)
    return {"total": added + removed, "additions": added, "deletions": removed}


def changed_file(base: str, repository: Repository, sha: str, one: Change) -> Json:
    """One changed file of a commit, a comparison or a pull request."""
    page, path = f"{base}/{repository.full_name}", quote(one.path)
    shape = {
        "sha": one.sha,
        "filename": one.path,
        "status": one.status,
        "additions": one.additions,
        "deletions": one.deletions,
        "changes": one.additions + one.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{accounts.api_of(base, repository)}/contents/{path}?ref={sha}",
    }
    if one.patch is not None:
        shape["patch"] = one.patch
    if one.old_path is not None:
        shape["previous_filename"] = one.old_path
    return shape


def reference(base: str, repository: Repository, name: str, sha: str, kind: str) -> Json:
    """A git ref."""
    api = accounts.api_of(base, repository)
    plural = {"commit": "commits", "tag": "tags"}.get(kind, f"{kind}s")
    return {
        "ref": name,
        "node_id": node_id("REF", len(name)),
        "url": f"{api}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{api}/git/{plural}/{sha}"},
    }


def tree(base: str, repository: Repository, sha: str, entries: list[Entry], *, truncated: bool) -> Json:
    """A tree; `truncated` says that entries were left out."""
    api = accounts.api_of(base, repository)
    return {
        "sha": sha,
        "url": f"{api}/git/trees/{sha}",
        "tree": [_tree_entry(api, one) for one in entries],
        "truncated": truncated,
    }


def _tree_entry(api: str, one: Entry) -> Json:
    shape: Json = {"path": one.path, "mode": one.mode, "type": one.kind, "sha": one.sha}
    if one.size_bytes is not None:
        shape["size"] = one.size_bytes
    if one.kind != "commit":
        shape["url"] = f"{api}/git/{one.kind}s/{one.sha}"
    return shape


def content(base: str, repository: Repository, ref: str, one: Entry, kind: str | None = None) -> Json:
    """An entry of a folder; what a file holds comes with `file_content`."""
    api, page, path = accounts.api_of(base, repository), f"{base}/{repository.full_name}", quote(one.path)
    word = kind or ("symlink" if one.mode == "120000" else KINDS[one.kind])
    url = f"{api}/contents/{path}?ref={quote(ref, safe='')}"
    plural = "trees" if one.kind == "tree" else "blobs"
    git_url = f"{api}/git/{plural}/{one.sha}" if one.kind != "commit" else None
    html_url = f"{page}/{'tree' if one.kind == 'tree' else 'blob'}/{quote(ref)}/{path}"
    raw = f"{page}/raw/{quote(ref)}/{path}" if one.kind == "blob" else None
    return {
        "name": one.path.rpartition("/")[2],
        "path": one.path,
        "sha": one.sha,
        "size": one.size_bytes or 0,
        "url": url,
        "html_url": html_url,
        "git_url": git_url,
        "download_url": raw,
        "type": word,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


def file_content(base: str, repository: Repository, ref: str, one: Entry, data: bytes) -> Json:
    """A file in base64, in lines of 60 as GitHub breaks them; over 1 MB the content is left out."""
    shape = content(base, repository, ref, one, "symlink" if one.mode == "120000" else "file")
    if one.mode == "120000":
        return shape | {"target": data.decode(errors="replace")}
    if len(data) > 1_000_000:
        return shape | {"content": "", "encoding": "none"}
    return shape | {"content": _lines(base64.b64encode(data).decode()), "encoding": "base64"}


def blob(base: str, repository: Repository, sha: str, data: bytes) -> Json:
    """A blob in base64."""
    return {
        "sha": sha,
        "node_id": node_id("B", int(sha[:8], 16)),
        "size": len(data),
        "url": f"{accounts.api_of(base, repository)}/git/blobs/{sha}",
        "content": _lines(base64.b64encode(data).decode()),
        "encoding": "base64",
    }


def _lines(text: str) -> str:
    return "".join(f"{text[at : at + 60]}\n" for at in range(0, len(text), 60))


def branch(base: str, repository: Repository, name: str, commit_shape: Json) -> Json:
    """A branch asked for by name."""
    api, page = accounts.api_of(base, repository), f"{base}/{repository.full_name}"
    return {
        "name": name,
        "commit": commit_shape,
        "_links": {"self": f"{api}/branches/{name}", "html": f"{page}/tree/{name}"},
        "protected": name in repository.protected,
        "protection": _protection(repository, name),
        "protection_url": f"{api}/branches/{name}/protection",
    }


def short_branch(base: str, repository: Repository, name: str, sha: str) -> Json:
    """A branch as lists carry it."""
    api = accounts.api_of(base, repository)
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{api}/commits/{sha}"},
        "protected": name in repository.protected,
        "protection": _protection(repository, name),
        "protection_url": f"{api}/branches/{name}/protection",
    }


def _protection(repository: Repository, name: str) -> Json:
    protected = name in repository.protected
    checks: Json = {"enforcement_level": "everyone" if protected else "off", "contexts": [], "checks": []}
    return {"enabled": protected, "required_status_checks": checks}


def release(base: str, repository: Repository, number: int, tag: str, body: str, by: Account, at: float) -> Json:
    """A published release."""
    url, page = f"{accounts.api_of(base, repository)}/releases/{number}", f"{base}/{repository.full_name}"
    balls = {f"{kind}_url": f"{accounts.api_of(base, repository)}/{kind}/{tag}" for kind in ("tarball", "zipball")}
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "html_url": f"{page}/releases/tag/{quote(tag)}",
        "id": number,
        "node_id": node_id("RE", number),
        "tag_name": tag,
        "target_commitish": repository.default_branch,
        "name": tag,
        "draft": False,
        "immutable": False,
        "author": accounts.user(base, by),
        "prerelease": False,
        "created_at": iso(at),
        "updated_at": iso(at),
        "published_at": iso(at),
        "assets": [],
        **balls,
        "body": body,
    }
