"""Owns one conversation with GitHub: signed, patient within bounds, within its limits, and errors told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from bot.errors import Permanent, Transient, Unreadable
from bot.github.client import failures
from bot.github.client.credentials import Credential
from bot.github.client.patience import Patience, Quota
from bot.github.client.wire import NoReply, RefusedReply, Reply, Wire
from bot.model import Repository

T = TypeVar("T")
Query = Mapping[str, str | int | None]

GRAPHQL = "POST /graphql"
PER_PAGE = 100
PAGES = 1000
"""No list is longer; one that is leads in a circle."""
_REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})


class Client:
    """Calls GitHub with one credential; bound to a repository, `{owner}` and `{repo}` are filled in."""

    def __init__(
        self,
        wire: Wire,
        credential: Credential,
        *,
        patience: Patience,
        quota: Quota,
        repository: Repository | None = None,
    ) -> None:
        self.repository = repository
        self._wire = wire
        self._credential = credential
        self._patience = patience
        self._quota = quota

    async def call(
        self,
        operation: str,
        read: Callable[[Any], T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        repeatable: bool | None = None,
        **path: str | int,
    ) -> T:
        """Do one operation, named as GitHub documents it (`GET /repos/{owner}/{repo}`), and `read` its reply.

        Tried again on 5xx, a cut reply or silence when `repeatable` (by default all but POST), and always when
        GitHub cannot have done it. Raises NotFound, Permanent, or Transient, whose fact `maybe_done` says that
        GitHub may have done it nevertheless: then look before asking again.
        """
        method, _, template = operation.partition(" ")
        url = self._url(template, path, query)
        may_repeat = method in _REPEATABLE if repeatable is None else repeatable
        answer, _ = await self._persist(method, url, b"" if body is None else body, may_repeat)
        return _understood(operation, read, answer)

    async def each(
        self,
        operation: str,
        read: Callable[[Any], T],
        *,
        items: str | None = None,
        query: Query | None = None,
        **path: str | int,
    ) -> AsyncIterator[T]:
        """Every item of a list, page by page as asked for. `items` names the list where it is wrapped in an object.

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        method, _, template = operation.partition(" ")
        url = self._url(template, path, {"per_page": PER_PAGE, **(query or {})})
        for _page in range(PAGES):
            answer, following = await self._persist(method, url, b"", True)
            for item in _understood(operation, lambda page: list(page[items] if items else page), answer):
                yield _understood(operation, read, item)
            if following is None:
                return
            url = self._at_our_address(following)
        raise Permanent("github_unexpected_reply", operation=operation, missing="the list's last page")

    async def listed(
        self,
        operation: str,
        read: Callable[[Any], T],
        *,
        items: str | None = None,
        query: Query | None = None,
        most: int | None = None,
        **path: str | int,
    ) -> list[T]:
        """The items of a list, at most `most` of them; no page is asked for that is not needed."""
        found: list[T] = []
        async for item in self.each(operation, read, items=items, query=query, **path):
            found.append(item)
            if len(found) == most:
                break
        return found

    async def once(
        self,
        find: Callable[[], Awaitable[T | None]],
        create: Callable[[], Awaitable[T]],
        *,
        look_first: bool = True,
    ) -> T:
        """What `find` finds, else what `create` makes; after a lost reply it looks before it creates again.

        Without `look_first` the caller knows that it was never asked for before, which saves a request.
        """
        found = await find() if look_first else None
        tried = 0
        while found is None:
            tried += 1
            try:
                return await create()
            except Transient as lost:
                if not lost.facts.get("maybe_done") or tried >= self._patience.tries:
                    raise
                await asyncio.sleep(self._patience.pause_s(tried))
            found = await _look_after_loss(find)
        return found

    def _at_our_address(self, following: str) -> str:
        """A list's next page, asked for where all else is: GitHub names its own host, which a proxy stands before."""
        ours, theirs = urlsplit(self._wire.base_url), urlsplit(following)
        path = theirs.path.removeprefix(ours.path.rstrip("/")) if ours.path.strip("/") else theirs.path
        return f"{self._wire.base_url.rstrip('/')}{path}" + (f"?{theirs.query}" if theirs.query else "")

    def _url(self, template: str, path: Mapping[str, str | int], query: Query | None) -> str:
        """The address of an operation. Values are quoted whole, but a `path` keeps its slashes."""
        known: dict[str, str | int] = dict(path)
        if self.repository is not None:
            known |= {"owner": self.repository.owner, "repo": self.repository.name}
        filled = template.format_map({name: _quoted(name, str(value)) for name, value in known.items()})
        asked = urlencode([(key, value) for key, value in (query or {}).items() if value is not None])
        if GRAPHQL.endswith(f" {template}"):
            return self._wire.graphql_url
        return self._wire.base_url.rstrip("/") + filled + (f"?{asked}" if asked else "")

    async def _persist(self, method: str, url: str, body: object, may_repeat: bool) -> tuple[Any, str | None]:
        """Ask until there is an answer, within the bounds of our patience."""
        operation = f"{method} {url.removeprefix(self._wire.base_url.rstrip('/')).partition('?')[0]}"
        attempt = _Attempt(operation, self._patience, self._quota, may_repeat)
        while True:
            await attempt.wait_for_quota()
            token = await self._credential.current()
            try:
                return await self._wire.exchange(method, url, body, token=token.value, bearer=self._credential.bearer)
            except NoReply as lost:
                await attempt.after_silence(lost)
            except RefusedReply as refused:
                if refused.reply.status == 401 and attempt.may_renew():
                    self._credential.refuse(token, failures.clock_skew_s(refused.reply))
                else:
                    await attempt.after_refusal(refused.reply)


class _Attempt:
    """Counts the tries of one call, and after each failure either waits or raises."""

    def __init__(self, operation: str, patience: Patience, quota: Quota, may_repeat: bool) -> None:
        self._operation = operation
        self._patience = patience
        self._quota = quota
        self._may_repeat = may_repeat
        self._tried = 0
        self._renewed = False

    async def wait_for_quota(self) -> None:
        """Wait for a limit reached before, if that is short; else raise."""
        limit = self._quota.reached()
        if limit is None:
            return
        if limit.wait_s > self._patience.longest_wait_s:
            raise failures.rate_limited(self._operation, limit)
        await asyncio.sleep(limit.wait_s)

    def may_renew(self) -> bool:
        """Whether a refused token may be replaced: once."""
        first, self._renewed = not self._renewed, True
        return first

    async def after_silence(self, lost: NoReply) -> None:
        """Pause before asking again, or raise when that is over, or could do it twice."""
        again = self._may_repeat or not lost.sent
        if not again or self._spent():
            maybe_done = lost.sent and not self._may_repeat
            raise failures.unreachable(self._operation, lost.reason, maybe_done=maybe_done) from lost
        await asyncio.sleep(self._patience.pause_s(self._tried))

    async def after_refusal(self, reply: Reply) -> None:
        """Wait for a limit or pause after a 5xx; raise for all else."""
        limit = failures.rate_limit(reply)
        if limit is not None:
            self._quota.exhaust(limit)
            if limit.wait_s > self._patience.longest_wait_s or self._spent():
                raise failures.rate_limited(self._operation, limit)
        elif reply.status >= 500:
            await self._after_breakage(reply)
        else:
            raise failures.refused(self._operation, reply)

    async def _after_breakage(self, reply: Reply) -> None:
        asked_s = failures.retry_after_s(reply) or 0.0
        too_long = asked_s > self._patience.longest_wait_s
        if not self._may_repeat or too_long or self._spent():
            raise failures.unavailable(self._operation, reply, maybe_done=not self._may_repeat)
        await asyncio.sleep(max(asked_s, self._patience.pause_s(self._tried)))

    def _spent(self) -> bool:
        """Count a try; whether it was the last."""
        self._tried += 1
        return self._tried >= self._patience.tries


async def _look_after_loss(find: Callable[[], Awaitable[T | None]]) -> T | None:
    """Look; when even that fails, what was asked for before may be done nevertheless, and the error says so."""
    try:
        return await find()
    except Transient as blind:
        blind.facts["maybe_done"] = True
        raise


def _quoted(name: str, value: str) -> str:
    """A value for an address. Raises NotFound for dots that would lead to another address."""
    if {".", ".."} & set(value.split("/")):
        raise failures.NotFound("github_not_found", operation=name, message=f"{value!r} is no name")
    return quote(value, safe="/" if name == "path" else "")


def _understood(operation: str, read: Callable[[Any], T], answer: Any) -> T:
    """Read a reply. Raises Permanent when it lacks what GitHub documents."""
    try:
        return read(answer)
    except (Unreadable, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Permanent("github_unexpected_reply", operation=operation, missing=str(error)) from error
