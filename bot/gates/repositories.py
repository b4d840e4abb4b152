"""Finds the repository somebody named, in Slack, over the API or in the shell, as far as the app is installed there."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import Refused
from bot.gates.facts import Facts, facts_about
from bot.github.api import GitHub
from bot.github.app import installation_of
from bot.github.client.failures import NotFound
from bot.model import Repository

METADATA: Mapping[str, str] = {"metadata": "read"}


async def repository_named(github: GitHub, name: str) -> tuple[Facts, Repository]:
    """Facts about `owner/name` under its name and id of now. Raises Refused("repository_unknown"), Transient.

    https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
    """
    owner, _, short = name.partition("/")
    try:
        installation = await installation_of(github.app, name)
        if installation.suspended:
            raise Refused("repository_unknown", repository=name)
        repository, default_branch = await github.installation(installation.id, METADATA).call(
            "GET /repos/{owner}/{repo}",
            lambda data: (Repository(int(data["id"]), str(data["full_name"])), str(data["default_branch"])),
            owner=owner,
            repo=short,
        )
    except NotFound as error:
        raise Refused("repository_unknown", repository=name) from error
    return await facts_about(github, installation.id, repository, default_branch), repository
