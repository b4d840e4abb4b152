"""Answers a merge queue: our check is nobody's reason to wait, for what is merged is deployed when it is there."""

from __future__ import annotations

from bot import messages
from bot.deliveries.wishes import LetMergeQueueGoOn
from bot.desk.outcome import Outcome
from bot.errors import Permanent, Refused
from bot.gates.facts import facts_about
from bot.github.api import GitHub
from bot.model import JobKind
from bot.shown.checks import named_check
from bot.store.answers import Answer


async def let_go_on(github: GitHub, wish: LetMergeQueueGoOn, locale: str) -> Outcome:
    """A required check of ours would hold the queue up until it times out; neutral passes. Raises Transient.

    https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
    """
    facts = await facts_about(github, wish.installation_id, wish.repository)
    try:
        environment = (await facts.config(await facts.default_branch())).for_branch(wish.base)
    except (Refused, Permanent) as refused:
        return Outcome("ignored", refused.code)
    if environment is None:
        return Outcome("ignored", "branch_not_deployed")
    answer = Answer(
        key=f"merge-group-{wish.repository.id}-{wish.sha}",
        repository=wish.repository,
        installation_id=facts.installation_id,
        number=None,
        body=messages.say(locale, "merge_queue.why", branch=wish.base, environment=environment.name),
        check_sha=wish.sha,
        check_name=named_check(JobKind.DEPLOY, environment.name),
        check_conclusion="neutral",
    )
    return Outcome("acted", "merge_group_answered", answers=(answer,))
