"""Analyses that come of events by themselves, where a repository's settings ask for them."""

from __future__ import annotations

from bot.deliveries.wishes import DeployPush, JudgeChange
from bot.desk.outcome import Outcome
from bot.desk.targets import pull_target
from bot.errors import Permanent, Refused
from bot.gates.facts import Facts, facts_about
from bot.github.api import GitHub
from bot.jobs.analysis.plan import AnalysisPlan, Subject, Target
from bot.jobs.analysis.submit import analysis_request
from bot.model import Origin
from bot.repo_config.config import RepoConfig


def analyse_push(wish: DeployPush, config: RepoConfig, installation_id: int) -> Outcome:
    """A push to the default branch brings the contributions up to date."""
    settings = config.analysis
    if wish.branch != wish.default_branch or not settings.pushes:
        return Outcome("ignored", "push_not_analysed")
    target = Target(
        wish.repository.full_name,
        ref=wish.branch,
        sha=wish.sha,
        is_default=True,
        repository_id=wish.repository.id,
        installation_id=installation_id,
    )
    plan = AnalysisPlan(
        (target,),
        merges=settings.merges,
        without_bots=settings.without_bots,
        ignore_revs=settings.ignore_revs,
        quality=settings.quality,
        is_passing=True,
    )
    origin = Origin("push", wish.actor, installation_id, actor_id=wish.actor_id)
    return Outcome("acted", "analysis_asked", jobs=(analysis_request(plan, origin),))


async def judge_change(github: GitHub, wish: JudgeChange) -> Outcome:
    """A pull request's new head is told who owns the lines it changes. Settings are the base branch's own.

    A fork's head is only compared: nothing of it is run. Raises Transient.
    """
    facts = await facts_about(github, wish.installation_id, wish.repository)
    try:
        return await _judged(facts, wish)
    except (Refused, Permanent) as refused:
        return Outcome("ignored", refused.code)


async def _judged(facts: Facts, wish: JudgeChange) -> Outcome:
    pull = await facts.pull(wish.number)
    if not (await facts.config(pull.base_ref)).analysis.pull_requests:
        return Outcome("ignored", "pulls_not_analysed")
    if pull.head_sha != wish.sha:
        return Outcome("ignored", "head_moved")
    plan = AnalysisPlan(
        (pull_target(pull, wish.repository, facts.installation_id),),
        Subject.CHANGE,
        base=pull.base_sha,
        by=pull.author,
        is_passing=True,
    )
    origin = Origin("pull_request", wish.actor, facts.installation_id, wish.number)
    return Outcome("acted", "analysis_asked", jobs=(analysis_request(plan, origin),))
