"""The list of what a service stands on, in the order it is made in; it is deleted the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aws.provision.balancing import LISTENER, REDIRECT, RULE, TEST_LISTENER, TEST_RULE, Balancer, TargetGroup
from aws.provision.doors import BALANCER_GROUP, TASK_GROUP
from aws.provision.given import Given, GivenCluster, NetworkOfSubnets
from aws.provision.network import Gateway, Route, Subnet, Vpc
from aws.provision.roles import EXECUTION_ROLE, INFRASTRUCTURE_ROLE
from aws.provision.running import Cluster, LogGroup
from aws.provision.site import Part
from aws.provision.wish import MOST_ZONES, NEEDED, NEEDED_BLUE_GREEN, NETWORK, Wish
from bot.errors import Permanent

GIVEN_KINDS = {
    "listener_rule": ("rule", "rule"),
    "test_listener_rule": ("test-rule", "rule"),
    "target_group": ("blue", "target_group"),
    "alternate_target_group": ("green", "target_group"),
}


def parts_of(wish: Wish) -> tuple[Part, ...]:
    """Made, or taken as they are given. Raises Permanent("ecs_setting_missing") for a load balancer given by half."""
    front = tuple(_front(wish))
    return (*_roles(wish), *_running(wish), *_network(wish), *front)


def everything_of(wish: Wish) -> tuple[Part, ...]:
    """All that may ever have been made for an environment, whatever its settings were or state now."""
    return (
        *(EXECUTION_ROLE, INFRASTRUCTURE_ROLE, LogGroup(), Cluster()),
        *_own_network(MOST_ZONES),
        *(replace(group, within=None) for group in (BALANCER_GROUP, TASK_GROUP)),
        *(Balancer(), TargetGroup("blue"), TargetGroup("green")),
        *(LISTENER, RULE, TEST_LISTENER, TEST_RULE, REDIRECT),
    )


def _roles(wish: Wish) -> Iterator[Part]:
    """First: AWS takes a few seconds until a new one is known everywhere."""
    yield _given_or(wish, "execution_role", EXECUTION_ROLE)
    if not wish.rolling:
        yield _given_or(wish, "infrastructure_role", INFRASTRUCTURE_ROLE)


def _running(wish: Wish) -> Iterator[Part]:
    yield _given_or(wish, "log_group", LogGroup())
    cluster = wish.given.get("cluster")
    yield GivenCluster(cluster) if cluster else Cluster()


def _network(wish: Wish) -> Iterator[Part]:
    given = tuple(wish.given.get("subnets", ()))
    if given:
        yield Given("subnets", "subnet", ", ".join(given))
    if given and wish.has_own_front:
        yield NetworkOfSubnets(given)
    if not given:
        yield from _own_network(wish.subnets)
    if wish.has_own_front:
        yield BALANCER_GROUP
    groups = wish.given.get("security_groups")
    yield Given(TASK_GROUP.name, TASK_GROUP.kind, ", ".join(groups)) if groups else TASK_GROUP


def _own_network(subnets: int) -> tuple[Part, ...]:
    return (Vpc(), Gateway(), Route(), *(Subnet(number) for number in range(subnets)))


def _front(wish: Wish) -> Iterator[Part]:
    if not wish.has_own_front:
        yield from _given_front(wish)
        return
    yield Balancer()
    yield TargetGroup("blue")
    if not wish.rolling:
        yield TargetGroup("green")
    yield from (LISTENER, RULE)
    if not wish.rolling:
        yield from (TEST_LISTENER, TEST_RULE)
    if wish.redirect_port is not None:
        yield REDIRECT


def _given_front(wish: Wish) -> Iterator[Part]:
    needed = NEEDED if wish.rolling else NEEDED_BLUE_GREEN
    missing = [name for name in (*needed, *NETWORK) if not wish.given.get(name)]
    if missing:
        raise Permanent("ecs_setting_missing", names=missing)
    for setting, (name, kind) in GIVEN_KINDS.items():
        if wish.given.get(setting):
            yield Given(name, kind, str(wish.given[setting]))


def _given_or(wish: Wish, setting: str, own: Part) -> Part:
    given = wish.given.get(setting)
    return Given(own.name, own.kind, str(given)) if given else own
