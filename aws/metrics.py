"""Reads what a load balancer counted at two target groups: requests, errors, latencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aws.arns import metric_name
from aws.clients import AwsClients
from bot.ports.running import TrafficStats

PERIOD_S = 60
_SERIES = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    "p50": ("TargetResponseTime", "p50"),
    "p95": ("TargetResponseTime", "p95"),
}
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""


async def counted(
    clients: AwsClients, balancer: str, groups: list[str | None], seconds: float
) -> list[TrafficStats | None]:
    """For each target group what was counted in the last `seconds`, the minute that runs too. One call.

    None for no group, or no request.
    """
    queries = [
        _query(f"{name}{number}", balancer, group, *_SERIES[name])
        for number, group in enumerate(groups)
        if group
        for name in _SERIES
    ]
    if not queries:
        return [None] * len(groups)
    now, period = datetime.now(UTC), timedelta(seconds=PERIOD_S)
    reply = await clients.call(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=queries,
        StartTime=now - max(timedelta(seconds=seconds), period),
        EndTime=now + period,
    )
    values = {one["Id"]: [float(value) for value in one["Values"]] for one in reply["MetricDataResults"]}
    return [_stats(values, number) for number in range(len(groups))]


def _query(name: str, balancer: str, group: str, metric: str, stat: str) -> dict[str, Any]:
    dimensions = [
        {"Name": "LoadBalancer", "Value": metric_name(balancer)},
        {"Name": "TargetGroup", "Value": metric_name(group)},
    ]
    series = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": series, "Period": PERIOD_S, "Stat": stat}}


def _stats(values: Mapping[str, list[float]], number: int) -> TrafficStats | None:
    """Latencies of several minutes: the worst one; in milliseconds."""
    requests = int(sum(values.get(f"requests{number}", [])))
    if not requests:
        return None
    errors = int(sum(values.get(f"errors{number}", [])))
    p50, p95 = (_worst_ms(values.get(f"{name}{number}", [])) for name in ("p50", "p95"))
    return TrafficStats(requests, errors, p50, p95, 0)


def _worst_ms(seconds: list[float]) -> float | None:
    return round(max(seconds) * 1000, 2) if seconds else None
