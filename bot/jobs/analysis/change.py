"""Says for a job who owns the lines a pull request changes, and who may review it."""

from __future__ import annotations

from typing import Any

from bot.jobs.analysis.plan import AnalysisPlan, Target
from bot.jobs.analysis.progress import Listener, Progress, Stage
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into
from bot.jobs.analysis.runs.reviewers import ChangeOwners, owners_of_change
from bot.jobs.analysis.runs.threads import in_a_thread
from bot.jobs.analysis.summary import of_change
from bot.jobs.analysis.telling import told
from bot.jobs.analysis.tools import Tools
from bot.jobs.context import JobContext


async def judge_change(tools: Tools, context: JobContext, plan: AnalysisPlan) -> dict[str, Any]:
    """The owners and reviewers, as a job's result tells them. Raises what cloning and comparing raise."""
    (target,) = plan.targets
    async with told(context, target.name, tools.locale) as listener:

        async def compare(token: str | None) -> ChangeOwners:
            return await in_a_thread(
                lambda children: _compare(tools, plan, target, token, listener, children), tools.pool
            )

        change = await tools.with_token(plan, target, context.masker, compare)
    logins = await tools.logins(target, plan.base, [owner.author for owner in change.owners])
    return of_change(change, logins, plan.by)


def _compare(
    tools: Tools, plan: AnalysisPlan, target: Target, token: str | None, listener: Listener, children: Children
) -> ChangeOwners:
    """In a thread, with the clone locked: both commits are fetched by their ids, under names of the change's own."""
    listener(Progress(Stage.CLONING))
    address = tools.address(target)
    with tools.clones.fetched(address, plan.base, children, token=token, called=f"base of {target.ref}") as (clone, _):
        fetch_into(clone, address, target.sha, children, token=token, called=f"head of {target.ref}")
        listener(Progress(Stage.DIFFING))
        return owners_of_change(clone, plan.base, target.sha, children)
