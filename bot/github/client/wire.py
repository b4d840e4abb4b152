"""Owns one HTTP exchange with GitHub: a bounded request, its whole reply, and whether it can have been done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urljoin

import aiohttp
from gidgethub import abc as gidgethub_abc
from yarl import URL

from bot.github.client.etags import ScopedEtags

USER_AGENT = "shipmate"
API_VERSION = "2022-11-28"
"""https://docs.github.com/en/rest/about-the-rest-api/api-versions"""
REDIRECTS = 3
_SUCCESS = frozenset({200, 201, 202, 204, 304})
_SAME_METHOD = frozenset({307, 308})
_MOVED = frozenset({301, 302}) | _SAME_METHOD


@dataclass(frozen=True, slots=True)
class Reply:
    """What GitHub answered. The body is kept out of the repr: it may hold a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class RefusedReply(Exception):
    """GitHub answered, and the answer is not a success."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class NoReply(Exception):
    """No whole answer came. `sent` is False when the request surely never reached GitHub."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Wire(gidgethub_abc.GitHubAPI):
    """gidgethub's requests over one aiohttp session, each at most `timeout_s` long, to `base_url` and nowhere else."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, timeout_s: float, etags: ScopedEtags | None = None
    ) -> None:
        super().__init__(USER_AGENT, base_url=base_url, cache=etags)
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def graphql_url(self) -> str:
        """Where GraphQL is asked; an Enterprise server has it beside its REST API.

        https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
        """
        return self.base_url.rstrip("/").removesuffix("/v3") + "/graphql"

    async def exchange(
        self, method: str, url: str, body: object, *, token: str, bearer: bool
    ) -> tuple[object, str | None]:
        """Send one request; answers the decoded body and the next page's address.

        `body` is plain JSON, or `b""` for none. Raises RefusedReply for 4xx and 5xx, NoReply when cut or too slow.
        """
        try:
            data, more, _status = await self._make_request(
                method,
                url,
                {},
                body,
                "application/vnd.github+json",
                jwt=token if bearer else None,
                oauth_token=None if bearer else token,
                extra_headers={"x-github-api-version": API_VERSION},
            )
        except ValueError as error:
            raise NoReply("reply is not what its content type says", sent=True) from error
        return data, more

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One exchange, following GitHub's redirects of renamed repositories on its own host."""
        for _ in range(REDIRECTS + 1):
            reply = await self._send_once(method, url, headers, body)
            target = _redirected(method, url, reply)
            if target is None:
                break
            url = target
        if reply.status not in _SUCCESS:
            raise RefusedReply(reply)
        return reply.status, reply.headers, reply.body

    async def _send_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if url != self.graphql_url and not url.startswith(self.base_url.rstrip("/") + "/"):
            raise NoReply("address leads away from GitHub", sent=False)
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            _no_reply(error)


def _no_reply(error: Exception) -> NoReturn:
    unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)
    reason = "no whole reply in time" if isinstance(error, TimeoutError) else type(error).__name__
    raise NoReply(reason, sent=not unsent) from error


def _redirected(method: str, url: str, reply: Reply) -> str | None:
    """Where to ask again with the same method; GitHub moves reads by 301 and 302, anything by 307 and 308.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """
    location = reply.headers.get("Location")
    if location is None or reply.status not in _MOVED or (method != "GET" and reply.status not in _SAME_METHOD):
        return None
    return urljoin(url, location)
