"""Operations on the git database: refs, trees, commits, blobs, tags."""

from typing import Any

from bot.sandbox.github.git import GitFailed
from bot.sandbox.github.model import iso, node_id
from bot.sandbox.github.refusals import not_found
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import accounts, code

Json = dict[str, Any]


async def get_tree(call: Call) -> Reply:
    """A tree by its SHA, a commit's or a branch's; `recursive` (any value) lists everything below, up to a limit."""
    git, name = call.repository.git, call.path["tree_sha"]
    sha = await git.resolve(name) or (name if len(name) == 40 else None)
    if sha is None or await git.kind(sha) not in ("commit", "tree"):
        raise not_found()
    entries = await git.tree(sha, recursive="recursive" in call.query)
    limit = call.repository.tree_limit
    truncated = "recursive" in call.query and len(entries) > limit
    shown = entries[:limit] if truncated else entries
    tree = (await git.run("rev-parse", "--verify", f"{sha}^{{tree}}")).decode().strip()
    return Reply(code.tree(call.base, call.repository, tree, shown, truncated=truncated))


async def get_ref(call: Call) -> Reply:
    """One ref, named `heads/x` or `tags/x`, exactly."""
    name = "refs/" + call.path["ref"].removeprefix("refs/")
    found = await call.repository.git.refs(name)
    if name not in found:
        raise not_found()
    return Reply(await _shape(call, name, found[name]))


async def list_matching_refs(call: Call) -> Reply:
    """Every ref whose name begins so."""
    prefix = "refs/" + call.path["ref"].removeprefix("refs/")
    found = {name: sha for name, sha in (await call.repository.git.refs()).items() if name.startswith(prefix)}
    shapes = [await _shape(call, name, sha) for name, sha in sorted(found.items())]
    return Reply(shapes)


async def get_commit(call: Call) -> Reply:
    """A commit as git has it."""
    sha = call.path["commit_sha"]
    commit = await call.repository.git.commit(sha) if _is_sha(sha) else None
    if commit is None:
        raise not_found()
    return Reply(code.git_commit(call.base, call.repository, commit))


async def get_blob(call: Call) -> Reply:
    """A blob in base64, or raw when asked for."""
    sha = call.path["file_sha"]
    if not _is_sha(sha):
        raise not_found()
    try:
        data = await call.repository.git.blob(sha)
    except GitFailed as error:
        raise not_found() from error
    if "raw" in call.accept:
        return Reply(raw=data, media="application/vnd.github.raw+json; charset=utf-8")
    return Reply(code.blob(call.base, call.repository, sha, data))


async def get_tag(call: Call) -> Reply:
    """An annotated tag's own object."""
    sha, git = call.path["tag_sha"], call.repository.git
    if not _is_sha(sha) or await git.kind(sha) != "tag":
        raise not_found()
    head, _, message = (await git.run("cat-file", "tag", sha)).decode(errors="replace").partition("\n\n")
    facts = dict(line.split(" ", 1) for line in head.split("\n"))
    who, _, rest = facts.get("tagger", "GitHub <noreply@github.com> 0 +0000").partition(" <")
    email, _, when = rest.partition("> ")
    api = accounts.api_of(call.base, call.repository)
    target = {"sha": facts["object"], "type": facts["type"], "url": f"{api}/git/{facts['type']}s/{facts['object']}"}
    tagger = {"name": who, "email": email, "date": iso(float(when.split()[0]))}
    shape = {"node_id": node_id("TAG", int(sha[:8], 16)), "tag": facts["tag"], "sha": sha}
    url = f"{api}/git/tags/{sha}"
    return Reply(shape | {"url": url, "message": message, "tagger": tagger, "object": target})


async def _shape(call: Call, name: str, sha: str) -> Json:
    kind = await call.repository.git.kind(sha) or "commit"
    return code.reference(call.base, call.repository, name, sha, kind)


def _is_sha(text: str) -> bool:
    return len(text) == 40 and all(letter in "0123456789abcdef" for letter in text)


HANDLERS: dict[str, Handler] = {
    "git/get-tree": get_tree,
    "git/get-ref": get_ref,
    "git/list-matching-refs": list_matching_refs,
    "git/get-commit": get_commit,
    "git/get-blob": get_blob,
    "git/get-tag": get_tag,
}
