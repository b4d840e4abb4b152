"""Says whether Slack takes our tokens, and which scopes of slack.yml are missing, and what to do then."""

from __future__ import annotations

import aiohttp

from bot.config import SlackSettings
from bot.errors import Transient
from bot.process.proxies import through_proxy
from bot.slack.api.client import open_slack, web_api
from bot.slack.api.replies import SlackRefused

NEEDED = frozenset({"app_mentions:read", "channels:read", "chat:write", "commands", "groups:read", "im:read"})
USEFUL = frozenset({"channels:history", "groups:history", "im:history"})
"""Without these a message whose answer was lost may be shown twice."""


async def look_at(slack: SlackSettings) -> tuple[bool, str]:
    """Whether all is well, and one sentence about it. Asks Slack, and changes nothing there."""
    try:
        async with open_slack(slack.bot_token, slack.api_url) as client:
            who = await client.identity()
        if slack.app_token:
            await _try_app_token(slack.app_token, slack.api_url)
    except SlackRefused as refused:
        return False, _advice(refused)
    except Transient as passing:
        return False, f"{slack.api_url} does not answer ({passing.code}): look whether it can be reached from here"
    missing = sorted((NEEDED | USEFUL) - who.scopes)
    signed_in = f"signed in to {who.team} as {who.user}, which is reached {_ways(slack)}"
    if missing:
        scopes = f"scopes missing: {', '.join(missing)}: update the app from slack.yml and install it again"
        return not NEEDED & set(missing), f"{signed_in}; {scopes}"
    return True, signed_in


async def _try_app_token(token: str, api_url: str) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=through_proxy(api_url)) as session:
        await web_api(token, api_url, session)("apps.connections.open", {})


def _advice(refused: SlackRefused) -> str:
    if refused.facts["method"] == "apps.connections.open":
        return f"SLACK_APP_TOKEN is refused ({refused.reason}): make one with connections:write, and enable Socket Mode"
    return f"SLACK_BOT_TOKEN is refused ({refused.reason}): copy it anew from OAuth & Permissions"


def _ways(slack: SlackSettings) -> str:
    """How its requests come."""
    http = "over HTTP, signed" if slack.signing_secrets else ""
    socket = "over a socket" if slack.app_token else ""
    return " and ".join(way for way in (http, socket) if way)
