"""Says which commit of which repository an analysis is about, as it is at that moment."""

from __future__ import annotations

from bot.gates.facts import Facts
from bot.github.pulls import PullRequest
from bot.jobs.analysis.plan import Target
from bot.model import Repository


async def target_of(facts: Facts, repository: Repository, ref: str | None, known_sha: str | None = None) -> Target:
    """A ref of a repository the app is installed on, pinned; without one, the default branch. A commit this server
    took on before is `known_sha`: it need not be in a branch any more.

    Raises Refused("ref_not_found") or Transient.
    """
    default = await facts.default_branch()
    wanted = ref or default
    return Target(
        repository.full_name,
        ref=wanted,
        sha=await facts.commit(wanted, is_ours=wanted == known_sha),
        is_default=wanted == default,
        repository_id=repository.id,
        installation_id=facts.installation_id,
    )


def pull_target(pull: PullRequest, repository: Repository, installation_id: int) -> Target:
    """The head of a pull request; a fork's branch is no branch of this repository, and is called by the number."""
    ref = f"pull/{pull.number}/head" if pull.from_fork else pull.head_ref
    return Target(
        repository.full_name,
        ref=ref,
        sha=pull.head_sha,
        repository_id=repository.id,
        installation_id=installation_id,
    )
