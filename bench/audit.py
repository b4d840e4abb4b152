"""How long it takes to prove an audit trail of 10,000 records, and what one more record costs.

Run: python -m bench.audit. The trail is written as the server writes it, over the real store, and looked through again
and again in the same process; the middle of what that took is told. It must stay under a second.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from statistics import median

from bench.figure import Figure, under
from bench.report import main, require_no_options
from bot.audit import AuditEntry
from bot.store.audit import Audit
from storage.opened import open_store

BENCH = "audit"
RECORDS = 10_000
ROUNDS = 5
VERIFY_LIMIT_S = 1.0
ADD_LIMIT_MS = 1.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 200


def measure(arguments: list[str]) -> list[Figure]:
    """The whole trail looked through, and one record among many written."""
    require_no_options("audit", arguments)
    return asyncio.run(_measured())


async def _measured() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        opened = await open_store(f"sqlite:///{folder}/audit.db")
        begun = time.perf_counter()
        await _fill(opened.store.audit)
        add_ms = (time.perf_counter() - begun) / RECORDS * 1e3
        seconds = [await _verified(opened.store.audit) for _ in range(ROUNDS)]
        await opened.close()
    return [
        under(BENCH, f"{RECORDS:,} records verified", median(seconds), "s", VERIFY_LIMIT_S),
        under(BENCH, f"one record added, {AT_ONCE} at once", add_ms, "ms", ADD_LIMIT_MS),
    ]


async def _fill(trail: Audit) -> None:
    for start in range(0, RECORDS, AT_ONCE):
        await asyncio.gather(*(trail.add(_entry(start + number), NOW) for number in range(AT_ONCE)))


async def _verified(trail: Audit) -> float:
    begun = time.perf_counter()
    verdict = await trail.verify()
    taken = time.perf_counter() - begun
    assert (verdict.holds_to.number, verdict.broken) == (RECORDS, None), verdict
    return taken


def _entry(number: int) -> AuditEntry:
    """As long as most are."""
    return AuditEntry(
        actor=f"person-{number % 50}",
        actor_id=number % 50,
        face="comment",
        command="deploy",
        outcome="acted",
        reason="deploy_asked",
        repository=f"acme/service-{number % 20}",
        raw=f"/deploy to staging --reason ticket {number}",
        rules={"needs": "write", "role": "maintain", "environment": "staging", "approvals": 2},
        environment="staging",
        sha=f"{number:040x}",
        job_id=f"dep_{number:010}",
    )


if __name__ == "__main__":
    main(measure)
