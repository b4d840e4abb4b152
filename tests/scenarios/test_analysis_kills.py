"""A server killed at any moment of an analysis takes it up again, and leaves nothing of the dead one behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.jobs.analysis.repositories import folders
from tests.analysis.histories import Fuzzer, History, git
from tests.real_world import REPO, RealWorld

pytestmark = pytest.mark.docker

SETTINGS = "environments:\n  production: {branch: never}\nanalysis: {pushes: true}\n"
COMMITS = 150


async def with_a_past(real: RealWorld, folder: Path) -> str:
    """Give the repository a long history, and push once more; the SHA of the push."""
    history = History(folder / "past.git")
    Fuzzer(21, step_s=3600).fill(history, COMMITS)
    past = await asyncio.to_thread(history.write)
    there = real.github.repository(REPO).git.path
    await asyncio.to_thread(git, there, "fetch", "--quiet", "--force", str(past), "main:main")
    return (await real.github.push(REPO, files={".shipmate.yml": SETTINGS})).sha


def left_in_memory(process: int) -> list[Path]:
    """Folders of one process that died. Those of processes that tests beside us kill are theirs, and may go."""
    place = folders._place()
    return [folder for folder in place.glob(f"{folders.PREFIX}*") if is_of(folder, process)] if place else []


def is_of(folder: Path, process: int) -> bool:
    """Whether a folder is a dead process's."""
    try:
        return f":{process}:" in (folder / folders._OWNER).read_text("utf-8") and folders._is_left(folder)
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.6])
async def test_a_killed_analysis_is_taken_up_again(real: RealWorld, tmp_path: Path, after_s: float) -> None:
    sha = await with_a_past(real, tmp_path)
    await real.until(lambda: any(moment.type == "JobStarted" for moment in real.story(sha)))
    await asyncio.sleep(after_s)
    killed = real.process_id
    await real.kill()
    await real.start()
    await real.settle()
    assert real.state(sha) == "COMPLETED"
    assert real.ask("SELECT sha FROM analyses") == [(sha,)]
    assert left_in_memory(killed) == []
    assert "shipmate / analysis: success" in real.checks(sha)
