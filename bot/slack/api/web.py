"""Calls one method of Slack's Web API through slack-sdk: what Slack refuses becomes an error of our tree.

Only where Slack is set up is this imported: the library takes a server's start a while.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ShipmateError, Transient
from bot.slack.api.replies import PASSING, Said, SlackRefused, passing


class Web:
    """One token's way to the Web API. Retries are not its matter: who calls knows what may be said again."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession, timeout_s: int) -> None:
        self._web = AsyncWebClient(token, base_url=api_url, timeout=timeout_s, session=session, retry_handlers=[])
        self._web.proxy = None  # the session knows the way out; what the library finds by itself heeds no NO_PROXY

    async def __call__(self, method: str, given: Mapping[str, Any]) -> Said:
        """Raises SlackRefused, or Transient with the time Slack named."""
        try:
            reply = await self._web.api_call(method, data=_form(given))
        except SlackApiError as error:
            raise _refusal(method, error) from error
        except (aiohttp.ClientError, SlackRequestError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Transient("slack_unreachable", method=method) from error
        data = reply.data
        return Said(data if isinstance(data, dict) else {}, dict(reply.headers))


def _form(given: Mapping[str, Any]) -> dict[str, str]:
    """Form fields; what is no text goes as JSON, as Slack takes it."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def _refusal(method: str, error: SlackApiError) -> ShipmateError:
    reply = error.response
    status, headers = getattr(reply, "status_code", 0), getattr(reply, "headers", {})
    data = reply.data if isinstance(getattr(reply, "data", None), dict) else {}
    reason = str(data.get("error", ""))
    if status == 429 or status >= 500 or reason == "ratelimited" or reason in PASSING or not reason:
        return passing(method, status, headers)
    detail = data.get("errors", "") or data.get("response_metadata", {}).get("messages", "") or data.get("needed", "")
    return SlackRefused(method, reason, json.dumps(detail, ensure_ascii=False)[:500])
