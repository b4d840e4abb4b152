"""What `.shipmate.yml` says of contribution analysis: what happens by itself, and how it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AnalysisConfig:
    """Nothing happens by itself unless it is asked for here."""

    pull_requests: bool = False
    """Each pull request is told who owns the lines it changes, and who may review it."""
    pushes: bool = False
    """Each push to the default branch brings the contributions up to date."""
    quality: bool = False
    merges: bool = False
    without_bots: bool = False
    ignore_revs: bool = False


def read_analysis(given: Mapping[str, Any]) -> AnalysisConfig:
    """The section as the schema lets it through."""
    bots = given.get("bots", True)
    known = {
        name: given[name] for name in ("pull_requests", "pushes", "quality", "merges", "ignore_revs") if name in given
    }
    return AnalysisConfig(**known, without_bots=not bots)
