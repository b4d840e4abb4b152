"""Judges a new version by what was measured of it, beside the old one: pass, fail, or too little to say. Pure."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.jobs.deploy.watching.health import Probe
from bot.ports.running import TrafficStats
from bot.repo_config.traffic import GateConfig


class Verdict(enum.StrEnum):
    """What the figures say. No traffic is neither good nor bad."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one version. Latencies in milliseconds, None where nothing was answered."""

    requests: int = 0
    errors: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def error_percent(self) -> float | None:
        """None where nothing was asked."""
        return round(100 * self.errors / self.requests, 2) if self.requests else None

    def to_json(self) -> dict[str, Any]:
        """For events."""
        return {
            "requests": self.requests,
            "errorPercent": self.error_percent,
            "p50Ms": self.p50_ms,
            "p95Ms": self.p95_ms,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the rule that decided it (`requests`, `error_percent`, `p95_ms`), its value and its limit."""

    verdict: Verdict
    rule: str
    value: float
    limit: float


def judge(green: Figures, blue: Figures | None, gate: GateConfig) -> Judgement:
    """Green by the gate; its p95 against blue's where blue was measured well enough."""
    if green.requests < gate.requests:
        return Judgement(Verdict.INCONCLUSIVE, "requests", green.requests, gate.requests)
    errors = Judgement(Verdict.PASS, "error_percent", green.error_percent or 0.0, gate.error_percent)
    if green.errors > _errors_allowed(green.requests, gate):
        return Judgement(Verdict.FAIL, errors.rule, errors.value, errors.limit)
    limit_ms = p95_limit_ms(blue, gate)
    if limit_ms is None or green.p95_ms is None:
        return errors
    verdict = Verdict.FAIL if green.p95_ms > limit_ms else Verdict.PASS
    return Judgement(verdict, "p95_ms", green.p95_ms, limit_ms)


def p95_limit_ms(blue: Figures | None, gate: GateConfig) -> float | None:
    """How slow green may be; None where blue was not measured well enough to compare with."""
    if blue is None or blue.p95_ms is None or blue.requests < gate.requests:
        return None
    return round(max(gate.p95_ratio * blue.p95_ms, blue.p95_ms + gate.p95_slack_ms), 3)


def _errors_allowed(requests: int, gate: GateConfig) -> float:
    """One failed request alone decides nothing, unless none is allowed at all."""
    return max(1.0, requests * gate.error_percent / 100) if gate.error_percent else 0.0


def of_traffic(stats: TrafficStats | None) -> Figures:
    """What people's requests measured."""
    return Figures(stats.requests, stats.errors, stats.p50_ms, stats.p95_ms) if stats else Figures()


def of_probes(probes: Sequence[Probe]) -> Figures:
    """What our own requests measured, where people made too few."""
    answered = sorted(probe.ms for probe in probes if probe.status is not None)
    failed = sum(not probe.passed for probe in probes)
    return Figures(len(probes), failed, _percentile(answered, 0.5), _percentile(answered, 0.95))


def _percentile(values: Sequence[float], share: float) -> float | None:
    return values[math.ceil(share * len(values)) - 1] if values else None
