"""What the audit trail is told of what people said and did: who, what, where, and the rules that decided."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bot.asked import FACE, Asked
from bot.audit import AuditEntry
from bot.commands import read_comment
from bot.deliveries.wishes import DeployPush, ObeyComment
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.errors import ShipmateError, UserMistake
from bot.grammar import MOST_RAW_CHARACTERS
from bot.model import JobRequest

UNREADABLE = "–"
"""The command's name where none could be read."""


def obeyed(order: Order, outcome: Outcome, rules: Mapping[str, Any]) -> tuple[AuditEntry, ...]:
    """One entry for each job that was asked for or stopped; one for an order that is about none."""
    known = {**rules, **outcome.rules}
    jobs: list[str | None] = [*(job.id for job in outcome.jobs), *(job_id for job_id, _ in outcome.cancels)]
    places = {job.id: job for job in outcome.jobs}
    return tuple(
        _entry(order, outcome.result, outcome.reason, known, job_id, places.get(job_id or ""))
        for job_id in jobs or [order.command.get("job")]
    )


def refused(order: Order, error: ShipmateError, rules: Mapping[str, Any]) -> AuditEntry:
    """An order that was not obeyed: the facts of the refusal are the values that decided."""
    return _entry(order, "refused", error.code, {**rules, **error.facts}, order.command.get("job"))


def misread(wish: ObeyComment, mistake: UserMistake) -> AuditEntry:
    """Words that are no order, though they look like one."""
    return AuditEntry(
        actor=wish.actor,
        actor_id=wish.actor_id,
        face="comment",
        command=str(mistake.facts.get("command", UNREADABLE)),
        outcome="refused",
        reason=mistake.code,
        repository=wish.repository.full_name,
        raw=wish.body[:MOST_RAW_CHARACTERS],
        rules={**mistake.facts, "number": wish.number},
    )


def given_up(wish: ObeyComment, error: ShipmateError) -> tuple[AuditEntry, ...]:
    """Orders that could not be decided on in time, or written as they were decided."""
    heard = misread(wish, UserMistake(error.code, **error.facts))
    commands = read_comment(wish.body).commands
    return tuple(dataclasses.replace(heard, command=command.name, raw=command.raw) for command in commands)


def ended_before(asked: Asked) -> AuditEntry:
    """A deployment that was asked for in the table, and ended there before a job was made of it."""
    found, reason = asked.found, str(asked.outcome.get("errorCode", "")).lower()
    return AuditEntry(
        actor=found.login if found else str(asked.user),
        face=FACE,
        command="deploy",
        outcome="failed" if asked.build_id else "refused",
        reason=reason,
        repository=found.repository.full_name if found else asked.repo,
        raw=f"/deploy {asked.branch}",
        rules={"asker": asked.asker},
        environment=found.environment if found else asked.environment,
        sha=found.sha if found else None,
        job_id=asked.id,
    )


def pushed(wish: DeployPush, outcome: str, reason: str, rules: Mapping[str, Any], job: JobRequest | None) -> AuditEntry:
    """A push to a branch that is deployed, or would be but for a rule."""
    return AuditEntry(
        actor=wish.actor,
        actor_id=wish.actor_id,
        face="push",
        command="push",
        outcome=outcome,
        reason=reason,
        repository=wish.repository.full_name,
        raw=wish.branch,
        rules=rules,
        environment=job.environment if job else None,
        sha=wish.sha,
        job_id=job.id if job else None,
    )


def _entry(
    order: Order,
    outcome: str,
    reason: str,
    rules: Mapping[str, Any],
    job_id: str | None,
    job: JobRequest | None = None,
) -> AuditEntry:
    return AuditEntry(
        actor=order.origin.actor,
        actor_id=order.actor_id,
        face=order.origin.face,
        command=order.command.name,
        outcome=outcome,
        reason=reason,
        repository=order.repository.full_name,
        raw=order.command.raw,
        rules=rules if order.number is None else {**rules, "number": order.number},
        environment=job.environment if job else order.command.get("environment"),
        sha=job.sha if job else order.known_sha,
        job_id=job_id,
    )
