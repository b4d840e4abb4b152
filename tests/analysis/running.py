"""Runs analyses in tests, and looks at who owns what by commit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from bot.jobs.analysis.blame.headfiles import list_files
from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.blame.onepass import Blame, blame_tree, walk_and_diff
from bot.jobs.analysis.blame.treewalk import walk
from bot.jobs.analysis.progress import Progress, ProgressTeller
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import open_repository
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.incremental import Update
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.run import analyse_here
from bot.jobs.analysis.runs.state import State

JOBS = 2
MIB = 1 << 20


def analysed(repository: Path, states: States | None = None, **asked: Any) -> Report:
    """A report with every file counted, unless asked otherwise."""
    wanted: dict[str, Any] = {"all_files": True, "jobs": JOBS, "frameworks": False, **asked}
    return analyse_here(AnalysisRequest(repository, **wanted), ignore, None, states)


def ignore(_: Progress) -> None:
    """Listen to nothing."""


def cold_state(repository: Path, ref: str = "HEAD", *, max_blob_bytes: int = 100 * MIB) -> State:
    """What one whole walk finds."""
    opened, teller = open_repository(repository), ProgressTeller(ignore)
    with Git(opened.objects, opened.resolve(ref), Children(), max_blob_bytes=max_blob_bytes) as git:
        state = State(git.head, list_files(git), History(), Changes(), Blame())
        paths, commits = list(state.files.text), state.past.noting(walk(git, git.head), state.history)
        walked = walk_and_diff(git, commits, paths, state.history, state.changes, teller, JOBS, merges=False)
        state.blame = blame_tree(walked, state.history, teller, state.keep)
        state.remember(walked)
        return state


def updated(state: State, repository: Path, ref: str = "HEAD") -> State:
    """A state brought to another commit."""
    opened, teller = open_repository(repository), ProgressTeller(ignore)
    with Git(opened.objects, opened.resolve(ref), Children(), max_blob_bytes=100 * MIB) as git:
        assert Update(git, state, teller, JOBS, merges=False).run()
    return state


def owners(state: State) -> dict[bytes, dict[bytes, int]]:
    """Lines by commit id of each file."""
    oids = state.history.oids
    return {
        path: {oids[number]: lines for number, lines in counts.items()} for path, counts in state.blame.owners.items()
    }


def series(state: State) -> list[tuple[bytes, bytes, int, int]]:
    """Commit id, path, lines added and deleted of every change, sorted."""
    oids, changes = state.history.oids, state.changes
    columns = zip(changes.commit, changes.path, changes.added, changes.deleted, strict=True)
    return sorted((oids[commit], changes.paths[path], added, deleted) for commit, path, added, deleted in columns)


def timeless(report: Report) -> dict[str, Any]:
    """The published JSON without the moment it was made."""
    return dataclasses.replace(report, generated_at=0).to_json()
