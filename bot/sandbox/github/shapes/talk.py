"""How GitHub writes issues, pull requests, comments and reactions."""

from collections import Counter
from typing import Any

from bot.sandbox.github.model import Account, Comment, Issue, Pull, Reaction, Repository, iso, node_id
from bot.sandbox.github.shapes import accounts

Json = dict[str, Any]
EMOJI = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def association(repository: Repository, account: Account) -> str:
    """What GitHub says somebody is to a repository; never to be trusted as a permission."""
    if account.login == repository.owner.login:
        return "OWNER"
    if account.login.lower() in repository.owner.members:
        return "MEMBER"
    return "COLLABORATOR" if account.login.lower() in repository.roles else "NONE"


def reaction(base: str, one: Reaction) -> Json:
    """One reaction."""
    return {
        "id": one.id,
        "node_id": node_id("REA", one.id),
        "user": accounts.user(base, one.user),
        "content": one.content,
        "created_at": iso(one.created_at),
    }


def rollup(url: str, reactions: list[Reaction]) -> Json:
    """How many of each emoji there are."""
    counts = Counter(one.content for one in reactions)
    return {
        "url": f"{url}/reactions",
        "total_count": len(reactions),
        **{emoji: counts[emoji] for emoji in EMOJI},
    }


def comment(base: str, repository: Repository, one: Comment) -> Json:
    """A comment on an issue or a pull request."""
    url = f"{accounts.api_of(base, repository)}/issues/comments/{one.id}"
    kind = "pull" if repository.pull(one.number) else "issues"
    return {
        "url": url,
        "html_url": f"{base}/{repository.full_name}/{kind}/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{accounts.api_of(base, repository)}/issues/{one.number}",
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "user": accounts.user(base, one.user),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "body": one.body,
        "author_association": association(repository, one.user),
        "reactions": rollup(url, one.reactions),
        "performed_via_github_app": accounts.app(base, one.app) if one.app else None,
    }


def issue(base: str, repository: Repository, one: Issue) -> Json:
    """An issue; one that is a pull request says so under `pull_request`."""
    api = accounts.api_of(base, repository)
    url, page = f"{api}/issues/{one.number}", f"{base}/{repository.full_name}"
    shape = {
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{page}/{'pull' if one.pull else 'issues'}/{one.number}",
        **_both(base, repository, one),
        "comments": _comments_of(repository, one.number),
        "reactions": rollup(url, one.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": None,
        "closed_by": accounts.user(base, one.closed_by) if one.closed_by else None,
    }
    if one.pull:
        shape["draft"] = one.pull.draft
        shape["pull_request"] = {
            "url": f"{api}/pulls/{one.number}",
            "html_url": f"{page}/pull/{one.number}",
            "diff_url": f"{page}/pull/{one.number}.diff",
            "patch_url": f"{page}/pull/{one.number}.patch",
            "merged_at": iso(one.pull.merged_at),
        }
    return shape


def issue_in_delivery(base: str, repository: Repository, one: Issue) -> Json:
    """The same without what deliveries leave out."""
    shape = issue(base, repository, one)
    del shape["closed_by"]
    return shape


def simple_pull(base: str, repository: Repository, one: Issue) -> Json:
    """A pull request as lists carry it."""
    pull = _pull_of(one)
    url, page = _pull_urls(base, repository, one.number)
    issue_url = f"{accounts.api_of(base, repository)}/issues/{one.number}"
    statuses = f"{accounts.api_of(base, repository)}/statuses/{pull.head_sha}"
    links = {
        "self": url,
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{accounts.api_of(base, repository)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    return {
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_url,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses,
        **_both(base, repository, one),
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "merged_at": iso(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _side(base, pull.head_owner, pull.head_ref, pull.head_sha, pull.head_repo),
        "base": _side(base, repository.owner, pull.base_ref, pull.base_sha, repository),
        "_links": {name: {"href": link} for name, link in links.items()},
        "auto_merge": None,
        "draft": pull.draft,
    }


def pull_request(base: str, repository: Repository, one: Issue, stat: Json) -> Json:
    """A pull request asked for by number, or in a delivery. `stat`: commits, additions, deletions, changed_files."""
    pull = _pull_of(one)
    open_ = one.state == "open"
    return {
        **simple_pull(base, repository, one),
        "merged": pull.merged,
        "mergeable": (pull.merge_commit_sha is not None) if open_ else None,
        "rebaseable": None,
        "mergeable_state": "clean" if open_ and pull.merge_commit_sha else "dirty" if open_ else "unknown",
        "merged_by": accounts.user(base, pull.merged_by) if pull.merged_by else None,
        "comments": _comments_of(repository, one.number),
        "review_comments": 0,
        "maintainer_can_modify": False,
        **stat,
    }


def pull_in_check(base: str, repository: Repository, one: Issue) -> Json:
    """The short form check runs carry."""
    pull = _pull_of(one)
    return {
        "url": f"{accounts.api_of(base, repository)}/pulls/{one.number}",
        "id": pull.id,
        "number": one.number,
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": _named(base, pull.head_repo or repository)},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": _named(base, repository)},
    }


def _named(base: str, repository: Repository) -> Json:
    return {"id": repository.id, "url": accounts.api_of(base, repository), "name": repository.name}


def _pull_of(one: Issue) -> Pull:
    if one.pull is None:
        raise ValueError(f"#{one.number} is not a pull request")
    return one.pull


def _pull_urls(base: str, repository: Repository, number: int) -> tuple[str, str]:
    return f"{accounts.api_of(base, repository)}/pulls/{number}", f"{base}/{repository.full_name}/pull/{number}"


def _both(base: str, repository: Repository, one: Issue) -> Json:
    """What an issue and a pull request say alike."""
    api = accounts.api_of(base, repository)
    labels = [
        {
            "id": number,
            "node_id": node_id("LA", number),
            "url": f"{api}/labels/{name}",
            "name": name,
            "color": "ededed",
            "default": False,
            "description": None,
        }
        for number, name in enumerate(one.labels, start=1)
    ]
    return {
        "id": one.id,
        "node_id": node_id("I", one.id),
        "number": one.number,
        "title": one.title,
        "user": accounts.user(base, one.user),
        "labels": labels,
        "state": one.state,
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "closed_at": iso(one.closed_at),
        "author_association": association(repository, one.user),
        "body": one.body,
    }


def _comments_of(repository: Repository, number: int) -> int:
    return sum(one.number == number for one in repository.comments.values())


def _side(base: str, owner: Account, ref: str, sha: str, repository: Repository | None) -> Json:
    """Head or base; `repo` is null when the fork is gone."""
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": accounts.user(base, owner),
        "repo": _pulled_repository(base, repository) if repository else None,
    }


def _pulled_repository(base: str, repository: Repository) -> Json:
    merging = {"allow_squash_merge": True, "allow_merge_commit": True, "allow_rebase_merge": True}
    merging |= {"allow_auto_merge": False, "delete_branch_on_merge": False, "allow_update_branch": False}
    defaults = {
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "merge_commit_message": "PR_TITLE",
        "merge_commit_title": "MERGE_MESSAGE",
    }
    return {**accounts.repository(base, repository), **merging, **defaults}
