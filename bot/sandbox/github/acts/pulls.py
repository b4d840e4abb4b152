"""What happens to pull requests and issues: opened, pushed to, closed, reopened, merged."""

from typing import Any

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, Issue, Pull, Repository
from bot.sandbox.github.shapes import talk

Json = dict[str, Any]


def open_issue(hub: Hub, repository: Repository, title: str, body: str | None, by: Account) -> Issue:
    """A plain issue, of which the app isn't told."""
    number = max(repository.issues, default=0) + 1
    now = hub.world.now()
    issue = repository.issues[number] = Issue(hub.world.next_id(), number, title, body, by, now, now)
    return issue


async def open_pull(
    hub: Hub, repository: Repository, head_repo: Repository, head: str, base: str, title: str, body: str | None,
    by: Account, *, draft: bool = False,
) -> tuple[Issue, Delivery | None]:  # fmt: skip
    """A pull request from a branch of this repository or of a fork. Raises Impossible."""
    head_sha = await head_repo.git.resolve(f"refs/heads/{head}")
    base_sha = await repository.git.resolve(f"refs/heads/{base}")
    if head_sha is None or base_sha is None:
        missing = f"{head_repo.full_name}:{head}" if head_sha is None else f"{repository.full_name}:{base}"
        raise Impossible(f"there is no branch {missing}")
    _require_new(repository, head_repo, head, base)
    issue = open_issue(hub, repository, title, body, by)
    issue.pull = Pull(hub.world.next_id(), head, head_sha, head_repo.owner, head_repo, base, base_sha, draft)
    await _bring_head(repository, issue)
    await _try_merge(repository, issue)
    return issue, await _tell(hub, repository, issue, "opened", by)


async def follow(
    hub: Hub, repository: Repository, branch: str, before: str, after: str, by: Account
) -> list[Delivery | None]:
    """What a branch that moved (or went: `after` is all zeros) means for the open pull requests from it and onto it."""
    told: list[Delivery | None] = []
    for home in list(hub.world.repositories.values()):
        for issue in [one for one in home.issues.values() if one.pull and one.state == "open"]:
            pull = _pull(issue)
            leaves = pull.head_repo is repository and pull.head_ref == branch
            enters = home is repository and pull.base_ref == branch
            if after == ZERO and (leaves or enters):
                told.append(await close(hub, home, issue, by))
            elif leaves:
                told.append(await _synchronize(hub, home, issue, before, after, by))
            elif enters:
                told.append(await _overtake(hub, home, issue, after, by))
    return told


async def _synchronize(
    hub: Hub, repository: Repository, issue: Issue, before: str, after: str, by: Account
) -> Delivery | None:
    """The head branch moved."""
    pull = _pull(issue)
    pull.head_sha, issue.updated_at = after, hub.world.now()
    await _bring_head(repository, issue)
    await _try_merge(repository, issue)
    return await _tell(hub, repository, issue, "synchronize", by, before=before, after=after)


async def _overtake(hub: Hub, repository: Repository, issue: Issue, base_sha: str, by: Account) -> Delivery | None:
    """The base branch moved: with the head in it that is a merge, without it nobody is told."""
    pull = _pull(issue)
    if await repository.git.is_ancestor(pull.head_sha, base_sha):
        return await mark_merged(hub, repository, issue, base_sha, by)
    pull.base_sha = base_sha
    await _try_merge(repository, issue)
    return None


async def close(hub: Hub, repository: Repository, issue: Issue, by: Account) -> Delivery | None:
    """Close without merging. Raises Impossible when it isn't open."""
    _require_open(issue)
    now = hub.world.now()
    issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, by, now
    return await _tell(hub, repository, issue, "closed", by) if issue.pull else None


async def reopen(hub: Hub, repository: Repository, issue: Issue, by: Account) -> Delivery | None:
    """Open again. Raises Impossible when it is open or merged."""
    if issue.state == "open" or (issue.pull and issue.pull.merged):
        raise Impossible(f"#{issue.number} can't be reopened: it is {'open' if issue.state == 'open' else 'merged'}")
    issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "open", None, None, hub.world.now()
    return await _tell(hub, repository, issue, "reopened", by) if issue.pull else None


async def merged_tree(repository: Repository, issue: Issue) -> str:
    """The commit that merging makes. Raises Impossible when it isn't open or conflicts."""
    _require_open(issue)
    pull = _pull(issue)
    title = f"Merge pull request #{issue.number} from {pull.head_owner.login}/{pull.head_ref}\n\n{issue.title}"
    sha = await repository.git.merge(pull.base_sha, pull.head_sha, title)
    if sha is None:
        raise Impossible(f"#{issue.number} can't be merged: it conflicts with {pull.base_ref}")
    return sha


async def mark_merged(hub: Hub, repository: Repository, issue: Issue, sha: str, by: Account) -> Delivery | None:
    """It went in as this commit; the branch was moved by whoever calls."""
    pull, now = _pull(issue), hub.world.now()
    pull.merge_commit_sha, pull.merged_at, pull.merged_by = sha, now, by
    issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, by, now
    return await _tell(hub, repository, issue, "closed", by)


async def stat(repository: Repository, issue: Issue) -> Json:
    """Commits, lines and files of a pull request, against the point where it left its base."""
    pull = _pull(issue)
    root = await repository.git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    changes = await repository.git.changes(root, pull.head_sha)
    return {
        "commits": await repository.git.count(root, pull.head_sha),
        "additions": sum(one.additions for one in changes),
        "deletions": sum(one.deletions for one in changes),
        "changed_files": len(changes),
    }


async def _tell(
    hub: Hub, repository: Repository, issue: Issue, action: str, by: Account, **more: Any
) -> Delivery | None:
    """A `pull_request` event."""
    shape = talk.pull_request(hub.base, repository, issue, await stat(repository, issue))
    return hub.tell(repository, "pull_request", by, action=action, number=issue.number, pull_request=shape, **more)


async def _bring_head(repository: Repository, issue: Issue) -> None:
    """Keep the head's commits in the base repository under `refs/pull/N/head`."""
    pull = _pull(issue)
    ref = f"refs/pull/{issue.number}/head"
    if pull.head_repo is None or pull.head_repo is repository:
        await repository.git.set_ref(ref, pull.head_sha)
    else:
        await repository.git.fetch(pull.head_repo.git, f"refs/heads/{pull.head_ref}", ref)


async def _try_merge(repository: Repository, issue: Issue) -> None:
    """Keep the test merge under `refs/pull/N/merge`; none when it conflicts."""
    pull = _pull(issue)
    message = f"Merge {pull.head_sha} into {pull.base_sha}"
    pull.merge_commit_sha = await repository.git.merge(pull.base_sha, pull.head_sha, message)
    if pull.merge_commit_sha:
        await repository.git.set_ref(f"refs/pull/{issue.number}/merge", pull.merge_commit_sha)


def _pull(issue: Issue) -> Pull:
    if issue.pull is None:
        raise Impossible(f"#{issue.number} is an issue, not a pull request")
    return issue.pull


def _require_new(repository: Repository, head_repo: Repository, head: str, base: str) -> None:
    """Raises Impossible when an open pull request joins the same branches."""
    for issue in repository.issues.values():
        pull = issue.pull
        if pull and issue.state == "open" and (pull.head_repo, pull.head_ref, pull.base_ref) == (head_repo, head, base):
            raise Impossible(f"a pull request already exists for {head_repo.owner.login}:{head}: #{issue.number}")


def _require_open(issue: Issue) -> None:
    if issue.state != "open":
        raise Impossible(f"#{issue.number} is not open")
