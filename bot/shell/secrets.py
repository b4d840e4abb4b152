"""`shipmate secrets`: secrets of a repository are set, listed by name and forgotten; never shown."""

from __future__ import annotations

import sys

import click

from bot.clock import utc_now
from bot.shell.repository import of_repository
from bot.shell.store import noted, with_store


@click.group()
def secrets() -> None:
    """Secrets that `.shipmate.yml` names. Sealed at rest under SHIPMATE_SECRET_KEY."""


@secrets.command("set")
@of_repository
@click.argument("name")
def set_secret(repository: str, name: str) -> None:
    """Set a secret of a repository. Read from standard input, or asked for on a terminal."""
    value = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise click.UsageError("The value is empty: give it on standard input.")
    noted(lambda opened: opened.store.secrets.put(repository, name, value, utc_now()), "secrets set", name, repository)
    click.echo(f"{name} is set for {repository}")


@secrets.command("list")
@of_repository
def list_secrets(repository: str) -> None:
    """The names of a repository's secrets."""
    for name in with_store(lambda opened: opened.store.secrets.names(repository)):
        click.echo(name)


@secrets.command("remove")
@of_repository
@click.argument("name")
def remove_secret(repository: str, name: str) -> None:
    """Forget a secret."""
    if not noted(lambda opened: opened.store.secrets.remove(repository, name), "secrets remove", name, repository):
        raise click.UsageError(f"{repository} has no secret {name}.")
    click.echo(f"{name} is removed from {repository}")
