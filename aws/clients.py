"""Opens clients to one account and region: each with the house's retries, limits, keys and a count of its calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioDeferredRefreshableCredentials
from aiobotocore.session import AioSession
from botocore import xform_name

from aws.errors import aws_errors
from aws.shared import SharedTrust, share_models

CONNECT_S = 5.0
ANSWER_S = 30.0
TRIES = 5
CONNECTIONS = 50
_NEVER = "9999-12-31T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests are signed with. `expires_at` (UTC) None: they do not expire."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


KeySource = Callable[[], Awaitable[Keys]]
"""Gives keys that hold now. Asked at the first call, and again well before those it gave expire."""


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Which account and region, and how to get in. With no `keys`, botocore's own chain looks for them."""

    region: str | None = None
    endpoint_url: str | None = None
    keys: KeySource | None = field(default=None, repr=False)


class AwsClients:
    """One client a service, made at its first call and shared by all deployments; `close` ends them.

    `calls` counts requests by `service.Operation`, each attempt of a retried one too: what AWS sees and meters.
    """

    def __init__(self, access: AwsAccess | None = None, *, session: AioSession | None = None) -> None:
        self.access = access or AwsAccess()
        self.calls: Counter[str] = Counter()
        self._session = session or AioSession()
        share_models(self._session)
        if self.access.keys is not None:
            _sign_with(self._session, self.access.keys)
        self._open: dict[tuple[str, bool], Any] = {}
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Ask `ecs`, `DescribeServices`; what may pass is tried again within. Raises what `aws_errors` says.

        Only for what may be repeated: an attempt whose answer was lost may have been carried out.
        """
        return await self._call(service, operation, parameters, once=False)

    async def call_once(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """The same in a single attempt, for what must not happen twice: look before asking again."""
        return await self._call(service, operation, parameters, once=True)

    async def client(self, service: str, *, once: bool = False) -> Any:
        """The aiobotocore client itself, for paginators and streams; wrap its calls in `aws_errors`."""
        async with self._opening:
            if (service, once) not in self._open:
                with aws_errors(f"{service}.connect"):
                    made = await self._stack.enter_async_context(self._made(service, once))
                made.meta.events.register("request-created", partial(self._count, service))
                self._open[service, once] = made
            return self._open[service, once]

    @property
    def region(self) -> str | None:
        """The region requests go to; None where neither the settings nor botocore's own name one."""
        known = self.access.region or self._session.get_config_variable("region")
        return str(known) if known else None

    async def close(self) -> None:
        """Close the connections. The next call opens them again."""
        async with self._opening:
            self._open.clear()
            stack, self._stack = self._stack, AsyncExitStack()
            await stack.aclose()

    async def _call(self, service: str, operation: str, parameters: dict[str, Any], *, once: bool) -> dict[str, Any]:
        client = await self.client(service, once=once)
        with aws_errors(f"{service}.{operation}"):
            reply: dict[str, Any] = await getattr(client, xform_name(operation))(**parameters)
        return reply

    def _made(self, service: str, once: bool) -> Any:
        config = AioConfig(
            connect_timeout=CONNECT_S,
            read_timeout=ANSWER_S,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 1 if once else TRIES},
            user_agent_extra="shipmate",
            http_session_cls=SharedTrust,
        )
        return self._session.create_client(
            service, region_name=self.region, endpoint_url=self.access.endpoint_url, config=config
        )

    def _count(self, service: str, *, operation_name: str, **_: Any) -> None:
        self.calls[f"{service}.{operation_name}"] += 1


def _sign_with(session: AioSession, keys: KeySource) -> None:
    """Have the session ask `keys`, and ask again before what they gave expires (botocore: 15 minutes before)."""

    async def fetch() -> dict[str, str | None]:
        given = await keys()
        until = given.expires_at.isoformat() if given.expires_at else _NEVER
        return {
            "access_key": given.access_key_id,
            "secret_key": given.secret_access_key,
            "token": given.session_token,
            "expiry_time": until,
        }

    session._credentials = AioDeferredRefreshableCredentials(fetch, "shipmate")
