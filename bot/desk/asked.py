"""Takes over deployments that were asked for in the table: a job each, under its id and at its commit, or why not."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from bot import messages
from bot.asked import Asked, Tables, Waits
from bot.clock import Clock
from bot.desk.programs import ProgramDesk
from bot.desk.record import ended_before
from bot.errors import Permanent, Refused, ShipmateError, Transient
from bot.model import JobState
from bot.store.audit import Audit
from bot.store.jobs import Jobs

GIVEN_UP_AFTER = timedelta(minutes=16)
"""What waits for the Lambda longer than this is taken over as it is: one runs for a quarter of an hour at most.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
"""
AT_ONCE = 8
log = logging.getLogger("shipmate.desk")


@dataclass(frozen=True, slots=True)
class AskedDesk:
    """Looks for what waits; nothing it does may be done twice, whoever dies in the middle."""

    tables: Tables
    programs: ProgramDesk
    jobs: Jobs
    audit: Audit
    clock: Clock

    async def look(self) -> int:
        """Take over all that waits; answers how many."""
        now, table = self.clock(), self.tables.deployments
        waiting = await table.waiting(Waits.SERVER, now) + await table.waiting(Waits.WORK, now - GIVEN_UP_AFTER)
        gate = asyncio.Semaphore(AT_ONCE)
        return sum(await asyncio.gather(*(self._settled(one, gate) for one in dict.fromkeys(waiting))))

    async def _settled(self, deployment_id: str, gate: asyncio.Semaphore) -> bool:
        """One that breaks holds up none of the others."""
        try:
            async with gate:
                return await self._taken(deployment_id)
        except ShipmateError as error:
            log.warning("a deployment is not taken over yet", extra={"deployment": deployment_id, "code": error.code})
        except Exception:
            log.exception("a deployment could not be taken over", extra={"deployment": deployment_id})
        return False

    async def _taken(self, deployment_id: str) -> bool:
        """The job is made before the table is told: after a death in between it is found by its id."""
        asked = await self.tables.deployments.get(deployment_id)
        if asked is None or asked.waits is None:
            return False
        if asked.state.is_final:
            await self._note(asked)
        elif await self.jobs.get(asked.id) is None:
            try:
                await self.programs.take_over(asked)
            except (Refused, Permanent) as refusal:
                await self._refuse(asked, refusal)
                return True
        if await self.tables.deployments.change(asked, replace(asked, waits=None)) is None:
            raise Transient("changed_meanwhile")
        return True

    async def _note(self, asked: Asked) -> None:
        """The audit trail hears once of one that ended before there was a job."""
        if not await self.audit.of_job(asked.id):
            await self.audit.add(ended_before(asked), asked.moved_at)

    async def _refuse(self, asked: Asked, refusal: ShipmateError) -> None:
        """Its end, and why, are written into the table; whoever began a build for it hears of it there."""
        words = messages.failure(asked.language, refusal.code, refusal.facts)
        told = {"errorCode": refusal.code.upper(), "errorMessage": words}
        await self.tables.deployments.change(asked, asked.gone_to(JobState.FAILED, self.clock(), None, **told))
