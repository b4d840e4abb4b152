"""Finds the engine a plan is carried out on: the server's own, or the one over the account its connection names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.jobs.deploy.plan import Plan
from bot.ports.engines import Accounts, AnyEngine, Errand


@asynccontextmanager
async def entered(
    engines: Mapping[str, AnyEngine], accounts: Accounts | None, plan: Plan, repository: str, environment: str
) -> AsyncIterator[AnyEngine | None]:
    """Held until the end of the block; None where there is none. Raises Permanent("connection_removed")."""
    if plan.connection is None:
        yield engines.get(plan.target)
    elif accounts is None:
        yield None
    else:
        async with accounts.entered(Errand(plan.connection, repository, environment)) as lent:
            yield lent
