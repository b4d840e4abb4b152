"""Owns the calls to Slack's Web API: what Slack refuses becomes an error of our tree, and its limits are honoured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Permanent, ShipmateError, Transient

TIMEOUT_S = 10
DEFAULT_WAIT_S = 30.0
"""Where Slack names no time to wait: https://docs.slack.dev/apis/web-api/rate-limits names one always."""
METADATA_EVENT = "shipmate_report"
PASSING = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""What Slack calls its own trouble: https://docs.slack.dev/reference/methods/chat.postMessage#errors."""

Blocks = Sequence[Mapping[str, Any]]


class SlackRefused(Permanent):
    """Slack says no; `reason` is its own word for it, such as `channel_not_found`."""

    def __init__(self, method: str, reason: str, detail: str = "") -> None:
        super().__init__("slack_refused", method=method, reason=reason, detail=detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Saying:
    """What a message says. `text` stands in for the blocks where they cannot be shown, in a notification say.

    `key` is kept with the message, unseen, so that it is found again.
    """

    text: str
    blocks: Blocks = ()
    key: str | None = None


class SlackClient:
    """The few things we do at Slack. Raises SlackRefused or Transient."""

    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def post(self, channel: str, saying: Saying, thread_ts: str | None = None) -> str:
        """Say something in a channel or thread; answers the message's ts. Not repeatable: see `find`.

        https://docs.slack.dev/reference/methods/chat.postMessage
        """
        said = await self._call("chat.postMessage", channel=channel, thread_ts=thread_ts, **_content(saying))
        return str(said["ts"])

    async def update(self, channel: str, ts: str, saying: Saying) -> None:
        """Change all that a message of ours says. https://docs.slack.dev/reference/methods/chat.update"""
        content = {**_content(saying), "blocks": list(saying.blocks)}
        await self._call("chat.update", channel=channel, ts=ts, **content)

    async def whisper(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> None:
        """Say something that one person sees. https://docs.slack.dev/reference/methods/chat.postEphemeral"""
        await self._call("chat.postEphemeral", channel=channel, user=user, text=text, thread_ts=thread_ts)

    async def find(self, channel: str, key: str, since_s: float, thread_ts: str | None = None) -> str | None:
        """The ts of a message of ours with that key, said since; None when there is none.

        https://docs.slack.dev/reference/methods/conversations.history, conversations.replies
        """
        window = {"oldest": f"{since_s:.6f}", "limit": 200, "include_all_metadata": True}
        if thread_ts is None:
            said = await self._call("conversations.history", channel=channel, **window)
        else:
            said = await self._call("conversations.replies", channel=channel, ts=thread_ts, **window)
        for message in said.get("messages", []):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == METADATA_EVENT and metadata.get("event_payload", {}).get("key") == key:
                return str(message["ts"])
        return None

    async def is_heard_in(self, channel: str) -> bool:
        """Whether we may speak in a channel; True when Slack does not let us know: no work waits for that.

        https://docs.slack.dev/reference/methods/conversations.info
        """
        try:
            found = (await self._call("conversations.info", channel=channel))["channel"]
        except SlackRefused as refused:
            return refused.reason != "channel_not_found"
        except Transient:
            return True
        return bool(found.get("is_member") or found.get("is_im") or found.get("is_mpim"))

    async def publish_home(self, user: str, blocks: Blocks) -> None:
        """Show a person their home. https://docs.slack.dev/reference/methods/views.publish"""
        await self._call("views.publish", user_id=user, view={"type": "home", "blocks": list(blocks)})

    async def answer(self, response_url: str, text: str) -> None:
        """Answer a command or click so that only who asked sees it.

        https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
        """
        body = {"response_type": "ephemeral", "replace_original": False, "text": text}
        try:
            async with self._session.post(response_url, json=body, allow_redirects=False) as reply:
                said = (await reply.text())[:200]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Transient("slack_unreachable", method="response_url") from error
        if reply.status == 429 or reply.status >= 500:
            raise _passing("response_url", reply.status, reply.headers)
        if reply.status != 200:
            raise SlackRefused("response_url", said or str(reply.status))

    async def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            reply = await self._web.api_call(method, data=_form(given))
        except SlackApiError as error:
            raise _refusal(method, error) from error
        except (aiohttp.ClientError, SlackRequestError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Transient("slack_unreachable", method=method) from error
        data = reply.data
        return data if isinstance(data, dict) else {}


@asynccontextmanager
async def open_slack(token: str, api_url: str) -> AsyncIterator[SlackClient]:
    """A client with a session of its own, closed at the end."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        web = AsyncWebClient(token, base_url=api_url, timeout=TIMEOUT_S, session=session, retry_handlers=[])
        yield SlackClient(web, session)


def _content(saying: Saying) -> dict[str, Any]:
    content: dict[str, Any] = {"text": saying.text, "unfurl_links": False, "unfurl_media": False}
    if saying.blocks:
        content["blocks"] = list(saying.blocks)
    if saying.key:
        content["metadata"] = {"event_type": METADATA_EVENT, "event_payload": {"key": saying.key}}
    return content


def _form(given: Mapping[str, Any]) -> dict[str, str]:
    """Form fields; what is no text goes as JSON, as Slack takes it."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def _refusal(method: str, error: SlackApiError) -> ShipmateError:
    reply = error.response
    status, headers = getattr(reply, "status_code", 0), getattr(reply, "headers", {})
    data = reply.data if isinstance(getattr(reply, "data", None), dict) else {}
    reason = str(data.get("error", ""))
    if status == 429 or status >= 500 or reason == "ratelimited" or reason in PASSING or not reason:
        return _passing(method, status, headers)
    return SlackRefused(method, reason, json.dumps(data.get("errors", ""), ensure_ascii=False)[:500])


def _passing(method: str, status: int, headers: Mapping[str, str]) -> Transient:
    """Slack's own trouble, or its limit, with the time it named."""
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    wait_s = float(named) if named.isdecimal() else None
    if status == 429:
        return Transient("slack_rate_limited", retry_after_s=wait_s or DEFAULT_WAIT_S, method=method)
    return Transient("slack_unavailable", retry_after_s=wait_s, method=method, status=status)
