"""`shipmate register`: the GitHub App is made in the browser of whoever runs it; its secrets are kept in files here.

Nothing goes through the server, which need not run yet.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

import bot
from bot.config import from_environment

if TYPE_CHECKING:
    from bot.github.registration import Registered

MANIFEST = Path(next(iter(bot.__path__))).parent / "app.yml"
GITHUB_URL, API_URL = "https://github.com", "https://api.github.com"
ONLY_THE_OWNER = 0o600


def _address(_: click.Context, __: click.Parameter, given: str) -> str:
    """Without a slash at its end. Raises BadParameter for what nobody can open."""
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise click.BadParameter(f"{given!r} is no http or https address.")
    return given.rstrip("/")


@click.command()
@click.option(
    "--url",
    required=True,
    callback=_address,
    help="The server's own address, as GitHub and people reach it: its PUBLIC_URL.",
)
@click.option("--organization", metavar="NAME", help="Who is to own the app; else you do yourself.")
@click.option("--name", default="Shipmate", show_default=True, help="What it is called; GitHub has each name once.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default="shipmate.env", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the page on this machine; 0 is any free one."
)
@click.option("--manifest", type=click.Path(exists=True, path_type=Path, dir_okay=False), help="In place of app.yml.")
@click.option("--github-url", envvar="GITHUB_URL", default=GITHUB_URL, hidden=True)
@click.option("--api-url", envvar="GITHUB_API_URL", default=API_URL, hidden=True)
def register(
    url: str,
    organization: str | None,
    name: str,
    out: Path,
    port: int,
    manifest: Path | None,
    github_url: str,
    api_url: str,
) -> None:
    """Make the GitHub App, and write its settings. It is made of app.yml, in a browser on this machine."""
    import asyncio

    from bot.shell.registering import Registering, served

    key = out.with_suffix(".pem")
    for path in (out, key):
        if path.exists():
            raise click.UsageError(f"{path} is there already: name another file with --out.")
    if not (manifest or MANIFEST).exists():
        raise click.UsageError("app.yml is not part of this installation: give its path with --manifest.")
    text, locale = (manifest or MANIFEST).read_text(encoding="utf-8"), from_environment().locale

    async def run() -> Registered:
        return await served(Registering(text, url, name, organization, github_url, api_url, locale), port)

    with ExitStack() as undone:
        for path in (key, out):
            make_file(path)
            undone.callback(path.unlink)
        made = asyncio.run(run())
        undone.pop_all()  # from here on nothing is removed: these secrets are told only once
    key.write_text(made.private_key, encoding="utf-8")
    out.write_text(_settings(made, key, url, github_url, api_url), encoding="utf-8")
    click.echo(f"{made.slug} is registered. Its settings are in {out}, its key in {key}; nobody else can read them.")
    click.echo(f"Install it on your repositories: {made.install_page}")
    click.echo(f"Then: set -a; . {out.absolute()}; set +a; shipmate doctor && shipmate serve")


def make_file(path: Path) -> None:
    """An empty file for its owner alone, before the app is made: its secrets must have where to go. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, ONLY_THE_OWNER))


def _settings(made: Registered, key: Path, public_url: str, github_url: str, api_url: str) -> str:
    """Lines for a shell or for `docker run --env-file`: no value needs quotes."""
    settings: Mapping[str, str] = {
        "PUBLIC_URL": public_url,
        "GITHUB_APP_ID": str(made.id),
        "GITHUB_PRIVATE_KEY_PATH": str(key.absolute()),
        "GITHUB_WEBHOOK_SECRET": made.webhook_secret,
        "GITHUB_CLIENT_ID": made.client_id,
        "GITHUB_CLIENT_SECRET": made.client_secret,
        "SHIPMATE_SECRET_KEY": secrets.token_urlsafe(32),
        **({"GITHUB_URL": github_url} if github_url != GITHUB_URL else {}),
        **({"GITHUB_API_URL": api_url} if api_url != API_URL else {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
