"""Registers the app at GitHub from its manifest: what GitHub is handed, and what it hands back once.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import yaml

from bot.errors import Transient, UserMistake
from bot.github.client.wire import API_VERSION, USER_AGENT

PLACEHOLDER = "https://shipmate.example.com"
"""Stands in app.yml where the server's own address belongs."""
LIMIT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Registered:
    """The app as GitHub made it, with every secret it will ever be told of."""

    id: int
    slug: str
    page: str
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    private_key: str = field(repr=False)
    """PEM."""

    @property
    def install_page(self) -> str:
        """Where an owner chooses the repositories it may work on."""
        return f"{self.page}/installations/new"


def manifest_for(text: str, *, public_url: str, name: str, back: str) -> str:
    """The manifest as GitHub takes it, JSON: the app's own at the server's address. `back` is where GitHub sends the
    browser when the app is made.
    """
    manifest = yaml.safe_load(text.replace(PLACEHOLDER, public_url))
    return json.dumps({**manifest, "name": name, "redirect_url": back})


def asking_page(github_url: str, organization: str | None, state: str) -> str:
    """The page of GitHub's that takes a manifest, for an organization or for whoever is signed in."""
    owner = f"/organizations/{quote(organization)}" if organization else ""
    return f"{github_url.rstrip('/')}{owner}/settings/apps/new?state={quote(state)}"


async def registered(api_url: str, code: str) -> Registered:
    """Change the code that came back into the app; it is good once, for an hour.

    Raises UserMistake("registration_over") for one that is not good any more, Transient where GitHub does not answer.
    """
    url = f"{api_url.rstrip('/')}/app-manifests/{quote(code, safe='')}/conversions"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION, "User-Agent": USER_AGENT}
    try:
        async with (
            aiohttp.ClientSession(timeout=LIMIT, trust_env=True) as session,
            session.post(url, headers=headers) as reply,
        ):
            if reply.status != 201:
                raise UserMistake("registration_over", status=reply.status)
            return _registered(await reply.json())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Transient("github_unreachable") from error


def _registered(data: Mapping[str, Any]) -> Registered:
    return Registered(
        int(data["id"]),
        str(data["slug"]),
        str(data["html_url"]),
        str(data["client_id"]),
        str(data["client_secret"]),
        str(data["webhook_secret"]),
        str(data["pem"]),
    )
