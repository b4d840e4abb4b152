"""`shipmate keys`: API keys are made, listed and ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from bot.clock import utc_now
from bot.shell.store import noted, show, with_store

LIMIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?:\*|(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100})")

if TYPE_CHECKING:
    from storage.opened import OpenStore


@click.group()
def keys() -> None:
    """API keys for programs, and for reading job pages."""


@keys.command("create")
@click.argument("name")
@click.option("--for", "limits", help="All it may see: OWNER/REPO or OWNER/*, with commas.")
def create_key(name: str, limits: str | None) -> None:
    """Make a key; it is shown this once and kept only as a hash. Without --for it sees every repository."""
    repositories = [] if limits is None else _limits(limits)
    told = f"{name} for {','.join(repositories)}" if repositories else name
    record, key = noted(lambda opened: opened.store.keys.create(name, utc_now(), repositories), "keys create", told)
    click.echo("  ".join([record.id, record.name, *record.repositories]), err=True)
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
                "repositories": list(key.repositories) if as_json else ",".join(key.repositories) or None,
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


def _limits(given: str) -> list[str]:
    """The repositories a key is limited to. Raises UsageError, naming what is none."""
    limits = [part.strip() for part in given.split(",") if part.strip()]
    wrong = next((one for one in limits if not LIMIT.fullmatch(one)), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong!r} is neither OWNER/REPO nor OWNER/*.")
    if not limits:
        raise click.UsageError("--for names no repository: leave it out for a key that sees every one.")
    return limits
