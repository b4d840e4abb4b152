"""The few things we do at Slack, each by a call of its Web API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.errors import Transient
from bot.process.proxies import through_proxy
from bot.slack.api.replies import Call, SlackRefused, passing

TIMEOUT_S = 10
METADATA_EVENT = "shipmate_report"

Blocks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Identity:
    """The workspace, our name in it, and the scopes of our token."""

    team: str
    user: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Saying:
    """What a message says. `text` stands in for the blocks where they cannot be shown, in a notification say.

    `key` is kept with the message, unseen, so that it is found again.
    """

    text: str
    blocks: Blocks = ()
    key: str | None = None


class SlackClient:
    """Whatever it does raises SlackRefused or Transient."""

    def __init__(self, web: Call, session: aiohttp.ClientSession) -> None:
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

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Show a dialog to who gave us leave less than three seconds ago.

        https://docs.slack.dev/reference/methods/views.open
        """
        await self._call("views.open", trigger_id=trigger, view=dict(view))

    async def update_view(self, view_id: str, view: Mapping[str, Any], version: str) -> None:
        """Change a dialog that somebody looks at, unless it has changed since that version.

        https://docs.slack.dev/reference/methods/views.update
        """
        await self._call("views.update", view_id=view_id, view=dict(view), hash=version or None)

    async def identity(self) -> Identity:
        """Who we are there, and what we may do. https://docs.slack.dev/reference/methods/auth.test"""
        said = await self._web("auth.test", {})
        scopes = next((value for name, value in said.headers.items() if name.lower() == "x-oauth-scopes"), "")
        granted = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
        return Identity(str(said.body.get("team", "")), str(said.body.get("user", "")), granted)

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
            raise passing("response_url", reply.status, reply.headers)
        if reply.status != 200:
            raise SlackRefused("response_url", said or str(reply.status))

    async def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        return (await self._web(method, {name: value for name, value in arguments.items() if value is not None})).body


@asynccontextmanager
async def open_slack(token: str, api_url: str) -> AsyncIterator[SlackClient]:
    """A client with a session of its own, closed at the end."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    jar, proxied = aiohttp.DummyCookieJar(), through_proxy(api_url)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar, trust_env=proxied) as session:
        yield SlackClient(web_api(token, api_url, session), session)


def web_api(token: str, api_url: str, session: aiohttp.ClientSession) -> Call:
    """The Web API as whoever has the token."""
    from bot.slack.api.web import Web  # where Slack is not set up, its library takes no start any time

    return Web(token, api_url, session, TIMEOUT_S)


def _content(saying: Saying) -> dict[str, Any]:
    content: dict[str, Any] = {"text": saying.text, "unfurl_links": False, "unfurl_media": False}
    if saying.blocks:
        content["blocks"] = list(saying.blocks)
    if saying.key:
        content["metadata"] = {"event_type": METADATA_EVENT, "event_payload": {"key": saying.key}}
    return content
