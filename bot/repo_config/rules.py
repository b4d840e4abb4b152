"""What an environment asks of a deployment: by whom, approved by whom, after which checks, when, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.durations import seconds_of
from bot.repo_config.freeze import FreezeWindow, fault_of, read_freeze
from bot.repo_config.placed_yaml import Fault

ALL_CHECKS = "all"
EXPIRES_S = 86_400


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """How many others must approve a deployment. The one who asked never counts."""

    required: int = 0
    who: tuple[str, ...] = ()
    """Who may approve, if not everyone who may write."""
    expires_s: int = EXPIRES_S
    """How long a deployment waits for its approvals."""


@dataclass(frozen=True, slots=True)
class EnvironmentRules:
    """Each is off unless the file names it. Plain JSON, so that a plan can keep it."""

    who: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Command → who may say it: `org/team`, a login, or a role. A command left out is open to all who may write."""
    approvals: ApprovalRule = field(default_factory=ApprovalRule)
    checks: tuple[str, ...] = ()
    """Names of checks that must have passed on the commit; `all`: whatever there is, and something must be."""
    freeze: tuple[FreezeWindow, ...] = ()
    after: str | None = None
    """The environment in which the same commit must be live first."""
    up_to_date: bool = False
    """Whether a commit somebody names must hold the newest one of the branch that feeds the environment."""

    def named(self, command: str) -> tuple[str, ...]:
        """Who may say a command here; nobody named means everyone who may write."""
        return self.who.get(command, ())


NOBODYS = ApprovalRule()
"""No approval is asked."""
ROLES = ("read", "triage", "write", "maintain", "admin")
"""Words of `who` that are roles at GitHub, and no logins."""
COMMANDS = ("deploy", "rollback", "promote", "approve")
"""What `who` can speak of; `teams` speaks of them all."""


def read_rules(given: Mapping[str, Any]) -> EnvironmentRules:
    """The rules of an environment, checked against the schema before. Promoting is deploying, where `who` is silent."""
    teams = tuple(given.get("teams", ()))
    who = {command: tuple(names) for command, names in given.get("who", {}).items()}
    if "deploy" in who:
        who.setdefault("promote", who["deploy"])
    everyone = dict.fromkeys(COMMANDS, teams) if teams else {}
    approvals = given.get("approvals")
    checks = given.get("required_checks", ())
    return EnvironmentRules(
        who={**everyone, **who},
        approvals=_approvals(approvals, {**everyone, **who}.get("approve", ())) if approvals is not None else NOBODYS,
        checks=(ALL_CHECKS,) if checks == ALL_CHECKS else tuple(checks),
        freeze=read_freeze(given.get("freeze", ())),
        after=given.get("after"),
        up_to_date=given.get("up_to_date", False),
    )


def rules_from_json(data: Mapping[str, Any]) -> EnvironmentRules:
    """Read back what a plan kept; one of an older version kept none."""
    approvals = dict(data.get("approvals", {}))
    approvals["who"] = tuple(approvals.get("who", ()))
    return EnvironmentRules(
        who={command: tuple(names) for command, names in data.get("who", {}).items()},
        approvals=ApprovalRule(**approvals),
        checks=tuple(data.get("checks", ())),
        freeze=tuple(FreezeWindow(**{**one, "days": tuple(one["days"])}) for one in data.get("freeze", ())),
        after=data.get("after"),
        up_to_date=data.get("up_to_date", False),
    )


def fault_in_rules(environments: Mapping[str, Mapping[str, Any] | None]) -> Fault | None:
    """The first fault in the rules of all environments: zones and dates must exist, and no order goes round."""
    before = {name: (settings or {}).get("after") for name, settings in environments.items()}
    for name, settings in environments.items():
        for number, window in enumerate((settings or {}).get("freeze", ())):
            if (fault := fault_of(window)) is not None:
                return Fault((name, "freeze", number, fault[0]), fault[1])
        if (problem := _problem_with_order(name, before)) is not None:
            return Fault((name, "after"), problem)
    return None


def _problem_with_order(name: str, before: Mapping[str, str | None]) -> str | None:
    met, at = [name], before[name]
    while at is not None:
        if at in met:
            return f"this goes round in a circle: {' after '.join([*met, at])}"
        if at not in before:
            return f"there is no environment {at!r}"
        met.append(at)
        at = before[at]
    return None


def _approvals(given: Mapping[str, Any], may_approve: tuple[str, ...]) -> ApprovalRule:
    return ApprovalRule(
        required=given.get("required", 1),
        who=tuple(given.get("teams", may_approve)),
        expires_s=seconds_of(given.get("expires", EXPIRES_S)),
    )
