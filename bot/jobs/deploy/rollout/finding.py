"""What was found of a live release that is not as we believe, as the audit trail keeps it; the trail is its memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot import messages
from bot.audit import AuditEntry, AuditRecord
from bot.model import Job, Release
from bot.ports.rollouts import Serving

COMMAND = "drift"
FACE = "worker"
NOBODY = "shipmate"


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` names its sentence, `drift.{code}`; `facts` are plain JSON."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def said(self, locale: str) -> str:
        """The sentence, to stand behind a colon."""
        return messages.say(locale, f"drift.{self.code}", **self.facts)


AS_BELIEVED = Finding("as_believed")


def found_in(serving: Serving, release: Release) -> Finding:
    """What is not as we believe of what serves where the release should."""
    if serving.revision is None:
        return Finding("service_gone")
    if serving.under_way is not None:
        return Finding("rollout_not_ours", {"rollout": serving.under_way})
    if serving.stuck is not None:
        return Finding("rollout_stuck", {"rollout": serving.stuck})
    if serving.revision != release.instance_id:
        return Finding("revision_not_ours", {"serves": serving.revision, "believed": release.instance_id})
    return AS_BELIEVED


def entry_of(finding: Finding, release: Release, job: Job) -> AuditEntry:
    """The finding as the trail is told it, with the job that brought the release."""
    return AuditEntry(
        actor=NOBODY,
        face=FACE,
        command=COMMAND,
        outcome="acted" if finding == AS_BELIEVED else "failed",
        reason=finding.code,
        repository=job.repository.full_name,
        rules=finding.facts,
        environment=release.environment,
        sha=release.sha,
        job_id=release.job_id,
    )


def standing(trail: Sequence[AuditRecord]) -> Finding:
    """What was found last, by the trail of the job that brought the release."""
    told = [record.entry for record in trail if record.entry.command == COMMAND]
    return Finding(told[-1].reason, told[-1].rules) if told else AS_BELIEVED
