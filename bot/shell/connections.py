"""`shipmate connections`: lend a way into GitHub or AWS, list what was lent, take one back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click

from bot.config import from_environment
from bot.connections import BORROWER, CONNECTION_NAME, AwsOffer, ConnectionDesk, GitHubOffer, Hand, Terms
from bot.errors import Refused
from bot.masking import Masker
from bot.shell.repository import of_repository
from bot.shell.trail import account
from bot.store.connections import AwsConnection

T = TypeVar("T")


@click.group()
def connections() -> None:
    """Ways into GitHub and AWS that were lent. Tried, then sealed under SHIPMATE_SECRET_KEY; never shown again."""


@connections.group()
def add() -> None:
    """Try a connection and keep it; its id is printed."""


@add.command("github")
@of_repository
@click.option("--branch", required=True, help="The branch that is deployed.")
def add_github(repository: str, branch: str) -> None:
    """A token for a repository. Read from standard input, or asked for on a terminal."""
    owner, _, name = repository.partition("/")
    offer = GitHubOffer(owner, name, branch, _secret("Token"))
    click.echo(_with_desk(lambda desk: desk.add_github(offer, _hand())).id)


@add.command("aws")
@click.option("--region", required=True)
@click.option("--access-key-id", help="The secret key is read from standard input, or asked for on a terminal.")
@click.option("--session-token", is_flag=True, help="A session token follows the secret key on standard input.")
@click.option("--role-arn", help="A role to assume instead of keys: preferred, since nothing lasting is kept.")
@click.option("--external-id", help="What the role's trust policy asks for.")
@click.option("--name", help="What settings may call it instead of its id.")
@click.option("--for", "borrowers", default="", help="Whose settings may name it: OWNER/REPO or OWNER, with commas.")
@click.option("--replace", is_flag=True, help="Other keys for the connection of that name.")
def add_aws(
    region: str,
    access_key_id: str | None,
    session_token: bool,
    role_arn: str | None,
    external_id: str | None,
    name: str | None,
    borrowers: str,
    replace: bool,
) -> None:
    """Keys of an account, or a role in it. Only what it is lent to with --for may name it in `.shipmate.yml`."""
    if (access_key_id is None) == (role_arn is None):
        raise click.UsageError("Give --access-key-id or --role-arn, one of the two.")
    terms = _terms(name, borrowers, replace)
    if role_arn is not None:
        offer = AwsOffer(region, role_arn=role_arn, external_id=external_id)
    else:
        secret = _secret("Secret access key")
        offer = AwsOffer(region, access_key_id, secret, _secret("Session token") if session_token else None)
    made = _with_desk(lambda desk: desk.add_aws(offer, _hand(), terms))
    click.echo(f"account {made.account_id}", err=True)
    click.echo(made.id)


@connections.command("lend")
@click.argument("connection")
@click.argument("borrowers", nargs=-1, metavar="[OWNER/REPO | OWNER]...")
def lend(connection: str, borrowers: tuple[str, ...]) -> None:
    """Say who may name a connection. These, and nobody else, in `.shipmate.yml`; without any: nobody."""
    _require_borrowers(borrowers)
    made = _with_desk(lambda desk: desk.lend(connection, borrowers, _hand()))
    click.echo(_cell([borrower.name for borrower in made.lent_to]))


@connections.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_connections(as_json: bool) -> None:
    """What was lent, without any secret."""

    async def read(desk: ConnectionDesk) -> dict[str, list[dict[str, Any]]]:
        return {
            "github": [
                {"connectionId": one.id, "owner": one.owner, "repo": one.repo, "branch": one.branch}
                for one in await desk.kept.github()
            ],
            "aws": [_shown(one) for one in await desk.kept.aws()],
        }

    found = _with_desk(read)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for kind, rows in found.items():
        for row in rows:
            click.echo("  ".join([kind, *(_cell(value) for value in row.values())]))


@connections.command("remove")
@click.argument("connection_id")
def remove_connection(connection_id: str) -> None:
    """Forget a connection and what it came in with."""
    try:
        _with_desk(lambda desk: desk.remove(connection_id, _hand()))
    except Refused as unknown:
        raise click.UsageError(f"There is no connection {connection_id}.") from unknown
    click.echo(f"{connection_id} is removed")


def _terms(name: str | None, borrowers: str, replace: bool) -> Terms:
    """How it is kept. Raises UsageError, naming what cannot be read."""
    if name is not None and not CONNECTION_NAME.match(name):
        raise click.UsageError(f"{name!r} is no name: use a-z, 0-9 and - (at most 40, a letter first).")
    if replace and name is None:
        raise click.UsageError("--replace needs the --name of the connection.")
    lent_to = tuple(part.strip() for part in borrowers.split(",") if part.strip())
    _require_borrowers(lent_to)
    return Terms(name, lent_to, replace)


def _require_borrowers(names: Sequence[str]) -> None:
    wrong = next((name for name in names if not BORROWER.match(name)), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong!r} is neither OWNER/REPO nor OWNER.")


def _hand() -> Hand:
    return Hand(account(), "shell")


def _shown(one: AwsConnection) -> dict[str, Any]:
    return {
        "connectionId": one.id,
        "region": one.region,
        "accountId": one.account_id,
        "roleArn": one.role_arn,
        "name": one.name,
        "lentTo": [borrower.name for borrower in one.lent_to],
    }


def _cell(value: str | list[str] | None) -> str:
    return ",".join(value) or "–" if isinstance(value, list) else value or "–"


def _secret(what: str) -> str:
    """One line of standard input, or asked for without an echo: never an argument, which others can read."""
    value: str = click.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not value:
        raise click.UsageError(f"{what} is empty: give it on standard input.")
    return value


def _with_desk(use: Callable[[ConnectionDesk], Awaitable[T]]) -> T:
    from bot.composition.desks import open_connections

    async def within() -> T:
        async with open_connections(from_environment(), Masker()) as desk:
            return await use(desk)

    return asyncio.run(within())
