"""What is asked of GitHub before a decision: who someone is, what the head is, what the settings say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.errors import Permanent, Refused, Transient
from bot.github.api import GitHub
from bot.github.app import identity, installation_of
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.commit_checks import CommitChecks, commit_checks
from bot.github.people import Role, is_team_member, role_of
from bot.github.permissions import DECIDE, DECIDE_BY_TEAM
from bot.github.pulls import PullRequest, get_pull
from bot.github.repository import branch_head, contains, file_at, get_repository, is_in_a_branch, resolve
from bot.model import FULL_SHA, Job, Repository
from bot.repo_config.config import RepoConfig
from bot.repo_config.reading import CONFIG_PATH, MOST_BYTES, parse_config
from bot.store.connections import Connections


@dataclass(frozen=True, slots=True)
class Facts:
    """Questions about one repository, asked live; nothing is kept between decisions."""

    github: GitHub
    repository: Repository
    installation_id: int
    known_default_branch: str | None = None
    lent: Client | None = None
    """Speaks with a token that somebody lent us, where the app is not installed: `installation_id` is 0 then."""

    @property
    def client(self) -> Client:
        """May only read what most decisions need."""
        return self.lent or self.github.repository(self.installation_id, self.repository, DECIDE)

    async def default_branch(self) -> str:
        """The branch whose settings count where there is no pull request."""
        return self.known_default_branch or (await get_repository(self.client)).default_branch

    async def role(self, login: str, user_id: int | None) -> Role:
        """Raises Refused("permission_unreadable"): an error means no."""
        return await role_of(self.client, login, user_id)

    async def is_in_team(self, team: str, login: str) -> bool:
        """Whether somebody is in `organization/team`. Raises Refused("permission_unreadable"): an error means no."""
        organization, _, slug = team.partition("/")
        client = self.lent or self.github.repository(self.installation_id, self.repository, DECIDE_BY_TEAM)
        return await is_team_member(client, organization, slug, login)

    async def checks(self, sha: str) -> CommitChecks:
        """What others say of a commit, without our own check runs. Raises Refused("checks_unreadable")."""
        try:
            said = await commit_checks(self.client, sha)
            return said.without_app((await identity(self.github.app)).id)
        except (Transient, Permanent) as error:
            raise Refused("checks_unreadable", sha=sha[:7], reason=error.code) from error

    async def pull(self, number: int) -> PullRequest:
        """Raises Refused("pull_needed") for an issue's number."""
        try:
            return await get_pull(self.client, number)
        except NotFound as error:
            raise Refused("pull_needed") from error

    async def config(self, ref: str) -> RepoConfig:
        """The settings at a branch or commit of the base repository. Raises Refused("bad_config")."""
        return await _read(await self._file(ref) or b"", self.known_default_branch or ref)

    async def settings_for(self, pull: PullRequest) -> RepoConfig:
        """The settings that hold for a pull request: its base branch's where GitHub protects that branch, else the
        default branch's, and the default branch's rules in any case.

        Whoever may write can make a branch with settings of their own, and ask to merge into that.
        """
        default = await self.config(pull.default_branch)
        if pull.base_ref == pull.default_branch:
            return default
        base = await branch_head(self.client, pull.base_ref)
        raw = await self._file(base.sha) if base is not None and base.protected else None
        return default if raw is None else (await _read(raw, pull.default_branch)).under(default)

    async def _file(self, ref: str) -> bytes | None:
        return await file_at(self.client, CONFIG_PATH, ref, MOST_BYTES + 1)

    async def head_of(self, branch: str) -> str | None:
        """Where a branch stands now; None when it is gone."""
        head = await branch_head(self.client, branch)
        return head.sha if head else None

    async def holds(self, sha: str, branch: str) -> bool:
        """Whether the newest commit of a branch is in the history of this one; a branch that is gone has none."""
        head = await self.head_of(branch)
        return head is None or await contains(self.client, sha, head)

    async def commit(self, ref: str, *, is_ours: bool = False) -> str:
        """The full SHA a ref names now. Raises Refused("ref_not_found").

        GitHub finds a fork's commits by their SHA too: one that no branch here holds is not found, unless the caller
        knows that it `is_ours`.
        """
        if FULL_SHA.match(ref.lower()):
            ref = ref.lower()
        sha = await resolve(self.client, ref)
        named_by_sha = sha is not None and sha.startswith(ref)
        if sha is None or (named_by_sha and not is_ours and not await self._is_in_a_branch(sha)):
            raise Refused("ref_not_found", ref=ref)
        return sha

    async def _is_in_a_branch(self, sha: str) -> bool:
        return await is_in_a_branch(self.client, sha, await self.default_branch())


async def _read(raw: bytes, default_branch: str) -> RepoConfig:
    """Beside the loop: a file that was made for it takes seconds, and everybody else would wait."""
    return await asyncio.to_thread(parse_config, raw, default_branch)


async def facts_about(
    github: GitHub, installation_id: int | None, repository: Repository, default_branch: str | None = None
) -> Facts:
    """Facts under a token that may only read what decisions need. Raises Permanent where the app is not installed."""
    known = installation_id or (await installation_of(github.app, repository.full_name)).id
    return Facts(github, repository, known, default_branch)


async def facts_of_job(github: GitHub, connections: Connections, job: Job) -> Facts:
    """Facts about a job's repository, asked as when it was asked for: by the app, or with the token that was lent.

    Raises Permanent("connection_removed"), and where the app is not installed any more.
    """
    connection = job.spec.get("github_connection")
    if connection is None:
        return await facts_about(github, job.origin.installation_id or None, job.repository)
    token = await connections.token_of(connection)
    if token is None:
        raise Permanent("connection_removed", connection=connection)
    return lent_facts(github, token, job.repository)


def lent_facts(github: GitHub, token: str, repository: Repository, default_branch: str | None = None) -> Facts:
    """Facts under a token that somebody lent us for the repository."""
    return Facts(github, repository, 0, default_branch, github.lent(token, repository))
