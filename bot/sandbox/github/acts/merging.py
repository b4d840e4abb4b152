"""A merge queue: it makes the merge on a branch of its own, and asks the app for checks of it."""

from bot.sandbox.github.acts import pulls, repositories
from bot.sandbox.github.acts.repositories import Pushed
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, Issue, Repository
from bot.sandbox.github.shapes import code


async def queue(hub: Hub, repository: Repository, issue: Issue, by: Account) -> Pushed:
    """Put a pull request into the queue: its merge, as `merge_group` names it. Raises Impossible when it conflicts."""
    if issue.pull is None:
        raise Impossible(f"#{issue.number} is an issue, not a pull request")
    pull, sha = issue.pull, await pulls.merged_tree(repository, issue)
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{issue.number}-{pull.base_sha}"
    pushed = await repositories.move(hub, repository, ref, sha, by)
    head = await repository.git.commit(sha)
    group = {
        "head_sha": sha,
        "head_ref": ref,
        "base_sha": pull.base_sha,
        "base_ref": f"refs/heads/{pull.base_ref}",
        "head_commit": code.simple_commit(head) if head else None,
    }
    told = hub.tell(repository, "merge_group", by, action="checks_requested", merge_group=group)
    return Pushed(sha, pushed.before, tuple(one for one in (*pushed.deliveries, told) if one))
