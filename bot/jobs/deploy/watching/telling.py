"""Tells what a gate decided about green, with the figures that decided, for every face and for `/why`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import Permanent
from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.watching.health import Probe
from bot.jobs.deploy.watching.steps import Step
from bot.jobs.deploy.watching.verdict import Figures, Judgement, p95_limit_ms
from bot.model import Stage
from bot.ports.engines import Maker


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look measured. `source` is `traffic` or `probes`."""

    source: str
    green: Figures
    blue: Figures | None


async def tell_check(ship: Ship[Maker], number: int, seen: Probe, passed: int) -> None:
    """One health check before the switch. Raises Permanent("health_check_failed") for one that did not pass."""
    settings = ship.plan.environment
    await ship.progress(
        Stage.SWITCH,
        "stage.switch.check" if seen.passed else "stage.switch.check_failed",
        url=settings.health,
        check=f"Check {number}/{settings.checks}",
        passedChecks=passed + seen.passed,
        latencyMs=seen.ms,
        why=seen.why,
    )
    if not seen.passed:
        raise Permanent("health_check_failed", path=settings.health, why=seen.why, check=number)


async def fail_gate(ship: Ship[Maker], step: Step, seen: Seen, judgement: Judgement) -> None:
    """Raises Permanent("gate_failed") with all that decided."""
    await tell_gate(ship, step, seen, judgement)
    raise Permanent("gate_failed", **_facts(ship, step, seen, judgement), why=_why(ship, judgement))


async def tell_gate(ship: Ship[Maker], step: Step, seen: Seen, judgement: Judgement) -> None:
    """One judgement, whatever it is."""
    facts = _facts(ship, step, seen, judgement)
    kept = ship.context.known(Stage.SWITCH, "gates") or []
    await ship.context.keep(Stage.SWITCH, gates=[*kept, facts])
    key = f"stage.switch.gate.{judgement.verdict.value}"
    await ship.progress(Stage.SWITCH, key, **facts, why=_why(ship, judgement))


def _facts(ship: Ship[Maker], step: Step, seen: Seen, judgement: Judgement) -> dict[str, Any]:
    """The figures that decided and what they were held against, as plain JSON."""
    gate = ship.plan.environment.gate
    limits: Mapping[str, Any] = {
        "requests": gate.requests,
        "errorPercent": gate.error_percent,
        "p95Ms": p95_limit_ms(seen.blue, gate),
    }
    return {
        "verdict": judgement.verdict.value,
        "rule": judgement.rule,
        "value": judgement.value,
        "limit": judgement.limit,
        "percent": step.percent,
        "source": seen.source,
        "green": seen.green.to_json(),
        "blue": seen.blue.to_json() if seen.blue else None,
        "limits": limits,
    }


def _why(ship: Ship[Maker], judgement: Judgement) -> str:
    return ship.say(f"gate.{judgement.rule}", value=f"{judgement.value:g}", limit=f"{judgement.limit:g}")
