"""Shows the progress of an analysis on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from bot.jobs.analysis.progress import Listener, Progress, Stage


@contextmanager
def progress_bar(err: TextIO) -> Iterator[Listener]:
    """A listener that keeps one line up to date while the block runs, and clears it at the end."""
    console = Console(file=err)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(Stage.CLONING, total=None, detail="")

        def listen(progress: Progress) -> None:
            done, total, detail = _state(progress)
            bars.update(task, description=progress.stage, completed=done, total=total, detail=detail)

        yield listen


def _state(progress: Progress) -> tuple[int, int | None, str]:
    """Done, in all (None: unknown) and the words beside the bar."""
    if progress.stage is Stage.DIFFING:
        return progress.pairs_done, progress.pairs, f"{progress.pairs_done:,} of {progress.pairs:,} versions"
    if progress.stage in (Stage.BLAMING, Stage.REPORTING):
        return progress.files_done, progress.files, f"{progress.files_done:,} of {progress.files:,} files"
    return progress.commits, None, f"{progress.commits:,} commits"
