"""An entry of the audit trail, the record that is kept of it, and how each record's hash binds it to the one before."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

GENESIS = "0" * 64
"""What stands as the hash before the first record's."""
TIME_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Head:
    """Number and hash of a record, to which the next one is bound."""

    number: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who asked for what, where, and what decided on it; everything in it is masked before it is kept."""

    actor: str
    """A login at GitHub; where none is known, the id of a person in Slack, or the name of an API key."""
    face: str
    """As of `bot.model.Origin`, or `worker` for what ended there."""
    command: str
    outcome: str
    """`acted`, `refused`, `failed` or `ignored`; of a job that ended, its state."""
    reason: str
    """The stable code of the rule that decided."""
    repository: str = ""
    """`owner/name`; empty where none was meant."""
    raw: str = ""
    """The words as they were said."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """The rules that were asked and the values that decided, plain JSON."""
    actor_id: int | None = None
    environment: str | None = None
    sha: str | None = None
    job_id: str | None = None


def masked(entry: AuditEntry, mask: Callable[[Any], Any]) -> AuditEntry:
    """The entry as it is kept. `mask` takes secrets out of text and plain JSON."""
    return dataclasses.replace(entry, raw=mask(entry.raw), rules=mask(entry.rules))


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry as it is kept. `delivery` is the guid of the request that led to it, where one did."""

    number: int
    """1, 2, 3 … without a gap."""
    at: datetime
    delivery: str | None
    entry: AuditEntry
    previous: str
    """The hash of the record before."""
    hash: str

    def to_json(self) -> dict[str, Any]:
        """As it is exported; the hash is made of all of it but itself."""
        return {**_document(self.number, self.at, self.delivery, self.entry, self.previous), "hash": self.hash}

    @property
    def holds(self) -> bool:
        """Whether nothing of it was changed since its hash was made."""
        return self.hash == _digest(_document(self.number, self.at, self.delivery, self.entry, self.previous))


def record_of(entry: AuditEntry, after: Head, at: datetime, delivery: str | None) -> AuditRecord:
    """The entry as the next record `after` the newest; its rules become plain JSON."""
    plain = dataclasses.replace(entry, rules=_plain(entry.rules))
    number, previous = after.number + 1, after.hash
    return AuditRecord(number, at, delivery, plain, previous, _digest(_document(number, at, delivery, plain, previous)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What looking through the trail found: the newest record that holds, and the first that does not."""

    holds_to: Head
    broken: int | None = None
    """The number of the first record that does not hold."""
    why: str = ""
    """`changed`, `missing`, `unlinked`, `cut`, `surplus` or `rewritten`."""


def verify(records: Iterable[AuditRecord], head: Head, noted: Head | None = None) -> Verdict:
    """Look through all records, oldest first, against the newest as the trail has it.

    `noted` is a record somebody wrote down elsewhere: who can rewrite the whole file cannot rewrite that.
    """
    last = Head()
    for record in records:
        why = _fault(record, last, noted)
        if why:
            return Verdict(last, last.number + 1, why)
        last = Head(record.number, record.hash)
    if last.number < max(head.number, noted.number if noted else 0):
        return Verdict(last, last.number + 1, "cut")
    if last != head:
        return Verdict(last, min(last.number, head.number + 1), "surplus" if last.number > head.number else "changed")
    return Verdict(last)


def _fault(record: AuditRecord, last: Head, noted: Head | None) -> str:
    if record.number != last.number + 1:
        return "missing"
    if not record.holds:
        return "changed"
    if record.previous != last.hash:
        return "unlinked"
    return "rewritten" if noted and record.number == noted.number and record.hash != noted.hash else ""


def _document(number: int, at: datetime, delivery: str | None, entry: AuditEntry, previous: str) -> dict[str, Any]:
    return {
        "number": number,
        "at": at.astimezone(UTC).strftime(TIME_FORM),
        "actor": entry.actor,
        "actorId": entry.actor_id,
        "face": entry.face,
        "repository": entry.repository,
        "environment": entry.environment,
        "sha": entry.sha,
        "command": entry.command,
        "raw": entry.raw,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "rules": dict(entry.rules),
        "jobId": entry.job_id,
        "delivery": delivery,
        "previous": previous,
    }


def _digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys in order, no spaces, UTF-8."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(rules: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that what is read again has the same hash."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(dict(rules), default=str, option=orjson.OPT_NON_STR_KEYS))
    return plain
