"""Where things are made for one wish: the clients, what is known so far, and how long anything is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal, unavailable
from aws.provision.wish import Wish
from aws.repeat import FIRST_PAUSE_S
from bot.errors import Permanent

_NOT_SEEN_YET = (
    "InvalidVpcID.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidSubnet",
    "InvalidGroup.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidGatewayID.NotFound",
    "ListenerNotFound",
    "NoSuchEntity",
)
"""What was made a moment ago may not show everywhere yet.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

_FIRST_EVER = "service linked role"
"""The first cluster, or load balancer, of an account: AWS makes itself a role, which takes it a moment."""


@dataclass(frozen=True, slots=True)
class Waits:
    """In seconds: between looks at what takes AWS minutes, how long at most, and before a lost answer is looked for."""

    every_s: float = 8.0
    limit_s: float = 540.0
    first_pause_s: float = FIRST_PAUSE_S


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that is there. `lacks` says, a phrase each, what is not as it should be; `adopted`: it is not ours."""

    id: str
    lacks: tuple[str, ...] = ()
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """`ids` grows while things are found and made: part → id or ARN."""

    clients: AwsClients
    wish: Wish
    waits: Waits = Waits()
    ids: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    """The tags of the cluster, as they were seen last."""

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """What may be repeated. Raises Transient, too, for what was made a moment ago and is not seen yet."""
        with _passing(f"{service}.{operation}"):
            return await self.clients.call(service, operation, **parameters)

    async def once(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """The same in a single attempt: a second one would make a second thing."""
        with _passing(f"{service}.{operation}"):
            return await self.clients.call_once(service, operation, **parameters)

    def ec2_marks(self, part: str, kind: str, **more: str) -> list[dict[str, Any]]:
        """`TagSpecifications`, with the name that AWS's console shows."""
        given = {**self.wish.marks(part), "Name": f"{self.wish.stem}-{part}", **more}
        return [{"ResourceType": kind, "Tags": tags.upper(given)}]

    def filters(self, part: str) -> list[dict[str, Any]]:
        """EC2's filters for what is ours and of that part."""
        wanted = {tags.OWNER: self.wish.owner, tags.STACK: self.wish.stem, tags.PART: part}
        return [{"Name": f"tag:{name}", "Values": [value]} for name, value in wanted.items()]

    def require_ours(self, kind: str, name: str, marks: Mapping[str, str]) -> None:
        """Raises Permanent("aws_name_taken") for what bears our name and was made by somebody else."""
        if marks.get(tags.OWNER) != self.wish.owner or marks.get(tags.STACK) != self.wish.stem:
            raise Permanent("aws_name_taken", kind=kind, name=name)

    async def until(self, is_so: Callable[[], Awaitable[bool]], what: str) -> None:
        """Ask until it is so. Raises Permanent("aws_waited_in_vain", what, limit_s)."""
        ends = asyncio.get_running_loop().time() + self.waits.limit_s
        while not await is_so():
            if asyncio.get_running_loop().time() > ends:
                raise Permanent("aws_waited_in_vain", what=what, limit_s=self.waits.limit_s)
            await asyncio.sleep(self.waits.every_s)


class Part(Protocol):
    """One thing a service stands on. Every method may be repeated, and done by two at once."""

    @property
    def name(self) -> str:
        """The same for its whole life: a tag of it says so."""

    @property
    def kind(self) -> str: ...

    @property
    def within(self) -> str | None:
        """The part without which there can be none of this."""

    def title(self, wish: Wish) -> str:
        """What people know it by, before it has an id."""

    async def look(self, site: Site) -> Found | None:
        """As it is now. Raises Permanent("aws_name_taken")."""

    async def make(self, site: Site) -> Found | None:
        """One attempt; None where somebody was quicker, or only a look can tell."""

    async def mend(self, site: Site, found: Found) -> None:
        """Give it what it lacks."""

    async def remove(self, site: Site, found: Found) -> None:
        """Delete it; what is gone already is well."""


@contextmanager
def refused_with(*codes: str) -> Iterator[None]:
    """These answers mean that it is as it should be: it is there already, or gone already."""
    try:
        yield
    except AwsRefusal as refusal:
        if refusal.aws_code not in codes:
            raise


@contextmanager
def _passing(operation: str) -> Iterator[None]:
    try:
        yield
    except AwsRefusal as refusal:
        if refusal.aws_code in _NOT_SEEN_YET or _FIRST_EVER in refusal.message:
            raise unavailable(operation, refusal.message) from refusal
        raise
