"""Asks the rules of an environment, live: who may, in which order, when, and after which checks; a no is a Refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import Refused
from bot.gates.facts import Facts
from bot.gates.required_checks import require_passed
from bot.github.people import Role
from bot.locks import locked, others
from bot.model import Release
from bot.repo_config import rules
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.freeze import frozen
from bot.store.locks import Locks
from bot.store.releases import Releases

APPROVALS = "approvals"
"""How a plan names the rule of approvals when a maintainer set it aside."""
ROLES = {name: Role[name.upper()] for name in rules.ROLES}


async def require_named(
    facts: Facts, environment: str, command: str, names: Sequence[str], actor: str, actor_id: int | None
) -> None:
    """Where people are named, it must be one of them: by login, by role, or by a team asked of GitHub now.

    That the login is still the person's own is not asked here: whoever asks for the role asks that.
    Raises Refused("not_allowed_here"), and Refused("permission_unreadable") when GitHub cannot say.
    """
    if not names or actor.lower() in {name.lower() for name in names if name not in ROLES}:
        return
    roles = [ROLES[name] for name in names if name in ROLES]
    if roles and await facts.role(actor, actor_id) >= min(roles):
        return
    for team in names:
        if "/" in team and await facts.is_in_team(team, actor):
            return
    raise Refused("not_allowed_here", actor=actor, command=command, environment=environment, who=list(names))


async def require_unlocked(
    locks: Locks, repository_id: int, environment: str, actor: str, actor_id: int | None, now: datetime
) -> None:
    """Nobody else may have it locked. Raises Refused("environment_locked"), and Transient when the locks cannot be
    read: not known is not free.
    """
    in_the_way = others(await locks.of(repository_id, now), environment, actor, actor_id)
    if in_the_way:
        raise locked(in_the_way[0], environment)


def require_thaw(environment: EnvironmentConfig, now: datetime) -> None:
    """Raises Refused("frozen") while a window of the environment holds. `now` is aware."""
    found = frozen(environment.rules.freeze, now)
    if found is not None:
        until = found.until.strftime("%Y-%m-%d %H:%M %Z") if found.until else None
        raise Refused("frozen", environment=environment.name, until=until, reason=found.reason or None)


async def require_checks(facts: Facts, environment: EnvironmentConfig, sha: str) -> None:
    """The checks asked for must have passed on this very commit; ours do not count.

    Raises Refused("checks_failed", "checks_missing", "checks_pending" or "checks_unreadable").
    """
    if environment.rules.checks:
        require_passed(await facts.checks(sha), environment.rules.checks)


async def require_up_to_date(facts: Facts, environment: EnvironmentConfig, sha: str) -> None:
    """What feeds the environment must be part of the commit, or deploying it takes away what is merged.

    Raises Refused("behind").
    """
    if not environment.rules.up_to_date:
        return
    branch = environment.branch or await facts.default_branch()
    if not await facts.holds(sha, branch):
        raise Refused("behind", sha=sha[:7], branch=branch, environment=environment.name)


async def require_order(releases: Releases, repository_id: int, environment: EnvironmentConfig, sha: str) -> None:
    """The same commit must be what serves in the environment before. Raises Refused("order_needed")."""
    before = environment.rules.after
    if before is None:
        return
    live = await releases.active(repository_id, before)
    if live is None or live.sha != sha:
        raise _out_of_order(environment.name, before, sha, live)


async def require_not_put_back(
    releases: Releases, repository_id: int, environment: EnvironmentConfig, sha: str
) -> None:
    """What was live in the environment before may have been followed there since, but not taken back.

    Raises Refused("order_needed").
    """
    before = environment.rules.after
    if before is None:
        return
    live = await releases.active(repository_id, before)
    once = [one for one in await releases.of_commit(repository_id, sha) if one.environment == before]
    if live is None or not once or once[0].version > live.version:
        raise _out_of_order(environment.name, before, sha, live)


def _out_of_order(environment: str, before: str, sha: str, live: Release | None) -> Refused:
    now = live.sha[:7] if live else None
    return Refused("order_needed", environment=environment, after=before, sha=sha[:7], live=now)
