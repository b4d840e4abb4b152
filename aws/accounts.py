"""Enters the accounts that somebody lent us a way into: an engine for each, made when it is needed and kept a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients
from aws.composition import EcsParts, ecs_engine
from aws.lent_keys import Lender, LentKeys
from bot.errors import Permanent
from bot.ports.engines import Errand, RolloutEngine

MOST_IDLE = 8
"""Accounts that nobody is in now, whose clients are kept for the next deployment."""


_Entrance = tuple[str, ...]
"""What has clients of its own: a connection by keys, or one by a role with what its session is for."""


class LentAccounts:
    """`bot.ports.engines.Accounts`. A role is assumed anew for each repository and environment; its session names them.

    Keys have no sessions, so all deployments through them share one set of clients. `endpoint_url` is where AWS is, if
    not where botocore says; a role is assumed from the server's own identity, in the connection's region.
    """

    def __init__(
        self,
        lender: Lender,
        parts: EcsParts,
        register_secret: Callable[[str], None],
        *,
        endpoint_url: str | None = None,
        engine: Callable[[AwsClients, EcsParts], RolloutEngine] = ecs_engine,
        new_session: Callable[[], AioSession] = AioSession,
    ) -> None:
        self._lender, self._parts, self._endpoint_url = lender, parts, endpoint_url
        self._register = register_secret
        self._engine, self._new_session = engine, new_session
        self._own: dict[str, AwsClients] = {}
        self._open: dict[_Entrance, tuple[AwsClients, RolloutEngine]] = {}
        self._inside: Counter[_Entrance] = Counter()

    @asynccontextmanager
    async def entered(self, errand: Errand) -> AsyncIterator[RolloutEngine]:
        """The engine over the account, with clients of its own. Raises Permanent("connection_removed")."""
        lent = await self._lender.credentials_of(errand.connection)
        if lent is None:
            raise Permanent("connection_removed", connection=errand.connection)
        entrance = _entrance(errand, lent)
        if entrance not in self._open:
            clients = self._clients(errand, lent)
            self._open[entrance] = (clients, self._engine(clients, self._parts))
        self._inside[entrance] += 1
        try:
            yield self._open[entrance][1]
        finally:
            self._inside[entrance] -= 1
            for clients in self._taken_out():
                await clients.close()

    async def close(self) -> None:
        """Close all connections to AWS; nobody is inside any more."""
        open_ones, own = [clients for clients, _ in self._open.values()], list(self._own.values())
        self._open.clear()
        self._own.clear()
        for clients in [*open_ones, *own]:
            await clients.close()

    def _clients(self, errand: Errand, lent: Mapping[str, str]) -> AwsClients:
        region = lent["region"]
        keys = LentKeys(errand, self._lender, self._own_clients(region), self._register)
        return AwsClients(AwsAccess(region, self._endpoint_url, keys), session=self._new_session())

    def _own_clients(self, region: str) -> AwsClients:
        """The server's own identity in that region; opened with the first role that is assumed from it."""
        if region not in self._own:
            access = AwsAccess(region, self._endpoint_url)
            self._own[region] = AwsClients(access, session=self._new_session())
        return self._own[region]

    def _taken_out(self) -> list[AwsClients]:
        """Those too many that nobody is in, entered first: nobody finds them any more, so they can be closed."""
        idle = [entrance for entrance in self._open if not self._inside[entrance]]
        too_many = idle[: max(0, len(idle) - MOST_IDLE)]
        for entrance in too_many:
            del self._inside[entrance]
        return [self._open.pop(entrance)[0] for entrance in too_many]


def _entrance(errand: Errand, lent: Mapping[str, str]) -> _Entrance:
    place = (errand.connection, lent["region"])
    return (*place, errand.repository, errand.environment) if "role_arn" in lent else place
