"""Asks GitHub again, just before anything changes, whether what was allowed still is: the head, and the person."""

from __future__ import annotations

from bot.errors import Permanent, Refused, Transient
from bot.github.api import GitHub
from bot.github.people import Role, role_of
from bot.github.permissions import DECIDE
from bot.github.pulls import get_pull
from bot.jobs.deploy.plan import Plan
from bot.model import Job


class Gate:
    """The same question before the deployment starts, before green may take traffic, and before the switch."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    async def recheck(self, job: Job, plan: Plan) -> None:
        """Raises Permanent("ref_changed", "pull_closed", "permission_lost"), or Transient when GitHub cannot say."""
        if not plan.requires and plan.follows_pull is None:
            return
        client = self._github.repository(job.origin.installation_id, job.repository, DECIDE)
        if plan.follows_pull is not None:
            pull = await get_pull(client, plan.follows_pull)
            if pull.head_sha != job.sha:
                raise Permanent("ref_changed", before=job.sha[:12], now=pull.head_sha[:12])
            if pull.state != "open":
                raise Permanent("pull_closed", state="merged" if pull.merged else pull.state)
        if plan.requires:
            try:
                role = await role_of(client, job.origin.actor, job.origin.actor_id)
            except Refused as unreadable:
                raise Transient("github_unavailable", reason=unreadable.code) from unreadable
            if role < Role[plan.requires.upper()]:
                raise Permanent("permission_lost", actor=job.origin.actor)
