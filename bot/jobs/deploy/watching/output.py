"""Shows what an instance wrote at last, when it is not well."""

from __future__ import annotations

from bot.jobs.deploy.ship import Ship

OUTPUT_LINES = 60


async def show_output(ship: Ship, instance_id: str) -> None:
    """Put the last lines the instance wrote into the job's log."""
    lines = await ship.engine.target.output(instance_id, OUTPUT_LINES)
    ship.context.log.line(ship.say("log.last_output", count=len(lines)))
    for line in lines:
        ship.context.log.line(f"  {line}")
