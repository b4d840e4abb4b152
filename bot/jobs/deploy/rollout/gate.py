"""Judges green while a platform gives it traffic: by what the load balancer counted, and by our own requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from bot import messages
from bot.errors import ShipmateError
from bot.jobs.deploy.rollout.follow import rollout_id, show_output
from bot.jobs.deploy.rollout.spec import RolloutShip, prepared_of, rollout_spec
from bot.jobs.deploy.watching.health import Probe, probe_url
from bot.jobs.deploy.watching.steps import FULL_PERCENT, Step
from bot.jobs.deploy.watching.telling import Seen, fail_gate, tell_gate
from bot.jobs.deploy.watching.verdict import Figures, Judgement, Verdict, judge, of_probes, of_traffic
from bot.model import Stage
from bot.ports.rollouts import RolloutView

REMEMBERED = 300
"""Our own newest requests; older ones say nothing of how green is now."""


@dataclass
class Gate:
    """The judge of one deployment's traffic. `began_s` is when green was first given some (monotonic)."""

    ship: RolloutShip
    began_s: float = field(default_factory=time.monotonic)
    green: deque[Probe] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    async def watch(self, view: RolloutView, seconds: float) -> None:
        """Ask green again and again for so long. Raises Permanent("gate_failed") as soon as it is not good enough."""
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0:
            url = self._green_url(view)
            if url is not None:
                self.green.append(await probe_url(url + self.ship.plan.environment.health))
                seen = self._probed()
                judgement = self._judge(seen)
                if judgement.verdict is Verdict.FAIL:
                    await self._fail(seen, judgement, view)
            await asyncio.sleep(min(self.ship.engine.pace.probe_s, left_s))

    async def conclude(self, view: RolloutView) -> None:
        """The verdict before anything goes on: on people's requests, or on ours where those are too few to say."""
        seen = await self._counted()
        judgement = self._judge(seen)
        if judgement.verdict is Verdict.INCONCLUSIVE:
            await tell_gate(self.ship, _step(view), seen, judgement)
            await self._fill_in(view)
            seen = self._probed()
            judgement = self._judge(seen)
        if judgement.verdict is Verdict.FAIL:
            await self._fail(seen, judgement, view)
        await tell_gate(self.ship, _step(view), seen, judgement)

    def _probed(self) -> Seen:
        kept = self.ship.context.known(Stage.SWITCH, "baseline")
        return Seen("probes", of_probes(self.green), Figures(**kept) if kept else None)

    async def _counted(self) -> Seen:
        """Figures that cannot be read are none, and the log says why: our own requests decide then."""
        spec, seconds = rollout_spec(self.ship), time.monotonic() - self.began_s
        try:
            blue, green = await self.ship.engine.rollouts.measured(spec, rollout_id(self.ship), seconds)
        except ShipmateError as error:
            self.ship.context.log.line(messages.failure(self.ship.tools.locale, error.code, error.facts))
            blue = green = None
        return Seen("traffic", of_traffic(green), of_traffic(blue) if blue else None)

    async def _fill_in(self, view: RolloutView) -> None:
        url = self._green_url(view)
        missing = self.ship.plan.environment.gate.requests - len(self.green)
        for _ in range(missing if url else 0):
            self.green.append(await probe_url(f"{url}{self.ship.plan.environment.health}"))

    def _green_url(self, view: RolloutView) -> str | None:
        """Where green alone answers: the test listener, or production once all of it is green's."""
        prepared = prepared_of(self.ship)
        return prepared.test_url or (prepared.url if view.green_percent >= FULL_PERCENT else None)

    def _judge(self, seen: Seen) -> Judgement:
        return judge(seen.green, seen.blue, self.ship.plan.environment.gate)

    async def _fail(self, seen: Seen, judgement: Judgement, view: RolloutView) -> None:
        await show_output(self.ship)
        await fail_gate(self.ship, _step(view), seen, judgement)


def _step(view: RolloutView) -> Step:
    return Step(round(view.green_percent), 0)
