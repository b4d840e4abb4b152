"""Tries a token somebody lent us: does GitHub take it, for this repository, and is the branch there."""

from __future__ import annotations

import aiohttp

from bot.connections import GitHubOffer
from bot.errors import Permanent, Refused
from bot.github.api import DEFAULT_API_URL
from bot.github.client import Client
from bot.github.failures import NotFound
from bot.github.patience import Patience, Quota
from bot.github.person import PersonalToken
from bot.github.repository import branch_head, get_repository
from bot.github.wire import Wire
from bot.model import Repository

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
    except NotFound as error:
        raise Refused("connection_repository_missing", repository=name) from error
    except Permanent as error:
        raise _refused(error) from error
    if await branch_head(client, offer.branch) is None:
        raise Refused("connection_branch_missing", branch=offer.branch)


def _refused(error: Permanent) -> Refused:
    """A token that GitHub does not take, in the words people know; what else GitHub says is passed on."""
    if error.code == "github_unauthorized":
        return Refused("connection_credentials_bad")
    return Refused("connection_github_refused", message=str(error.facts.get("message", error.code)))
