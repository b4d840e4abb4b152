"""Reads where a load balancer answers people, and where it answers tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws.arns import balancer_of, listener_of
from aws.clients import AwsClients
from aws.place import Place
from bot.ports.rollouts import RolloutSpec

_USUAL_PORT = {"HTTP": 80, "HTTPS": 443}


async def addresses(clients: AwsClients, place: Place, spec: RolloutSpec) -> tuple[str, str | None]:
    """The URL of production, and of the test listener where there is one; by the first host name, where one is set.

    A rolling update moves no test traffic. Two calls. Raises AwsRefusal where a listener or load balancer is gone.
    """
    test_rule = place.test_listener_rule if spec.strategy != "rolling" else None
    rules, hosts = [rule for rule in (place.listener_rule, test_rule) if rule], spec.hosts
    balancers = await clients.call(
        "elbv2", "DescribeLoadBalancers", LoadBalancerArns=sorted({balancer_of(rule) for rule in rules})
    )
    listeners = await clients.call(
        "elbv2", "DescribeListeners", ListenerArns=sorted({listener_of(rule) for rule in rules})
    )
    names = {one["LoadBalancerArn"]: str(one["DNSName"]) for one in balancers["LoadBalancers"]}
    known = {one["ListenerArn"]: one for one in listeners["Listeners"]}
    urls = [_url(known[listener_of(rule)], hosts[0] if hosts else names[balancer_of(rule)]) for rule in rules]
    return urls[0], urls[1] if len(urls) > 1 else None


def _url(listener: Mapping[str, Any], name: str) -> str:
    protocol, port = str(listener["Protocol"]), int(listener["Port"])
    suffix = "" if _USUAL_PORT.get(protocol) == port else f":{port}"
    return f"{protocol.lower()}://{name}{suffix}"
