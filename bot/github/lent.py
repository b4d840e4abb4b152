"""What GitHub says of a connection: is a token good for this repository, and whom an AWS connection is lent to."""

from __future__ import annotations

import aiohttp

from bot.connections import GitHubOffer
from bot.errors import Permanent, Refused
from bot.github.api import DEFAULT_API_URL, GitHub
from bot.github.app import installation_in, installation_of
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.client.patience import Patience, Quota
from bot.github.client.wire import Wire
from bot.github.person import PersonalToken
from bot.github.repository import branch_head, get_repository
from bot.model import Repository

METADATA = {"metadata": "read"}
ONE_TRY = Patience(tries=1, longest_wait_s=0.0)


async def try_token(offer: GitHubOffer, session: aiohttp.ClientSession, api_url: str = DEFAULT_API_URL) -> None:
    """Raises Refused naming what GitHub does not know, or Transient when it does not answer.

    GitHub says "not found" of a repository a token may not see, so it is not told apart from one that is not there.
    """
    name = f"{offer.owner}/{offer.repo}"
    wire = Wire(session, api_url, ONE_TRY.timeout_s)
    repository = Repository(0, name)
    client = Client(wire, PersonalToken(offer.token), patience=ONE_TRY, quota=Quota(), repository=repository)
    try:
        await get_repository(client)
    except Permanent as error:
        raise refused_token(error, name) from error
    if await branch_head(client, offer.branch) is None:
        raise Refused("connection_branch_missing", branch=offer.branch)


async def number_of_borrower(github: GitHub, name: str) -> int:
    """The number of a repository (`owner/name`), or of the app's installation in an account (`owner`).

    Raises Refused("connection_for_unknown") where the app is not installed.
    """
    try:
        if "/" not in name:
            return (await installation_in(github.app, name)).id
        installation = await installation_of(github.app, name)
        owner, _, repo = name.partition("/")
        client = github.installation(installation.id, METADATA)
        return await client.call("GET /repos/{owner}/{repo}", lambda data: int(data["id"]), owner=owner, repo=repo)
    except NotFound as error:
        raise Refused("connection_for_unknown", name=name) from error


def refused_token(error: Permanent, repository: str) -> Refused:
    """A token that GitHub does not take, in the words people know; what else GitHub says is passed on."""
    if isinstance(error, NotFound):
        return Refused("connection_repository_missing", repository=repository)
    if error.code == "github_unauthorized":
        return Refused("connection_credentials_bad")
    return Refused("connection_github_refused", message=str(error.facts.get("message", error.code)))
