"""Makes the plan of an analysis somebody asks for by name, address or owner: which repositories, at which commits."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.desk.reach import Sees, require_seen
from bot.desk.targets import target_of
from bot.errors import Refused, Transient
from bot.gates.repositories import METADATA, repository_named
from bot.github.api import GitHub
from bot.github.app import installation_in, installed_repositories
from bot.github.client.failures import NotFound
from bot.github.person import repositories_of
from bot.jobs.analysis.plan import TOKENS, AnalysisPlan, Target
from bot.jobs.analysis.repositories.addresses import check_address, is_url, without_password
from bot.store.keys import Secrets

MOST_REPOSITORIES = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SCP = re.compile(r"[\w.-]+@([\w.-]+):(.+)")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks: `repositories` by `owner/name` or address, or all of an `owner`'s."""

    repositories: tuple[str, ...] = ()
    owner: str = ""
    ref: str | None = None
    authors: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    token: str = field(default="", repr=False)
    """The asker's own, for what our app is not installed on."""
    all_files: bool = False
    merges: bool = False
    without_bots: bool = False
    ignore_revs: bool = False
    quality: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """Turns questions into plans."""

    github: GitHub
    github_url: str
    secrets: Secrets
    clock: Clock

    async def plan(self, question: Question, sees: Sees) -> AnalysisPlan:
        """Everything is pinned now, as far as our app can see it; an asker's token is sealed until the job has ended.

        Of an owner's repositories those are meant that the asker `sees`. Raises Refused("address_not_allowed",
        "no_repositories", "ref_not_found", "repository_not_installed", "secret_key_missing"), Transient.
        """
        named = {given: self._at_github(given) or given for given in question.repositories}
        for name in named.values():
            require_seen(sees, [name])
        targets = tuple(await asyncio.gather(*(self._target(given, question) for given in named)))
        for name, target in zip(named.values(), targets, strict=True):
            require_seen(sees, [name, target.name])
        if question.owner:
            targets = await self._all_of(question.owner, question.token, sees)
        return AnalysisPlan(
            targets,
            authors=question.authors,
            since=question.since,
            until=question.until,
            all_files=question.all_files,
            merges=question.merges,
            without_bots=question.without_bots,
            ignore_revs=question.ignore_revs,
            quality=question.quality,
            token_name=await self._sealed(question.token),
        )

    async def _target(self, given: str, question: Question) -> Target:
        name = self._at_github(given)
        if name is None:
            return await _elsewhere(given, question.ref)
        try:
            facts, repository = await repository_named(self.github, name)
        except Refused:  # not ours: anybody's, or the token's
            return Target(name, ref=question.ref or "HEAD", is_default=question.ref is None)
        return await target_of(facts, repository, question.ref)

    def _at_github(self, given: str) -> str | None:
        """`owner/name` of a repository at our GitHub, named in any of the ways people write it; None for others."""
        host = urlsplit(self.github_url).netloc
        scp = _SCP.fullmatch(given)
        path = given
        if scp and scp[1] == host:
            path = scp[2]
        elif is_url(given):
            path = _path_at(host, given)
        path = path.removesuffix(".git")
        return path if _NAME.fullmatch(path) else None

    async def _all_of(self, owner: str, token: str, sees: Sees) -> tuple[Target, ...]:
        """All that the asker's token can read of an owner's, else all that our app can."""
        if token:
            mine = await repositories_of(self.github.person(token), owner, MOST_REPOSITORIES)
            found = [Target(repository.full_name, is_default=True) for repository in mine]
        else:
            found = await self._ours(owner)
        seen = tuple(target for target in found if sees(target.name))
        if not seen:
            raise Refused("no_repositories", owner=owner)
        return seen

    async def _ours(self, owner: str) -> list[Target]:
        try:
            installation = await installation_in(self.github.app, owner)
        except NotFound as error:
            raise Refused("no_repositories", owner=owner) from error
        client = self.github.installation(installation.id, METADATA)
        return [
            Target(one.full_name, is_default=True, repository_id=one.id, installation_id=installation.id)
            for one in (await installed_repositories(client))[:MOST_REPOSITORIES]
        ]

    async def forget(self, plan: AnalysisPlan) -> None:
        """Of a plan that is not taken on no token is kept. Repeatable."""
        if plan.token_name:
            await self.secrets.remove(TOKENS, plan.token_name)

    async def _sealed(self, token: str) -> str:
        if not token:
            return ""
        name = secrets.token_hex(16)
        await self.secrets.put(TOKENS, name, token, self.clock())
        return name


def _path_at(host: str, url: str) -> str:
    """The path of an address on that host; empty for one that leads elsewhere, or is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.path.strip("/") if parts.netloc == host else ""


async def _elsewhere(given: str, ref: str | None) -> Target:
    """A repository that is not at our GitHub, if its address may be cloned from a server."""
    try:
        address = await asyncio.to_thread(check_address, given, allow_local=False)
    except Transient:  # a name that does not resolve now: the job tries again, and says so
        address = None
    url = address.url if address else without_password(given)
    shown = without_password(url).partition("://")[2].removesuffix(".git").strip("/")
    return Target(shown or url, url=url, ref=ref or "HEAD", is_default=ref is None)
