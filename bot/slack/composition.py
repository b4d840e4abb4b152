"""Puts Slack's side together for one process: the client, and signing in at GitHub where that is set up."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bot.config import Settings, require_github
from bot.slack.client import TIMEOUT_S, SlackClient, open_slack
from bot.slack.sign_in import SignIn


@dataclass(frozen=True, slots=True)
class SlackSide:
    """What a process holds open for Slack."""

    client: SlackClient
    sign_in: SignIn | None


@asynccontextmanager
async def open_slack_side(
    settings: Settings, key: bytes, register_secret: Callable[[str], None]
) -> AsyncIterator[SlackSide | None]:
    """None where Slack is not set up. Its secrets are masked from now on."""
    slack = settings.slack
    if slack is None:
        yield None
        return
    for secret in (slack.bot_token, *(secret.decode() for secret in slack.signing_secrets)):
        register_secret(secret)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_slack(slack.bot_token, slack.api_url))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar())
        )
        yield SlackSide(client, _sign_in(settings, key, session, register_secret))


def _sign_in(
    settings: Settings, key: bytes, session: aiohttp.ClientSession, register_secret: Callable[[str], None]
) -> SignIn | None:
    github = require_github(settings)
    if not github.client_id or not github.client_secret:
        return None
    register_secret(github.client_secret)
    return SignIn(
        github.url,
        github.api_url,
        github.client_id,
        github.client_secret,
        settings.public_url,
        key,
        session,
        register_secret,
    )
