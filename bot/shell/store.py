"""Opens the store for one command of the shell, notes in the audit trail what was done, and shows rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from bot.config import from_environment
from bot.shell.trail import told

T = TypeVar("T")

if TYPE_CHECKING:
    from storage.opened import OpenStore

    Use: TypeAlias = Callable[[OpenStore], Coroutine[Any, Any, T]]
    """What a command does with the store."""


def noted(use: Use[T], command: str, raw: str, repository: str = "") -> T:
    """Do it, and tell the audit trail unless there was nothing to do, which `use` answers with False."""

    async def within(opened: OpenStore) -> T:
        done = await use(opened)
        if done is not False:
            await told(opened.store.audit, command, raw, repository)
        return done

    return with_store(within)


def with_store(use: Use[T]) -> T:
    """What `use` makes of the store that the environment names; closed afterwards. Raises UserMistake, Transient."""
    from storage.opened import open_store

    async def within() -> T:
        settings = from_environment()
        opened = await open_store(
            settings.database_url, secret_key=settings.secret_key, max_waiting=settings.max_waiting
        )
        try:
            return await use(opened)
        finally:
            await opened.close()

    return asyncio.run(within())


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """A line each, or all as one JSON array."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo("  ".join("–" if value is None else str(value) for value in row.values()))
