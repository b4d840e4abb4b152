"""`shipmate deliveries`: webhooks as they were received, and one of them acted on once more."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from bot.clock import utc_now
from bot.shell.store import noted, show, with_store

if TYPE_CHECKING:
    from storage.opened import OpenStore


@click.group()
def deliveries() -> None:
    """Webhooks as they were received."""


@deliveries.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True)
def list_deliveries(limit: int, as_json: bool) -> None:
    """The newest first."""

    async def read(opened: OpenStore) -> list[dict[str, Any]]:
        rows = await opened.store.deliveries.recent(limit)
        return [
            {
                "seq": row.seq,
                "guid": row.guid,
                "event": row.event,
                "receivedAt": row.received_at.astimezone(UTC).isoformat(),
                "outcome": row.outcome,
                "reason": row.reason,
                "attempts": row.attempts,
            }
            for row in rows
        ]

    show(with_store(read), as_json)


@deliveries.command("replay")
@click.argument("guid")
def replay_delivery(guid: str) -> None:
    """Have a delivery acted on once more."""

    async def replay(opened: OpenStore) -> bool:
        return await opened.store.deliveries.replay(guid, utc_now())

    if not noted(replay, "deliveries replay", guid):
        raise click.UsageError(f"No delivery {guid} was recorded here.")
    click.echo(f"{guid} will be acted on again")
