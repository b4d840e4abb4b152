"""Takes ARNs apart: the listener and load balancer of a rule, the cluster and service of a deployment."""

from __future__ import annotations


def listener_of(rule: str) -> str:
    """`…:listener-rule/app/name/lb/listener/rule` → `…:listener/app/name/lb/listener`."""
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def balancer_of(rule: str) -> str:
    """`…:listener-rule/app/name/lb/listener/rule` → `…:loadbalancer/app/name/lb`."""
    return listener_of(rule).replace(":listener/", ":loadbalancer/").rpartition("/")[0]


def metric_name(arn: str) -> str:
    """As CloudWatch calls a load balancer (`app/name/id`) or a target group (`targetgroup/name/id`)."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


def service_of(deployment: str) -> tuple[str, str]:
    """`…:service-deployment/cluster/service/id` → cluster and service."""
    _, cluster, service, _ = deployment.rpartition(":")[2].split("/")
    return cluster, service
