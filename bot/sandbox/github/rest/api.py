"""Answers REST requests: fault, user agent, credentials, limits, permission, schema, then the operation itself."""

import asyncio
import hashlib
import json
import re
import secrets
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web

from bot.sandbox.github import access
from bot.sandbox.github.faults import Fault
from bot.sandbox.github.git import GitFailed
from bot.sandbox.github.graphql.query import answer_query, require_asker
from bot.sandbox.github.hub import Hub, Request, stopwatch
from bot.sandbox.github.limits import WRITES, secondary_limit
from bot.sandbox.github.model import Repository
from bot.sandbox.github.operations import Operation, Operations
from bot.sandbox.github.refusals import DOCS, GitHubError
from bot.sandbox.github.rest.call import Call, Reply
from bot.sandbox.github.rest.table import HANDLERS
from bot.sandbox.github.tokens import ANONYMOUS, Identity

MAX_BODY_BYTES = 10 * 1024 * 1024
QUERY_PATHS = ("/graphql", "/api/graphql")
"""Where GraphQL is asked at github.com, and at an Enterprise server."""
REDIRECT_DOCS = f"{DOCS}/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"
_BY_NUMBER = re.compile(r"/repositories/([0-9]{1,18})((?:/.*)?)", re.DOTALL)
VERSIONS = ("2022-11-28", "2026-03-10")
QUIET = {"apps/create-installation-access-token", "apps/redeliver-webhook-delivery", "rate-limit/get"}
"""Operations that create nothing people see, so that they don't count as content."""
NO_AGENT = (
    "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header "
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). "
    "Check https://developer.github.com for other possible causes.\r\n"
)


class RestApi:
    """The REST API of one GitHub, at the root and under `/api/v3`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._operations = Operations(HANDLERS)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, or let the fault planned for it happen."""
        started, path = stopwatch(), request.raw_path.partition("?")[0].removeprefix("/api/v3") or "/"
        kind = QueryExchange if path in QUERY_PATHS else Exchange
        exchange = kind(self._hub, self._operations, request, unquote(path))
        fault = self._hub.faults.on_request(request.method, exchange.path)
        if fault and fault.effect in ("hang", "delay"):
            await asyncio.sleep(fault.seconds)
        response = exchange.struck(fault) or await exchange.answer()
        self._note(exchange, response, fault, started)
        if fault and fault.effect in ("cut", "lose_reply"):
            return await cut_short(request, response, fault.after_bytes)
        return response

    def _note(self, exchange: "Exchange", response: web.Response, fault: Fault | None, started: float) -> None:
        """Put the request on the log."""
        self._hub.note(
            Request(
                at=self._hub.world.now(),
                method=exchange.request.method,
                path=exchange.path,
                status=response.status,
                token=exchange.identity.kind,
                ms=round((stopwatch() - started) * 1000, 2),
                operation=exchange.name,
                fault=fault.effect if fault else None,
            )
        )


class Exchange:
    """One request on its way to an answer: who asks what is found out step by step."""

    def __init__(self, hub: Hub, operations: Operations, request: web.Request, path: str) -> None:
        self.hub = hub
        self.request = request
        self.path = path
        self.identity: Identity = ANONYMOUS
        self.operation: Operation | None = None
        self.limits = hub.limits
        self._operations = operations
        self._id = secrets.token_hex(12).upper()
        self._counted = False

    @property
    def name(self) -> str | None:
        """The operation's name once it is known."""
        return self.operation.name if self.operation else None

    def struck(self, fault: Fault | None) -> web.Response | None:
        """The answer a fault gives in the operation's place, None when the operation is to run."""
        match fault and fault.effect:
            case "status" if fault:
                body = fault.body if fault.body is not None else {"message": "Server Error"}
                raw = body if isinstance(body, str) else json.dumps(body)
                return web.Response(status=fault.status, text=raw, headers=self._headers() | _typed(fault.headers))
            case "secondary_limit" if fault:
                return self._refused(secondary_limit(int(fault.seconds), self._id))
            case "rate_limit" if fault:
                resets_at = int(self.hub.world.now() + fault.seconds)
                gone = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Used": "5000"}
                gone |= {"X-RateLimit-Reset": str(resets_at), "X-RateLimit-Resource": "core"}
                return self._refused(GitHubError(403, "API rate limit exceeded for installation.", headers=gone))
            case "cut":
                return web.Response(status=502, text="x" * 1024)
        return None

    async def answer(self) -> web.Response:
        """What GitHub says to this."""
        if not self.request.headers.get("User-Agent"):
            return web.Response(status=403, text=NO_AGENT, headers={"X-GitHub-Request-Id": self._id})
        self.limits.running += 1
        try:
            return self._sent(await self._run())
        except GitHubError as refusal:
            return self._refused(refusal)
        except GitFailed as error:
            return self._refused(GitHubError(409, f"Git Repository can't do that: {error}"))
        finally:
            self.limits.running -= 1

    async def _run(self) -> Reply:
        """Check everything, then do it. Raises GitHubError."""
        request = self.request
        self.identity = self.hub.tokens.identify(request.headers.get("Authorization"))
        _require_version(request.headers.get("X-GitHub-Api-Version"))
        self.operation, found = self._operations.find(request.method, self._path_by_name())
        self._count(self.operation)
        path = self.operation.read_path(found)
        repository = access.require(
            self.hub.world, self.operation, self.identity, found.get("owner"), found.get("repo")
        )
        if repository and repository.full_name.lower() != f"{found['owner']}/{found['repo']}".lower():
            return self._led_on(repository)
        query = self.operation.read_query(dict(request.query))
        body = self.operation.read_body(await _read(request))
        accept = request.headers.get("Accept", "")
        call = Call(self.hub, self.operation, self.identity, path, query, body, accept, repository)
        return await HANDLERS[self.operation.name](call)

    def _path_by_name(self) -> str:
        """The path asked; one that says a repository by its number, as GitHub's redirects do, with the name instead."""
        numbered = _BY_NUMBER.fullmatch(self.path)
        repositories = self.hub.world.repositories.values() if numbered else ()
        found = next((one for one in repositories if numbered and one.id == int(numbered[1])), None)
        return f"/repos/{found.full_name}{numbered[2]}" if found and numbered else self.path

    def _led_on(self, repository: Repository) -> Reply:
        """Where a repository is that was renamed: 301 to readers, 307 to everybody else.

        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        path, mark, query = self.request.raw_path.partition("?")
        head, _, tail = path.partition("/repos/")
        rest = "/".join(["", *tail.split("/")[2:]]) + mark + query
        url = f"{self.request.scheme}://{self.request.host}{head}/repositories/{repository.id}{rest}"
        said = {"message": "Moved Permanently", "url": url, "documentation_url": REDIRECT_DOCS}
        return Reply(said, 301 if self.request.method == "GET" else 307, {"Location": url})

    def _count(self, operation: Operation) -> None:
        """Count it against the limits, except what asks about them."""
        if operation.name != "rate-limit/get":
            creates = operation.method in WRITES and operation.name not in QUIET
            self.limits.take(self.identity, operation.method, self._id, creates_content=creates)
            self._counted = True

    def _sent(self, reply: Reply) -> web.Response:
        """The answer of an operation, with its tag; unchanged is 304 and costs nothing."""
        raw = reply.raw if reply.raw is not None else _json(reply)
        headers = {**reply.headers}
        if link := self._links(reply):
            headers["Link"] = link
        if self.request.method == "GET" and reply.status == 200:
            headers |= {"ETag": _tag(raw), "Cache-Control": "private, max-age=60, s-maxage=60"}
            headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"
            if _matches(self.request.headers.get("If-None-Match"), headers["ETag"]):
                self._give_back()
                return web.Response(status=304, headers=self._headers() | headers)
        if reply.status != 204:
            headers["Content-Type"] = reply.media
        return web.Response(status=reply.status, body=raw, headers=self._headers() | headers)

    def _give_back(self) -> None:
        if self._counted:
            self.limits.give_back(self.identity)

    def _refused(self, refusal: GitHubError) -> web.Response:
        docs = self.operation.docs if self.operation else DOCS
        headers = self._headers() | {"Content-Type": "application/json; charset=utf-8"} | refusal.headers
        return web.Response(status=refusal.status, body=_bytes(refusal.body(docs)), headers=headers)

    def _headers(self) -> dict[str, str]:
        """What stands on every answer."""
        version = self.request.headers.get("X-GitHub-Api-Version", VERSIONS[0])
        said = {
            "Server": "github.com",
            "X-GitHub-Request-Id": self._id,
            "X-GitHub-Media-Type": _media(self.request.headers.get("Accept", "")),
            "X-GitHub-Api-Version-Selected": version,
            **self.limits.headers(self.identity),
        }
        if self.operation and self.operation.permissions and self.identity.installation:
            said["X-Accepted-GitHub-Permissions"] = self.operation.accepted
        return said

    def _links(self, reply: Reply) -> str:
        """The Link header: neighbours and ends of the asked-for page, or where to go on."""
        if reply.cursor is not None:
            return f'<{self._url_with(cursor=reply.cursor)}>; rel="next"'
        now, pages = max(1, int(self.request.query.get("page", "1"))), reply.pages or 1
        ends = {"prev": now - 1, "next": now + 1, "last": pages, "first": 1}
        shown = {"prev": now > 1, "next": now < pages, "last": now < pages, "first": now > 1}
        named = (rel for rel, there in shown.items() if there and reply.pages is not None)
        return ", ".join(f'<{self._url_with(page=str(ends[rel]))}>; rel="{rel}"' for rel in named)

    def _url_with(self, **more: str) -> str:
        """The address asked, with some of its query changed."""
        path = self.request.raw_path.partition("?")[0]
        return f"{self.request.scheme}://{self.request.host}{path}?{urlencode({**self.request.query, **more})}"


class QueryExchange(Exchange):
    """One GraphQL query on its way to an answer, by the same credentials and under limits of its own."""

    def __init__(self, hub: Hub, operations: Operations, request: web.Request, path: str) -> None:
        super().__init__(hub, operations, request, path)
        self.limits = hub.query_limits

    @property
    def name(self) -> str:
        """All queries are one operation."""
        return "graphql"

    async def _run(self) -> Reply:
        self.identity = self.hub.tokens.identify(self.request.headers.get("Authorization"))
        require_asker(self.identity)
        self.limits.take(self.identity, "GET", self._id, creates_content=False)
        return Reply(await answer_query(self.hub.world, self.identity, await _read(self.request)))


async def cut_short(request: web.Request, response: web.Response, after_bytes: int) -> web.StreamResponse:
    """Promise the whole answer, send only so many bytes of it, and drop the connection."""
    if after_bytes:
        body = response.body if isinstance(response.body, bytes) else b""
        partial = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
        partial.content_length = len(body) + 1
        await partial.prepare(request)
        await partial.write(body[:after_bytes])
    if request.transport:
        request.transport.abort()
    return response


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise GitHubError(413, "Payload too big: 10485760 bytes are allowed.") from error


def _require_version(version: str | None) -> None:
    if version is not None and version not in VERSIONS:
        raise GitHubError(400, f"The version {version!r} of the REST API is not supported.")


def _json(reply: Reply) -> bytes:
    return b"" if reply.status == 204 else _bytes(reply.body)


def _bytes(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _tag(raw: bytes) -> str:
    return f'W/"{hashlib.sha256(raw).hexdigest()}"'


def _matches(asked: str | None, tag: str) -> bool:
    """Whether If-None-Match names this tag; a strong one of the same value counts too."""
    if asked is None:
        return False
    return any(one.strip().removeprefix("W/") in (tag.removeprefix("W/"), "*") for one in asked.split(","))


def _media(accept: str) -> str:
    """What X-GitHub-Media-Type says of the Accept header."""
    if "application/vnd.github" not in accept:
        return "github.v3; format=json" if "json" in accept or accept in ("", "*/*") else "unknown, github.v3"
    kind = accept.split("application/vnd.github")[1].split(",")[0].lstrip(".")
    name, _, form = kind.partition("+")
    return f"github.{name or 'v3'}; format={form or 'json'}"


def _typed(headers: dict[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8"} | headers
