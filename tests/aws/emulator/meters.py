"""Puts what the load balancers answered into the emulated CloudWatch, with the percentiles that moto lacks."""

from __future__ import annotations

import statistics
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Statistics, cloudwatch_backends
from moto.core.utils import utcnow

from tests.aws.emulator.account import ACCOUNT, REGION

NAMESPACE = "AWS/ApplicationELB"


def install() -> None:
    """Teach CloudWatch `p50` and `p95`."""
    known = Statistics.get_statistics_for_type

    def with_percentiles(self: Statistics, stat: str) -> Any:
        if not stat.startswith("p"):
            return known(self, stat)
        values = self.metric_single_values_list
        return statistics.quantiles(values, n=100)[int(stat[1:]) - 1] if len(values) > 1 else values[0]

    Statistics.get_statistics_for_type = with_percentiles  # type: ignore[method-assign]


def count(balancer: str, group: str, status: int, seconds: float) -> None:
    """One request that a target answered."""
    now = utcnow()
    data = [
        _datum("RequestCount", 1, balancer, group, now),
        _datum("TargetResponseTime", seconds, balancer, group, now),
    ]
    if status >= 500:
        data.append(_datum("HTTPCode_Target_5XX_Count", 1, balancer, group, now))
    cloudwatch_backends[ACCOUNT][REGION].put_metric_data(NAMESPACE, data)


def _datum(name: str, value: float, balancer: str, group: str, at: datetime) -> dict[str, Any]:
    names = {"LoadBalancer": _short(balancer).removeprefix("loadbalancer/"), "TargetGroup": _short(group)}
    dimensions = [{"Name": key, "Value": text} for key, text in names.items()]
    return {"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": dimensions}


def _short(arn: str) -> str:
    return arn.rpartition(":")[2]


def forget() -> None:
    """Nothing was measured. Each look at a measure goes through all that ever was: the next test would pay for it."""
    cloudwatch_backends[ACCOUNT][REGION].metric_data.clear()
