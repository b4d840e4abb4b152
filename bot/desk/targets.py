"""Says which commit of which repository an analysis is about, as it is at that moment."""

from __future__ import annotations

from bot.desk.facts import Facts
from bot.jobs.analysis.plan import Target
from bot.model import Repository


async def target_of(facts: Facts, repository: Repository, ref: str | None) -> Target:
    """A ref of a repository the app is installed on, pinned; without one, the default branch.

    Raises Refused("ref_not_found") or Transient.
    """
    default = await facts.default_branch()
    wanted = ref or default
    return Target(
        repository.full_name,
        ref=wanted,
        sha=await facts.commit(wanted),
        is_default=wanted == default,
        repository_id=repository.id,
        installation_id=facts.installation_id,
    )
