"""What an analysis job is about, frozen when it was asked for; plain JSON in the job."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.jobs.analysis.reports.ranges import Range

TOKENS = "analysis"
"""Where askers' own tokens are sealed among the secrets."""


class Subject(enum.StrEnum):
    """What is asked: who wrote what is there, or who owns the lines a change touches."""

    CONTRIBUTIONS = "contributions"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Target:
    """One repository of an analysis.

    `name` is `owner/name` at GitHub, or the address without its scheme of one elsewhere, whose whole address `url` is.
    """

    name: str
    url: str = ""
    """Empty: at GitHub."""
    ref: str = "HEAD"
    """What was asked for: a branch, a tag, a commit; the default branch's name where nothing was."""
    sha: str = ""
    """The commit it meant then; empty where only a clone can tell."""
    is_default: bool = False
    """Whether the ref is the default branch."""
    repository_id: int = 0
    installation_id: int = 0
    """0: cloned without our app, with the asker's own token if they gave one."""


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """The whole of it. Several targets are added up at the end."""

    targets: tuple[Target, ...]
    subject: Subject = Subject.CONTRIBUTIONS
    authors: tuple[str, ...] = ()
    """Shown alone, where any are named."""
    since: date | None = None
    until: date | None = None
    base: str = ""
    """The commit a change is compared with."""
    by: str = ""
    """Login of a change's author, who is not suggested as its reviewer."""
    all_files: bool = False
    merges: bool = False
    without_bots: bool = False
    ignore_revs: bool = False
    """These four as `AnalysisRequest` has them."""
    quality: bool = False
    """Whether a quality snapshot is taken, as far as the server is set up for one."""
    token_name: str = ""
    """The sealed secret that holds the asker's own token."""
    is_passing: bool = False
    """Whether nobody asked for it: the next one of the ref takes its place."""

    @property
    def within(self) -> Range:
        """The dates that are asked about."""
        return Range(self.since, self.until)

    def to_json(self) -> dict[str, Any]:
        """As a job keeps it."""
        told = dataclasses.asdict(self)
        days = {name: day.isoformat() if (day := told[name]) else None for name in ("since", "until")}
        return {**told, **days, "targets": list(told["targets"]), "authors": list(self.authors)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> AnalysisPlan:
        """What `to_json` told."""
        known = {field.name: told[field.name] for field in dataclasses.fields(cls) if field.name in told}
        return cls(
            **{
                **known,
                "targets": tuple(Target(**target) for target in told["targets"]),
                "subject": Subject(told["subject"]),
                "authors": tuple(told["authors"]),
                "since": _day(told["since"]),
                "until": _day(told["until"]),
            }
        )


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None
