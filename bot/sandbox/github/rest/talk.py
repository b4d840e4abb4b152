"""Operations on issues, pull requests, comments and reactions."""

from datetime import datetime
from typing import Any

from bot.sandbox.github.acts import comments, pulls
from bot.sandbox.github.model import Comment, Issue, Reaction, iso, node_id
from bot.sandbox.github.refusals import GitHubError, not_found, validation_failed
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import accounts, code, talk

Json = dict[str, Any]
MAX_BODY = 65_536


async def get_issue(call: Call) -> Reply:
    """An issue, or a pull request seen as one."""
    return Reply(talk.issue(call.base, call.repository, call.issue()))


async def list_comments(call: Call) -> Reply:
    """Comments on an issue or a pull request, oldest first."""
    number = call.issue().number
    chosen = [one for one in call.repository.comments.values() if one.number == number and _recent(call, one)]
    return call.listed(chosen, lambda one: talk.comment(call.base, call.repository, one))


async def list_all_comments(call: Call) -> Reply:
    """Comments of the whole repository."""
    chosen = [one for one in call.repository.comments.values() if _recent(call, one)]
    if call.query.get("sort"):
        moment = "created_at" if call.query["sort"] == "created" else "updated_at"
        chosen.sort(key=lambda one: float(getattr(one, moment)), reverse=call.query.get("direction", "desc") == "desc")
    return call.listed(chosen, lambda one: talk.comment(call.base, call.repository, one))


async def get_comment(call: Call) -> Reply:
    """One comment."""
    return Reply(talk.comment(call.base, call.repository, _comment(call)))


async def create_comment(call: Call) -> Reply:
    """Say something."""
    issue = call.issue()
    _require_body(call.body["body"])
    comment, _ = comments.create(call.hub, call.repository, issue.number, call.body["body"], call.actor, call.app)
    shape = talk.comment(call.base, call.repository, comment)
    return Reply(shape, 201, {"Location": shape["url"]})


async def update_comment(call: Call) -> Reply:
    """Say something else instead; an app may change its own comments, and others' with write permission."""
    comment = _comment(call)
    _require_body(call.body["body"])
    comments.edit(call.hub, call.repository, comment, call.body["body"], call.actor)
    return Reply(talk.comment(call.base, call.repository, comment))


async def delete_comment(call: Call) -> Reply:
    """Take it back."""
    comments.delete(call.hub, call.repository, _comment(call), call.actor)
    return Reply(status=204)


async def create_reaction(call: Call) -> Reply:
    """Leave an emoji: 201, or 200 when it was there already."""
    reaction, new = comments.react(call.hub, _reactions(call), call.body["content"], call.actor)
    return Reply(talk.reaction(call.base, reaction), 201 if new else 200)


async def list_reactions(call: Call) -> Reply:
    """The emoji left, of one kind when asked so."""
    wanted = call.query.get("content")
    chosen = [one for one in _reactions(call) if wanted in (None, one.content)]
    return call.listed(chosen, lambda one: talk.reaction(call.base, one))


async def delete_reaction(call: Call) -> Reply:
    """Take one's own emoji away."""
    reactions = _reactions(call)
    found = next((one for one in reactions if one.id == call.path["reaction_id"]), None)
    if found is None:
        raise not_found()
    if found.user is not call.actor:
        raise GitHubError(403, "Must have admin rights to Repository.")
    reactions.remove(found)
    return Reply(status=204)


async def list_pulls(call: Call) -> Reply:
    """Pull requests, newest first; open ones unless asked otherwise. `head` is `owner:branch`."""
    query, newest = call.query, sorted(call.repository.issues.values(), key=lambda one: one.number, reverse=True)
    if query.get("direction") == "asc":
        newest.reverse()
    state = query.get("state", "open")
    chosen = [one for one in newest if one.pull and state in ("all", one.state) and _matches(one, query)]
    return call.listed(chosen, lambda one: talk.simple_pull(call.base, call.repository, one))


async def list_pulls_of_commit(call: Call) -> Reply:
    """Pull requests whose head is this commit, or that went in as it."""
    sha = call.path["commit_sha"]
    chosen = [one for one in call.repository.issues.values() if one.pull and _holds(one, sha)]
    return call.listed(chosen, lambda one: talk.simple_pull(call.base, call.repository, one))


async def get_pull(call: Call) -> Reply:
    """One pull request with its figures."""
    issue = call.issue()
    return Reply(talk.pull_request(call.base, call.repository, issue, await pulls.stat(call.repository, issue)))


async def list_files(call: Call) -> Reply:
    """Files a pull request changes."""
    git, pull = call.repository.git, call.issue().pull
    if pull is None:
        raise not_found()
    root = await git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    changes = await git.changes(root, pull.head_sha)
    return call.listed(changes, lambda one: code.changed_file(call.base, call.repository, pull.head_sha, one))


async def list_pull_commits(call: Call) -> Reply:
    """Commits of a pull request, oldest first, 250 at most."""
    pull = call.issue().pull
    if pull is None:
        raise not_found()
    commits = await call.repository.git.commits(pull.head_sha, f"^{pull.base_sha}", limit=250)
    oldest = list(reversed(commits))
    return call.listed(oldest, lambda one: code.commit(call.base, call.hub.world, call.repository, one))


async def list_reviews(call: Call) -> Reply:
    """Reviews of a pull request, oldest first."""
    issue = call.issue()
    return call.listed(issue.pull.reviews if issue.pull else [], lambda one: _review(call, issue, one))


def _review(call: Call, issue: Issue, one: Json) -> Json:
    page = f"{call.base}/{call.repository.full_name}/pull/{issue.number}"
    url = f"{accounts.api_of(call.base, call.repository)}/pulls/{issue.number}"
    author = call.hub.world.account(one["login"])
    return {
        "id": one["id"],
        "node_id": node_id("PRR", one["id"]),
        "user": accounts.user(call.base, author),
        "body": one["body"],
        "state": one["state"],
        "html_url": f"{page}#pullrequestreview-{one['id']}",
        "pull_request_url": url,
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": iso(one["at"]),
        "commit_id": one["sha"],
        "author_association": talk.association(call.repository, author),
    }


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(call.path["comment_id"])
    if found is None:
        raise not_found()
    return found


def _reactions(call: Call) -> list[Reaction]:
    """The reactions of the comment or issue a request names."""
    return _comment(call).reactions if "comment_id" in call.path else call.issue().reactions


def _require_body(body: str) -> None:
    """Raises GitHubError 422 for a body that is blank or too long."""
    if not body.strip():
        raise validation_failed("IssueComment", "body", "missing_field")
    if len(body) > MAX_BODY:
        message = f"Body is too long (maximum is {MAX_BODY} characters)"
        raise validation_failed("IssueComment", "data", "unprocessable", message)


def _recent(call: Call, one: Comment) -> bool:
    since = call.query.get("since")
    return since is None or one.updated_at >= datetime.fromisoformat(since).timestamp()


def _matches(one: Issue, query: Json) -> bool:
    pull = one.pull
    label = f"{pull.head_owner.login}:{pull.head_ref}" if pull else ""
    wanted = query.get("head", "")
    head = not wanted or label.lower() == wanted.lower() or ":" not in wanted
    return head and (pull is None or query.get("base") in (None, pull.base_ref))


def _holds(one: Issue, sha: str) -> bool:
    pull = one.pull
    return pull is not None and (pull.head_sha == sha or (pull.merged and pull.merge_commit_sha == sha))


_REACTIONS: dict[str, Handler] = {
    "create-for": create_reaction,
    "list-for": list_reactions,
    "delete-for": delete_reaction,
}
HANDLERS: dict[str, Handler] = {
    "issues/get": get_issue,
    "issues/list-comments": list_comments,
    "issues/list-comments-for-repo": list_all_comments,
    "issues/get-comment": get_comment,
    "issues/create-comment": create_comment,
    "issues/update-comment": update_comment,
    "issues/delete-comment": delete_comment,
    **{f"reactions/{verb}-issue": handler for verb, handler in _REACTIONS.items()},
    **{f"reactions/{verb}-issue-comment": handler for verb, handler in _REACTIONS.items()},
    "pulls/list": list_pulls,
    "pulls/get": get_pull,
    "pulls/list-files": list_files,
    "pulls/list-commits": list_pull_commits,
    "pulls/list-reviews": list_reviews,
    "repos/list-pull-requests-associated-with-commit": list_pulls_of_commit,
}
