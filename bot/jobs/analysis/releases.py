"""Says of each release that went live whose commits and which languages it brought, against the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from bot.errors import UserMistake
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.runs.shipped import Shipped, shipped_between
from bot.model import Release

MOST_RELEASES = 10
"""Of each environment, the newest."""


@dataclass(frozen=True, slots=True)
class ReleaseShipped:
    """A release and what it brought since the one before, which `before` names."""

    release: Release
    before: Release
    shipped: Shipped

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {
            "environment": self.release.environment,
            "version": self.release.version,
            "sha": self.release.sha,
            "before": self.before.sha,
            "liveAt": self.release.live_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            **shipped_json(self.shipped),
        }


def shipped_json(shipped: Shipped) -> Mapping[str, Any]:
    """Authors by commits and languages by changed lines, as published."""
    return {
        "authors": [
            {
                "name": row.author.name,
                "email": row.author.email,
                "commits": row.commits,
                "added": row.added,
                "deleted": row.deleted,
            }
            for row in shipped.authors
        ],
        "languages": [{"name": row.name, "added": row.added, "deleted": row.deleted} for row in shipped.languages],
    }


def shipped_by_releases(clone: Path, releases: Sequence[Release], children: Children) -> list[ReleaseShipped]:
    """The newest first within each environment. Left out: the first release of all, rollbacks' repeats, and those
    whose commits the clone does not hold, as after a force-push."""
    found: list[ReleaseShipped] = []
    known: dict[tuple[str, str], Shipped] = {}
    ordered = sorted(releases, key=lambda release: (release.environment, -release.version))
    for _, group in groupby(ordered, key=lambda release: release.environment):
        for release, before in list(pairwise(group))[:MOST_RELEASES]:
            if release.sha == before.sha:
                continue
            try:
                pair = (before.sha, release.sha)
                known[pair] = known.get(pair) or shipped_between(clone, *pair, children)
                found.append(ReleaseShipped(release, before, known[pair]))
            except UserMistake:
                continue
    return found
