"""An analysis tells how far it is, stops when it is told to, proves itself, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bot.jobs.analysis.blame import lineage
from bot.jobs.analysis.blame.oracle import Answer, Oracle
from bot.jobs.analysis.blame.treewalk import Change
from bot.jobs.analysis.progress import Progress, Stage
from bot.jobs.analysis.reports.report import Proof
from bot.jobs.analysis.repositories.addresses import check_address
from bot.jobs.analysis.repositories.children import Cancelled, Children
from bot.jobs.analysis.repositories.clones import Clones
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs import proof
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.run import analyse_here
from bot.jobs.analysis.runs.threads import analyse
from tests.analysis.histories import BEN, Fuzzer, History, git
from tests.analysis.running import analysed, ignore, timeless

SONG = b"".join(b"line %d\n" % number for number in range(30))


def request(repository: Path) -> AnalysisRequest:
    """A plain request."""
    return AnalysisRequest(repository, all_files=True, frameworks=False, jobs=2)


async def test_analysing_in_a_task_gives_the_same_report(history: History) -> None:
    Fuzzer(1).fill(history, 30)
    repository = history.write()
    assert timeless(await analyse(request(repository), ignore)) == timeless(analysed(repository))


def test_progress_counts_pairs_and_files_up_to_all_of_them(history: History) -> None:
    Fuzzer(2).fill(history, 40)
    told: list[Progress] = []
    analyse_here(request(history.write()), told.append)
    assert list(dict.fromkeys(progress.stage for progress in told)) == [
        *(Stage.WALKING, Stage.DIFFING, Stage.BLAMING, Stage.REPORTING)
    ]
    assert told[-1].pairs_done >= told[-1].pairs > 0
    assert told[-1].files_done == told[-1].files > 0


@pytest.mark.parametrize("stage", [Stage.WALKING, Stage.DIFFING, Stage.BLAMING])
async def test_cancelling_stops_git_and_leaves_nothing(
    history: History, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)  # no tmpfs: the private directory is made where we look
    Fuzzer(3).fill(history, 40)
    repository = history.write()
    reached, cancelled = threading.Event(), threading.Event()

    def hold(progress: Progress) -> None:
        if progress.stage is stage and not reached.is_set():
            reached.set()
            cancelled.wait(30)

    task = asyncio.create_task(analyse(request(repository), hold))
    await asyncio.to_thread(reached.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("shipmate-*")))


def test_a_stopped_family_of_processes_starts_no_more(tmp_path: Path) -> None:
    children = Children()
    with (tmp_path / "errors").open("wb") as errors:
        sleeper = children.start(["sleep", "60"], {"PATH": "/bin:/usr/bin"}, errors)
        children.cancel()
        assert sleeper.poll() is not None
        with pytest.raises(Cancelled):
            children.start(["true"], {"PATH": "/bin:/usr/bin"}, errors)
    if sleeper.stdout is not None:
        sleeper.stdout.close()


def test_every_run_asks_git_about_some_files(history: History) -> None:
    history.commit({f"f{number}.txt": SONG for number in range(10)})
    assert analysed(history.write(), oracle_files=4).proof == Proof(4)


def test_large_files_are_proven_only_where_there_are_too_few_small_ones(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "SMALL_BYTES", len(SONG) + 1)
    history.commit({"a.txt": SONG, "b.txt": SONG * 9, "c.txt": SONG, "d.txt": SONG * 8, "e.txt": SONG * 7})
    repository, asked = history.write(), []
    blame = Oracle.ask

    def ask(oracle: Oracle, path: bytes, commit: bytes | None = None) -> Answer:
        asked.append(path)
        return blame(oracle, path, commit)

    monkeypatch.setattr(Oracle, "ask", ask)
    assert analysed(repository, oracle_files=2).proof.asked == 2
    assert sorted(asked) == [b"a.txt", b"c.txt"]
    asked.clear()
    assert analysed(repository, oracle_files=4).proof == Proof(4)
    assert sorted(asked[:2]) == [b"a.txt", b"c.txt"]


def test_where_git_differs_git_is_right_and_it_is_told(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"end\n"}, author=BEN)
    repository = history.write()
    right = analysed(repository)

    def forget_parents(self: lineage.LineageWalk, commit: object, change: Change, waiting: int) -> None:
        self._add_node(commit.oid, change, waiting, [])  # type: ignore[attr-defined]

    monkeypatch.setattr(lineage.LineageWalk, "_visit_single", forget_parents)
    report = analysed(repository)
    assert report.proof.differing == ("a.txt",)
    assert [entry.lines for entry in report.authors] == [entry.lines for entry in right.authors] == [30, 1]
    assert report.exact
    assert any("a.txt" in warning for warning in report.warnings)


def test_a_state_git_disagrees_with_is_forgotten(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"end\n"}, author=BEN)
    repository, states = history.write(), States(tmp_path / "states")
    with monkeypatch.context() as wrong:
        wrong.setattr(
            lineage.LineageWalk,
            "_visit_single",
            lambda self, commit, change, waiting: self._add_node(commit.oid, change, waiting, []),
        )
        assert analysed(repository, states).proof.differing
    assert not analysed(repository, states).proof.differing


def test_a_clone_is_kept_and_brought_up_to_date(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"end\n"}, author=BEN)
    repository, clones = history.write(), Clones(tmp_path / "clones")
    address = check_address(f"file://{repository}", allow_local=True)
    seen = []
    for commit in ("c0", "c1"):
        git(repository, "update-ref", "refs/heads/live", commit)
        with clones.fetched(address, "refs/heads/live", Children()) as (clone, ref):
            seen.append((clone, git(clone, "rev-parse", ref)))
    assert seen[0][0] == seen[1][0]
    assert [head for _, head in seen] == [git(repository, "rev-parse", commit) for commit in ("c0", "c1")]


def test_a_damaged_clone_is_made_anew(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    repository, clones = history.write(), Clones(tmp_path / "clones")
    address = check_address(f"file://{repository}", allow_local=True)
    with clones.fetched(address, "HEAD", Children()) as (clone, _):
        (clone / "config").write_text("[core\nrubbish")
    with clones.fetched(address, "HEAD", Children()) as (clone, ref):
        assert git(clone, "rev-parse", ref) == git(repository, "rev-parse", "HEAD")


def test_clones_beyond_the_cap_go_longest_unused_first(tmp_path: Path) -> None:
    clones, kept = Clones(tmp_path / "clones", disk_bytes=1), []
    for number in range(2):
        history = History(tmp_path / f"r{number}.git")
        history.commit({"a.txt": SONG})
        address = check_address(f"file://{history.write()}", allow_local=True)
        with clones.fetched(address, "HEAD", Children()) as (clone, _):
            kept.append(clone)
    assert [clone.exists() for clone in kept] == [False, True]


def test_one_clone_at_a_time_for_each_repository(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    clones = Clones(tmp_path / "clones")
    address = check_address(f"file://{history.write()}", allow_local=True)
    waiting = Children()
    with clones.fetched(address, "HEAD", Children()):
        waiting.cancel()
        with pytest.raises(Cancelled), clones.fetched(address, "HEAD", waiting):
            pass
