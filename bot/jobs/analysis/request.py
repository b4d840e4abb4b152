"""What can be asked of an analysis."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time, in seconds since 1970 UTC; None leaves a side open. `until` itself is outside."""

    since: int | None = None
    until: int | None = None

    def holds(self, time: int) -> bool:
        """Whether a time lies within."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """One analysis of one repository on disk.

    `ref` is anything git resolves to a commit. `name` is what the report calls the repository (its folder's name when
    empty). Files of `max_blob_bytes` and more, now or in their history, are left out and listed.
    """

    repository: Path
    ref: str = "HEAD"
    name: str = ""
    all_files: bool = False
    """Leave nothing out: vendored, generated and lock files count too."""
    per_file: bool = False
    """Add each file's lines by author."""
    merges: bool = False
    """Count what merge commits change against their first parent in the series; blame always knows them."""
    window: Window = field(default_factory=Window)
    """The commits the series and the authors' counts are about; lines of the tree are not limited by it."""
    authors: tuple[str, ...] = ()
    """Show only these authors: names, addresses or GitHub logins, in any case. Totals stay those of all."""
    without_bots: bool = False
    """Leave automations out of the authors and the series. Totals stay those of all."""
    co_authors: bool = False
    """Add who is named in Co-authored-by trailers."""
    ignore_revs: bool = False
    """Pass over the commits listed in the tree's .git-blame-ignore-revs, as `git blame --ignore-revs-file` does."""
    frameworks: bool = True
    days: bool = False
    """Add the history by day, from which any range of dates can be read later; `window` is not applied then."""
    oracle_files: int = 3
    """Files of each run that `git blame` is asked about, to prove this run right."""
    max_blob_bytes: int = 100 * MIB
    jobs: int = field(default_factory=lambda: min(8, os.cpu_count() or 1))
    """Processes that diff side by side."""

    def at(self, repository: Path, ref: str) -> AnalysisRequest:
        """The same request about a repository elsewhere, such as a clone, where the commit has another name."""
        return dataclasses.replace(self, repository=repository, ref=ref)
