"""`shipmate keys`: API keys are made, listed and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.clock import utc_now
from bot.shell.store import noted, show, with_store

if TYPE_CHECKING:
    from storage.opened import OpenStore


@click.group()
def keys() -> None:
    """API keys for programs, and for reading job pages."""


@keys.command("create")
@click.argument("name")
def create_key(name: str) -> None:
    """Make a key; it is shown this once and kept only as a hash."""
    record, key = noted(lambda opened: opened.store.keys.create(name, utc_now()), "keys create", name)
    click.echo(f"{record.id}  {record.name}", err=True)
    click.echo(key)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_keys(as_json: bool) -> None:
    """Every key, without the key itself."""

    async def read(opened: OpenStore) -> list[dict[str, Any]]:
        return [
            {
                "id": key.id,
                "name": key.name,
                "createdAt": key.created_at.isoformat(),
                "lastUsedAt": key.last_used_at.isoformat() if key.last_used_at else None,
                "revoked": key.revoked_at is not None,
            }
            for key in await opened.store.keys.all()
        ]

    show(with_store(read), as_json)


@keys.command("revoke")
@click.argument("key_id")
def revoke_key(key_id: str) -> None:
    """End a key at once."""
    if not noted(lambda opened: opened.store.keys.revoke(key_id, utc_now()), "keys revoke", key_id):
        raise click.UsageError(f"There is no live key {key_id}.")
    click.echo(f"{key_id} is revoked")
