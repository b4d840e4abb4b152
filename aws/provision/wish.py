"""What one environment wants to stand on: what its settings state, what is made for it, and how that is called."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws import tags
from aws.repeat import token
from bot.ports.rollouts import RolloutSpec

CIDR = "10.42.0.0/16"
EVERYBODY = ("0.0.0.0/0",)
ZONES, MOST_ZONES = 2, 6
SUBNET_BITS = 4
"""How much smaller a subnet is than its network: one of sixteen."""
FRONT = ("listener_rule", "target_group", "alternate_target_group", "test_listener_rule")
"""What belongs to one load balancer: given together, or made together."""
NEEDED = ("listener_rule", "target_group")
NEEDED_BLUE_GREEN = (*NEEDED, "alternate_target_group")
NETWORK = ("subnets", "security_groups")
"""What a load balancer that is there already cannot do without: it reaches tasks where it is known who they are."""
SHAPING = (
    *(*FRONT, *NETWORK, "cluster", "execution_role", "infrastructure_role", "log_group", "secrets"),
    *("cidr", "zones", "certificate", "port", "redirect_port", "test_port", "test_from", "permissions_boundary"),
)
"""The settings on which it depends what is made, and how."""
_PLAIN, _SECURE, _TEST = 80, 443, 8080


@dataclass(frozen=True, slots=True)
class Wish:
    """`service` is the service's name, the same for the environment's whole life; `given` its settings under `ecs`.

    `rolling`: there is no second target group, no test listener, and ECS changes no rule.
    """

    owner: str
    service: str
    repository: str
    environment: str
    region: str
    health: str = "/"
    rolling: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What everything of it is called: short, since a load balancer's name has 32 characters; its region's own,
        since roles are known in all of them."""
        return f"shipmate-{token(self.owner, self.service, self.region)[:10]}"

    @property
    def may_make(self) -> bool:
        """Whether a deployment makes what is missing, unasked."""
        return bool(self.given.get("provision"))

    @property
    def has_own_network(self) -> bool:
        return not self.given.get("subnets")

    @property
    def has_own_front(self) -> bool:
        return not any(self.given.get(name) for name in FRONT)

    @property
    def network(self) -> str:
        """The addresses of a network of its own."""
        return str(self.given.get("cidr", CIDR))

    @property
    def subnets(self) -> int:
        """In how many zones it is."""
        return len(self.given.get("zones", ())) or ZONES

    def subnet(self, number: int) -> str:
        """The addresses of one of its subnets, counted from 0."""
        whole = ipaddress.ip_network(self.network)
        return str(list(whole.subnets(prefixlen_diff=SUBNET_BITS))[number])

    @property
    def certificate(self) -> str | None:
        return self.given.get("certificate")

    @property
    def port(self) -> int:
        """Where people are answered."""
        return int(self.given.get("port", _SECURE if self.certificate else _PLAIN))

    @property
    def test_port(self) -> int:
        """Where a new version is, before people are sent there."""
        return int(self.given.get("test_port", _TEST))

    @property
    def redirect_port(self) -> int | None:
        """Where those who come without HTTPS are sent on to it; None where nobody is, or others are answered there."""
        port = int(self.given.get("redirect_port", _PLAIN))
        return port if self.certificate and port not in {self.port, self.test_port} else None

    @property
    def openings(self) -> frozenset[tuple[int, str]]:
        """Port and network that the load balancer lets in."""
        tests = () if self.rolling else self.given.get("test_from", EVERYBODY)
        public = [port for port in (self.port, self.redirect_port) if port is not None]
        of_people = {(port, one) for port in public for one in EVERYBODY}
        return frozenset(of_people | {(self.test_port, one) for one in tests})

    @property
    def boundary(self) -> str | None:
        """The ARN of the policy that says what roles which are made may do at most.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        return self.given.get("permissions_boundary")

    @property
    def digest(self) -> str:
        """The same for the same wish: what was provided for it need not be looked at again."""
        shaping = {name: self.given.get(name) for name in SHAPING}
        told = [self.health, self.rolling, shaping]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def marks(self, part: str) -> dict[str, str]:
        """The tags of one thing that is made for it; what all environments share names none."""
        given = {
            tags.OWNER: self.owner,
            tags.REPOSITORY: self.repository,
            tags.ENVIRONMENT: self.environment,
            tags.STACK: self.stem,
            tags.PART: part,
        }
        return {name: value for name, value in given.items() if value}


def wish_of(spec: RolloutSpec, owner: str, region: str | None) -> Wish:
    """The wish behind a deployment."""
    return Wish(
        owner=owner,
        service=spec.service,
        repository=spec.repository,
        environment=spec.environment,
        region=region or "",
        health=spec.health,
        rolling=spec.strategy == "rolling",
        given=dict(spec.place),
    )
