"""Says whether what was noted as provided is still there: one question a kind, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from aws.errors import AwsRefusal
from aws.provision.network import ANYWHERE
from aws.provision.site import Site
from bot.errors import Permanent

Asked = tuple[str, str, Mapping[str, Any]]
"""Service, operation and parameters of one question."""


async def is_whole(site: Site) -> bool:
    """Whether every part in `site.ids` is there, as far as we may ask. Some nine calls. Raises Transient.

    Somebody may have deleted one by hand. What cannot be deleted while something else of it is there, as a network
    with subnets in it, is not asked for.
    """
    answers = await asyncio.gather(*(_is_there(site, asked) for asked in _questions(site)), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return all(answers)


def _questions(site: Site) -> Iterator[Asked]:
    """What AWS refuses to answer once any of it is gone, but for two that it answers with nothing."""
    subnets = tuple(name for name in site.ids if name.startswith("subnet-"))
    together = (
        ("ec2", "DescribeSubnets", "SubnetIds", subnets),
        ("ec2", "DescribeSecurityGroups", "GroupIds", ("balancer-group", "task-group")),
        ("ec2", "DescribeRouteTables", "RouteTableIds", ("route",)),
        ("elbv2", "DescribeTargetGroups", "TargetGroupArns", ("blue", "green")),
        ("elbv2", "DescribeRules", "RuleArns", ("rule", "test-rule")),
        ("elbv2", "DescribeListeners", "ListenerArns", ("redirect",)),
    )
    for service, operation, key, parts in together:
        if known := [site.ids[part] for part in parts if part in site.ids]:
            yield service, operation, {key: known}
    for part in ("execution-role", "infrastructure-role"):
        if part in site.ids:
            yield "iam", "GetRole", {"RoleName": site.ids[part].rpartition("/")[2]}
    if "log-group" in site.ids:
        yield "logs", "DescribeLogGroups", {"logGroupNamePrefix": site.ids["log-group"]}


async def _is_there(site: Site, asked: Asked) -> bool:
    service, operation, parameters = asked
    try:
        reply = await site.clients.call(service, operation, **parameters)
    except AwsRefusal:
        return False
    except Permanent as denied:
        if denied.code != "aws_denied":
            raise
        return True
    if "RouteTables" in reply:
        return any(_leads_out(site, route) for table in reply["RouteTables"] for route in table["Routes"])
    if "logGroups" in reply:
        return site.ids["log-group"] in {group["logGroupName"] for group in reply["logGroups"]}
    return True


def _leads_out(site: Site, route: Mapping[str, Any]) -> bool:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html"""
    there = (route.get("DestinationCidrBlock"), route.get("GatewayId"))
    return there == (ANYWHERE, site.ids.get("gateway")) and route.get("State", "active") == "active"
