"""Finds what a deployment is about: the user's installation, the repository, who may, and the commit that is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.asked import Asked, Found, Place, PlaceTable
from bot.commands import COMMANDS
from bot.errors import Permanent, Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.github.api import GitHub
from bot.github.app import Installation, installation_in, installations
from bot.github.client.failures import NotFound
from bot.model import Repository
from bot.reconcile.places import place_of
from bot.repo_config.config import EnvironmentConfig, RepoConfig

METADATA: Mapping[str, str] = {"metadata": "read"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What was found, with the settings of the environment it goes to and the way to ask more of GitHub."""

    found: Found
    facts: Facts
    environment: EnvironmentConfig
    build: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finder:
    """Asks GitHub in the app's name; the table of installations saves it one question, and is corrected by it."""

    github: GitHub
    places: PlaceTable

    async def find(self, asked: Asked) -> Subject:
        """What it is about, once its user is known to be allowed; a commit that was found before stays.

        Raises Refused: user_unknown, repository_not_installed, permission_needed, ref_not_found, unknown_environment,
        bad_config; Permanent and Transient as GitHub's client does.
        """
        facts = await self._facts(asked)
        login = asked.user if isinstance(asked.user, str) else (await self._place(asked.user)).login
        default = await facts.default_branch()
        config = await _covered(facts, default)
        needs = COMMANDS["deploy"].needs
        policy.require_role(login, await facts.role(login, None), "deploy", needs)
        named = asked.environment or (config.for_branch(asked.branch) or config.default()).name
        environment = policy.pick_environment(config, named)
        sha = asked.found.sha if asked.found else await facts.commit(asked.branch)
        found = Found(facts.repository, facts.installation_id, login, sha, environment.name)
        return Subject(found, facts, environment, config.build)

    async def _facts(self, asked: Asked) -> Facts:
        """Raises Refused where neither the table nor GitHub knows better."""
        owner, _, name = asked.repo.rpartition("/")
        account = owner or asked.user
        try:
            place = await self._place(account)
            facts = await self._repository(place, name)
            if facts is None:
                now = await self._told(account, instead_of=place)
                facts = await self._repository(now, name) if now != place else None
        except Refused as unknown:
            if unknown.code != "user_unknown" or not owner:
                raise
            raise Refused("repository_not_installed", repository=asked.repo) from unknown
        if facts is None:
            raise Refused("repository_not_installed", repository=asked.repo)
        return facts

    async def _repository(self, place: Place, name: str) -> Facts | None:
        """None where GitHub knows none of that name, or not that installation any more.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        try:
            repository, default_branch = await self.github.installation(place.installation_id, METADATA).call(
                "GET /repos/{owner}/{repo}",
                lambda data: (Repository(int(data["id"]), str(data["full_name"])), str(data["default_branch"])),
                owner=place.login,
                repo=name,
            )
        except NotFound:
            return None
        return Facts(self.github, repository, place.installation_id, default_branch)

    async def _place(self, account: str | int) -> Place:
        """The account's installation, as the table has it, else as GitHub says. Raises Refused("user_unknown")."""
        kept = await self.places.find(account)
        return kept if kept and not kept.suspended else await self._told(account, instead_of=kept)

    async def _told(self, account: str | int, instead_of: Place | None) -> Place:
        """As GitHub says now, which the table is told. Raises Refused("user_unknown")."""
        installation = await self._installation(account)
        now = place_of(installation) if installation else None
        if instead_of is not None and instead_of != now:
            await self.places.remove(instead_of)
        if now is None or now.suspended:
            raise Refused("user_unknown", user=account)
        await self.places.put(now)
        return now

    async def _installation(self, account: str | int) -> Installation | None:
        if isinstance(account, int):
            known = await installations(self.github.app)
            return next((one for one in known if one.account_id == account), None)
        try:
            return await installation_in(self.github.app, account)
        except NotFound:
            return None


async def _covered(facts: Facts, default_branch: str) -> RepoConfig:
    """The settings. Raises Refused("repository_not_installed"): GitHub lets an installation see public ones too."""
    try:
        return await facts.config(default_branch)
    except Permanent as refused:
        if refused.code != "github_invalid":
            raise
        raise Refused("repository_not_installed", repository=facts.repository.full_name) from refused
