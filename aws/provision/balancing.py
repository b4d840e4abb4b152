"""A load balancer of its own: its listeners and their rules, and the two target groups that versions take turns in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws import tags
from aws.errors import AwsRefusal
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish
from bot.errors import Permanent

_HEALTH_EVERY_S, _HEALTHY_AFTER = 10, 2
_ALL_PATHS = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
_PRIORITY = 1
_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"""
_IN_USE = ("ResourceInUse", "OperationNotPermitted")


@dataclass(frozen=True, slots=True)
class Balancer:
    """An application load balancer that faces the internet. It takes AWS minutes to become active."""

    name: str = "balancer"
    kind: str = "balancer"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return wish.stem

    async def look(self, site: Site) -> Found | None:
        known = await self._known(site)
        if known is None:
            return None
        arn = str(known["LoadBalancerArn"])
        site.require_ours(self.kind, self.title(site.wish), (await marks_of(site, arn))[arn])
        return Found(arn, () if known["State"]["Code"] == "active" else ("active",))

    async def make(self, site: Site) -> Found | None:
        try:
            reply = await site.call(
                "elbv2",
                "CreateLoadBalancer",
                Name=self.title(site.wish),
                Subnets=_subnets(site),
                SecurityGroups=[site.ids["balancer-group"]],
                Scheme="internet-facing",
                Type="application",
                Tags=tags.upper(site.wish.marks(self.name)),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code == "DuplicateLoadBalancerName":
                return None
            raise
        return Found(str(reply["LoadBalancers"][0]["LoadBalancerArn"]), ("active",))

    async def mend(self, site: Site, found: Found) -> None:
        """Wait for it. Raises Permanent("balancer_failed", reason)."""

        async def active() -> bool:
            reply = await site.call("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[found.id])
            state: Mapping[str, Any] = reply["LoadBalancers"][0]["State"]
            if state["Code"] == "failed":
                raise Permanent("balancer_failed", name=self.title(site.wish), reason=state.get("Reason", ""))
            return str(state["Code"]) in {"active", "active_impaired"}

        await site.until(active, self.title(site.wish))

    async def remove(self, site: Site, found: Found) -> None:
        """With its listeners and their rules; its target groups and its place in the network are free after that."""
        with refused_with("LoadBalancerNotFound"):
            await site.clients.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=found.id)

        async def gone() -> bool:
            return await self._known(site) is None

        await site.until(gone, self.title(site.wish))

    async def _known(self, site: Site) -> Mapping[str, Any] | None:
        try:
            reply = await site.call("elbv2", "DescribeLoadBalancers", Names=[self.title(site.wish)])
        except AwsRefusal as refusal:
            if refusal.aws_code in {"LoadBalancerNotFound", "LoadBalancerNotFoundException"}:
                return None
            raise
        found: list[Mapping[str, Any]] = reply["LoadBalancers"]
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """What one version's tasks are registered in, by address; ECS names each one's port."""

    name: str
    kind: str = "target_group"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return f"{wish.stem}-{self.name}"

    async def look(self, site: Site) -> Found | None:
        try:
            reply = await site.call("elbv2", "DescribeTargetGroups", Names=[self.title(site.wish)])
        except AwsRefusal as refusal:
            if refusal.aws_code in {"TargetGroupNotFound", "TargetGroupNotFoundException"}:
                return None
            raise
        if not reply["TargetGroups"]:
            return None
        known = reply["TargetGroups"][0]
        arn, path = str(known["TargetGroupArn"]), site.wish.health
        site.require_ours(self.kind, self.title(site.wish), (await marks_of(site, arn))[arn])
        return Found(arn, () if known.get("HealthCheckPath") == path else (f"health {path}",))

    async def make(self, site: Site) -> Found | None:
        try:
            reply = await site.call(
                "elbv2",
                "CreateTargetGroup",
                Name=self.title(site.wish),
                VpcId=site.ids["vpc"],
                Protocol="HTTP",
                Port=80,
                TargetType="ip",
                HealthCheckPath=site.wish.health,
                HealthCheckIntervalSeconds=_HEALTH_EVERY_S,
                HealthyThresholdCount=_HEALTHY_AFTER,
                Tags=tags.upper(site.wish.marks(self.name)),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code in {"DuplicateTargetGroupName", "DuplicateTargetGroupNameException"}:
                return None
            raise
        return Found(str(reply["TargetGroups"][0]["TargetGroupArn"]))

    async def mend(self, site: Site, found: Found) -> None:
        path = site.wish.health
        await site.call("elbv2", "ModifyTargetGroup", TargetGroupArn=found.id, HealthCheckPath=path)

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("TargetGroupNotFound"):
            await site.clients.call("elbv2", "DeleteTargetGroup", TargetGroupArn=found.id)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a listener answers, by HTTPS if it has a certificate. `leads_to`: it sends on to HTTPS at that port."""

    port: int
    certificate: str | None = None
    leads_to: int | None = None

    @property
    def protocol(self) -> str:
        return "HTTPS" if self.certificate else "HTTP"

    def __str__(self) -> str:
        return f"{self.protocol}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the load balancer answers: people, tests of a new version, or who came without HTTPS.

    The rule of the first two takes every request. What they would do without is the same, since ECS does not deploy
    behind a listener that does anything but forward:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html
    """

    name: str
    door: Callable[[Wish], Door]
    kind: str = "listener"
    within: str | None = "balancer"

    def title(self, wish: Wish) -> str:
        return str(self.door(wish))

    async def look(self, site: Site) -> Found | None:
        ours = await _listeners(site)
        if self.name not in ours:
            return None
        known, stale = ours[self.name], self._stale(site.wish, ours)
        lacks = [] if _is_behind(self.door(site.wish), known) else [self.title(site.wish)]
        lacks += [f"-{stale['Protocol']}:{stale['Port']}"] if stale else []
        return Found(str(known["ListenerArn"]), tuple(lacks))

    async def make(self, site: Site) -> Found | None:
        marks = tags.upper(site.wish.marks(self.name))
        does = {"DefaultActions": _forwarding(site), **_entrance(self.door(site.wish))}
        try:
            reply = await site.call("elbv2", "CreateListener", LoadBalancerArn=site.ids["balancer"], Tags=marks, **does)
        except AwsRefusal as refusal:
            if refusal.aws_code == "DuplicateListener":
                return None
            raise
        return Found(str(reply["Listeners"][0]["ListenerArn"]))

    async def mend(self, site: Site, found: Found) -> None:
        stale = self._stale(site.wish, await _listeners(site))
        if stale:
            await self.remove(site, Found(str(stale["ListenerArn"])))
        await site.call("elbv2", "ModifyListener", ListenerArn=found.id, **_entrance(self.door(site.wish)))

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("ListenerNotFound"):
            await site.clients.call("elbv2", "DeleteListener", ListenerArn=found.id)

    def _stale(self, wish: Wish, ours: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """What sent people on to HTTPS, at a port where nobody is sent on any more: they may be answered there now."""
        known = ours.get(REDIRECT.name)
        is_stale = known is not None and int(known["Port"]) != wish.redirect_port
        return known if is_stale and self.name == LISTENER.name else None


def _people(wish: Wish) -> Door:
    return Door(wish.port, wish.certificate)


def _tests(wish: Wish) -> Door:
    return Door(wish.test_port, wish.certificate)


def _sent_on(wish: Wish) -> Door:
    """Asked also about one that is not wished for any more."""
    return Door(wish.redirect_port or wish.port, leads_to=wish.port)


LISTENER, TEST_LISTENER = Listener("listener", _people), Listener("test-listener", _tests)
REDIRECT = Listener("redirect", _sent_on)


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends a listener's requests to the target groups. From the first deployment on ECS decides the shares."""

    name: str
    listener: Listener
    kind: str = "rule"

    @property
    def within(self) -> str | None:
        return self.listener.name

    def title(self, wish: Wish) -> str:
        return f"{self.listener.title(wish)}/*"

    async def look(self, site: Site) -> Found | None:
        reply = await site.call("elbv2", "DescribeRules", ListenerArn=site.ids[self.listener.name])
        ours = [str(one["RuleArn"]) for one in reply["Rules"] if one.get("Priority") == str(_PRIORITY)]
        return Found(ours[0]) if ours else None

    async def make(self, site: Site) -> Found | None:
        try:
            reply = await site.call(
                "elbv2",
                "CreateRule",
                ListenerArn=site.ids[self.listener.name],
                Priority=_PRIORITY,
                Conditions=_ALL_PATHS,
                Actions=_forwarding(site),
                Tags=tags.upper(site.wish.marks(self.name)),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code == "PriorityInUse":
                return None
            raise
        return Found(str(reply["Rules"][0]["RuleArn"]))

    async def mend(self, site: Site, found: Found) -> None:
        """It is never changed: its shares are ECS's."""

    async def remove(self, site: Site, found: Found) -> None:
        with refused_with("RuleNotFound"):
            await site.clients.call("elbv2", "DeleteRule", RuleArn=found.id)


RULE, TEST_RULE = Rule("rule", LISTENER), Rule("test-rule", TEST_LISTENER)


async def marks_of(site: Site, *arns: str) -> dict[str, dict[str, str]]:
    """ARN → tags, up to 20 in one call."""
    reply = await site.call("elbv2", "DescribeTags", ResourceArns=list(arns))
    return {str(one["ResourceArn"]): tags.read(one.get("Tags", [])) for one in reply["TagDescriptions"]}


async def _listeners(site: Site) -> dict[str, Mapping[str, Any]]:
    """Part → the load balancer's listener that is it."""
    reply = await site.call("elbv2", "DescribeListeners", LoadBalancerArn=site.ids["balancer"])
    known = {str(one["ListenerArn"]): one for one in reply["Listeners"]}
    marks = await marks_of(site, *known) if known else {}
    return {given.get(tags.PART, ""): known[arn] for arn, given in marks.items()}


def _entrance(door: Door) -> dict[str, Any]:
    """A door as AWS is told it."""
    entrance: dict[str, Any] = {"Protocol": door.protocol, "Port": door.port}
    if door.certificate is not None:
        entrance |= {"Certificates": [{"CertificateArn": door.certificate}], "SslPolicy": _TLS}
    if door.leads_to is not None:
        there = {"Protocol": "HTTPS", "Port": str(door.leads_to), "StatusCode": "HTTP_301"}
        entrance["DefaultActions"] = [{"Type": "redirect", "RedirectConfig": there}]
    return entrance


def _is_behind(door: Door, known: Mapping[str, Any]) -> bool:
    """Whether a listener is that door."""
    certificates = [one["CertificateArn"] for one in known.get("Certificates") or []]
    there = known["DefaultActions"][0].get("RedirectConfig", {}).get("Port")
    seen = (known["Protocol"], int(known["Port"]), certificates, there)
    leads_to = None if door.leads_to is None else str(door.leads_to)
    return seen == (door.protocol, door.port, [door.certificate] if door.certificate else [], leads_to)


def _forwarding(site: Site) -> list[dict[str, Any]]:
    """All to blue; where there is green, ECS knows it by its share of nothing."""
    shares = [(site.ids[name], share) for name, share in (("blue", 100), ("green", 0)) if name in site.ids]
    groups = [{"TargetGroupArn": arn, "Weight": share} for arn, share in shares]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _subnets(site: Site) -> list[str]:
    """The network's own, or those that were given."""
    given = site.wish.given.get("subnets")
    if given:
        return list(given)
    return [site.ids[f"subnet-{number + 1}"] for number in range(site.wish.subnets)]
