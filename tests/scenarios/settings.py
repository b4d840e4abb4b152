"""Settings files, and figures of traffic, that several scenarios begin with."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import utc_now
from bot.ports.running import TrafficStats
from tests.world import World

TWO_PEOPLE = "approvals: {required: 1}"
WATCHED = """\
environments:
  production: {branch: main, checks: 1, health_timeout: 5, traffic: TRAFFIC, gate: {requests: 10}}
"""
CANARY = "{strategy: canary, percent: 20, every: 1}"
GOOD = TrafficStats(500, 0, 5.0, 20.0, 0)
SICK = TrafficStats(500, 50, 5.0, 20.0, 0)


async def with_rules(world: World, production: str, staging: str = "") -> None:
    """Let the base branch name these rules; nothing is deployed by a push."""
    settings = f"environments:\n  production: {{checks: 1, {production}}}\n  staging: {{checks: 1{staging}}}\n"
    await world.push_files({".shipmate.yml": settings})
    await world.settle()


def frozen_now(minutes: int = 60) -> str:
    """A window that holds for so many minutes from now."""
    until = (utc_now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")
    return f"freeze: [{{from: '2026-01-01', to: '{until}', reason: the big sale}}]"
