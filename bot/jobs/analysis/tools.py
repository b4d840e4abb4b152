"""What the analyses of one worker share: kept clones and states, threads, the store, and the way to GitHub."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlsplit

from bot.clock import Clock, utc_now
from bot.errors import ShipmateError, UserMistake
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.people.logins import AskGitHub, find_logins
from bot.jobs.analysis.plan import TOKENS, AnalysisPlan, Target
from bot.jobs.analysis.quality.snapshot import QualitySettings
from bot.jobs.analysis.repositories.addresses import Address, check_address
from bot.jobs.analysis.repositories.clones import Clones
from bot.jobs.analysis.runs.resident import States
from bot.masking import Masker
from bot.store.analyses import Analyses, CommitLogins
from bot.store.keys import Secrets
from bot.store.releases import Releases

AT_ONCE = max(1, os.cpu_count() or 1)
"""Analyses that run side by side in one process: each keeps a core busy."""

ASK_AGAIN_S = 1.0

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Tools:
    """What an analysis uses of the house. `token` mints an installation's token for one repository."""

    clones: Clones
    states: States
    pool: Executor
    analyses: Analyses
    commit_logins: CommitLogins
    secrets: Secrets
    releases: Releases
    github_url: str
    token: Callable[[Target], Awaitable[str]]
    ask_logins: Callable[[Target, str], AskGitHub]
    """How GitHub is asked for logins of the commits that a commit of the target's holds."""
    clock: Clock = utc_now
    quality: QualitySettings = field(default_factory=QualitySettings)
    way_out: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What git needs of the environment to leave through a proxy."""
    locale: str = "en"

    def address(self, target: Target) -> Address:
        """Where a target is cloned from; blocks while a name is looked up.

        Raises Refused("address_not_allowed") or Transient("host_unreachable").
        """
        parts = urlsplit(self.github_url)
        trusted = frozenset({f"{parts.scheme}://{parts.netloc}"})
        url = target.url or url_of(self.github_url, target.name)
        return check_address(url, allow_local=False, trusted=trusted, way_out=self.way_out)

    async def with_token(
        self, plan: AnalysisPlan, target: Target, masker: Masker, work: Callable[[str | None], Awaitable[_Found]]
    ) -> _Found:
        """Do what needs a token; once more with another where an installation's was refused.

        A token may end while a job waits for its turn, and GitHub may not know a new one in all its places yet.
        """
        try:
            return await work(await self.token_for(plan, target, masker))
        except UserMistake as denied:
            if denied.code != "credentials_needed" or not target.installation_id:
                raise
        await asyncio.sleep(ASK_AGAIN_S)
        return await work(await self.token(target))

    async def token_for(self, plan: AnalysisPlan, target: Target, masker: Masker) -> str | None:
        """The asker's own token, else the installation's; None where anybody may clone.

        An asker's token goes to GitHub alone, whatever address was asked for.
        """
        if target.installation_id:
            return await self.token(target)
        token = await self.secrets.get(TOKENS, plan.token_name) if plan.token_name and not target.url else None
        if token:
            masker.register(token)
        return token

    async def logins(self, target: Target, sha: str, authors: Sequence[Author]) -> dict[str, str]:
        """Who the authors are at GitHub; no analysis fails because GitHub cannot say."""
        ask = self.ask_logins(target, sha) if target.installation_id else None
        try:
            return await find_logins(authors, self.commit_logins, ask, self.clock)
        except ShipmateError:
            return await find_logins(authors, self.commit_logins, None, self.clock)

    async def forget_token(self, plan: AnalysisPlan) -> None:
        """Remove the asker's own token. Repeatable."""
        if plan.token_name:
            await self.secrets.remove(TOKENS, plan.token_name)


def url_of(github_url: str, name: str) -> str:
    """The address of `owner/name` at GitHub."""
    return f"{github_url}/{quote(name)}.git"
