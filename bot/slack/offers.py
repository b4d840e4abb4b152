"""What the menus of the deploy dialog offer: repositories a person may read, and the environments of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

from bot.errors import Permanent, Refused, ShipmateError
from bot.gates.facts import Facts, facts_about
from bot.gates.repositories import METADATA, repository_named
from bot.github.api import GitHub
from bot.github.app import installations, installed_repositories
from bot.github.people import Role
from bot.model import Repository
from bot.store.releases import Releases
from bot.store.slack import SlackLink

KNOWN_FOR_S = 60.0
"""How long a list of names is kept; whether a person may read one is asked each time."""
MOST_ASKED = 20
AT_ONCE = 8

Installed = list[tuple[Repository, int]]


class Offers:
    """Asked with each letter somebody types."""

    def __init__(self, github: GitHub, releases: Releases) -> None:
        self._github = github
        self._releases = releases
        self._installed: Installed = []
        self._known_until_s = 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def repositories(self, link: SlackLink, typed: str) -> list[str]:
        """Names that hold what was typed, those of repositories this person may read. Raises Transient."""
        fitting = [one for one in await self._all() if typed.lower() in one[0].full_name.lower()]
        asked = sorted(fitting, key=lambda one: _rank(one[0].full_name, typed))[:MOST_ASKED]
        may_read = await asyncio.gather(*(self._may_read(link, *one) for one in asked))
        return [repository.full_name for (repository, _), may in zip(asked, may_read, strict=True) if may]

    async def environments(self, link: SlackLink, repository: str, typed: str) -> list[str]:
        """Those its settings name, and those something was released to. Empty for one this person may not read."""
        try:
            facts, known = await repository_named(self._github, repository)
            if await facts.role(link.github_login, link.github_id) < Role.READ:
                return []
        except (Refused, Permanent):
            return []
        released = await self._releases.environments(known.id)
        names = dict.fromkeys([*await _configured(facts), *sorted(released)])
        return [name for name in names if typed.lower() in name]

    async def _all(self) -> Installed:
        if time.monotonic() > self._known_until_s:
            self._installed = [one async for one in _installed(self._github)]
            self._known_until_s = time.monotonic() + KNOWN_FOR_S
        return self._installed

    async def _may_read(self, link: SlackLink, repository: Repository, installation_id: int) -> bool:
        """An error means no."""
        async with self._gate:
            try:
                facts = await facts_about(self._github, installation_id, repository)
                return await facts.role(link.github_login, link.github_id) >= Role.READ
            except ShipmateError:
                return False


async def _installed(github: GitHub) -> AsyncIterator[tuple[Repository, int]]:
    for installation in await installations(github.app):
        if not installation.suspended:
            client = github.installation(installation.id, METADATA)
            for repository in await installed_repositories(client):
                yield repository, installation.id


async def _configured(facts: Facts) -> Iterable[str]:
    """None where the settings cannot be read: the deploy itself will say what is wrong with them."""
    try:
        return (await facts.config(await facts.default_branch())).environments
    except Refused:
        return ()


def _rank(name: str, typed: str) -> tuple[bool, str]:
    """Names that begin with what was typed, with or without the owner, come first."""
    short = name.partition("/")[2].lower()
    return not (name.lower().startswith(typed.lower()) or short.startswith(typed.lower())), name.lower()
