"""Looks at a repository as a deployment would: one pinned commit, the settings of the base branch, few reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.gates.facts import Facts
from bot.github.files import CommitFiles
from bot.model import Repository

if TYPE_CHECKING:
    from bot.inspect.model import Inspection


@dataclass(frozen=True, slots=True)
class Looked:
    """What a commit of a repository is."""

    repository: Repository
    ref: str
    sha: str
    inspection: Inspection


async def look(facts: Facts, repository: Repository, ref: str, sha: str, build: Mapping[str, Any]) -> Looked:
    """Inspect one commit, read at GitHub in three calls as a rule; `build` is that section of the settings.

    Raises what GitHub's client raises. What knows every kind of repository is loaded with the first look.
    """
    from bot.inspect.overrides import overrides_from
    from bot.inspect.remote import inspect_remote

    found = await inspect_remote(CommitFiles(facts.client, sha), overrides_from(build))
    return Looked(repository, ref, sha, found)
