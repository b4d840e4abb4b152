"""An update gives exactly what a whole walk gives, and keeps its promises about states."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bot.jobs.analysis.blame import renames
from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.blame.oracle import Oracle
from bot.jobs.analysis.runs import incremental
from bot.jobs.analysis.runs.recent import Recent
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.statefile import load, save
from tests.analysis.histories import BEN, Fuzzer, History, blamed_by_git, git
from tests.analysis.running import analysed, cold_state, owners, series, timeless, updated

COMMANDS = {"rev-parse", "config", "merge-base", "rev-list", "log", "diff-tree", "cat-file", "ls-tree", "blame"}
SONG = b"".join(b"line %d\n" % number for number in range(30))


@pytest.mark.parametrize("seed", range(100, 125))
def test_random_updates_agree_with_a_whole_walk(history: History, seed: int) -> None:
    Fuzzer(seed).fill(history, 60)
    repository = history.write()
    older = git(repository, "rev-list", "HEAD").decode().split()[1:]
    whole = cold_state(repository)
    assert owners(whole) == blamed_by_git(repository)
    for start in random.Random(seed).sample(older, min(2, len(older))):
        state = updated(cold_state(repository, start), repository)
        assert owners(state) == owners(whole)
        assert series(state) == series(whole)
        assert state.files == whole.files


@pytest.mark.parametrize("seed", range(130, 138))
def test_commit_by_commit_agrees_with_a_whole_walk(history: History, seed: int) -> None:
    Fuzzer(seed).fill(history, 40)
    repository = history.write()
    path = git(repository, "rev-list", "--first-parent", "HEAD").decode().split()[:12]
    state = cold_state(repository, path.pop())
    while path:
        state = updated(state, repository, path.pop())
    assert owners(state) == blamed_by_git(repository)
    assert series(state) == series(cold_state(repository))


def test_a_change_and_its_revert_take_no_lines_from_before(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": b"gone\n"}, author=BEN)
    history.commit({"a.txt": SONG})
    repository = history.write()
    assert owners(updated(cold_state(repository, "c0"), repository)) == blamed_by_git(repository)


def test_a_branch_from_before_the_last_run_is_joined_exactly(history: History) -> None:
    root = history.commit({"a.txt": SONG, "b.txt": SONG.upper()})
    branch = history.commit({"a.txt": SONG + b"branch\n"}, [root], author=BEN)
    main = history.commit({"a.txt": b"main\n" + SONG, "b.txt": b"B\n"}, [root])
    history.commit({"a.txt": b"main\n" + SONG + b"branch\n"}, [main, branch])
    repository = history.write()
    assert owners(updated(cold_state(repository, "c2"), repository)) == blamed_by_git(repository)


def test_branches_that_began_long_ago_are_joined_without_asking_git_about_the_past(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit({"a.txt": SONG, "b.txt": SONG.upper(), "c.txt": SONG})
    history.commit({"c.txt": None, "d.txt": SONG}, author=BEN)
    fork = history.commit({"a.txt": SONG + b"end\n"}, author=BEN)
    main = history.commit({"a.txt": b"main\n" + SONG + b"end\n", "b.txt": b"B\n"})
    branch = history.commit({"a.txt": SONG + b"end\nbranch\n", "d.txt": b"d\n" + SONG}, [fork], author=BEN)
    merge = history.commit({"a.txt": b"main\n" + SONG + b"end\nbranch\n", "d.txt": b"d\n" + SONG}, [main, branch])
    later = history.commit({"a.txt": SONG + b"end\nbranch\nlater\n"}, [branch], author=BEN)
    history.commit({"a.txt": b"main\n" + SONG + b"end\nbranch\nlater\n"}, [merge, later])
    repository = history.write()
    monkeypatch.setattr(Oracle, "blame", None)
    state = cold_state(repository, f"c{main}")
    for commit in (merge, later + 1):
        state = updated(state, repository, f"c{commit}")
    assert owners(state) == blamed_by_git(repository)


def test_git_is_asked_once_about_a_version_that_no_tree_came_from(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = history.commit({"a.txt": SONG, "b.txt": b"b\n"})
    main = history.commit({"a.txt": None})
    for number in range(3):
        branch = history.commit({"a.txt": SONG + b"%d\n" % number}, [old], author=BEN)
        main = history.commit({"a.txt": SONG + b"%d\n" % number}, [main, branch])
    repository = history.write()
    asked = []

    def ask(oracle: Oracle, path: bytes, commit: bytes | None = None) -> Lines:
        asked.append(path)
        return oracle.lines(oracle.ask(path, commit))

    monkeypatch.setattr(Oracle, "blame", ask)
    state = cold_state(repository, "c1")
    for commit in (3, 5, 7):
        state = updated(state, repository, f"c{commit}")
        assert owners(state) == blamed_by_git(repository, f"c{commit}")
    assert asked == [b"a.txt"]


def test_a_file_that_came_over_an_octopus_is_followed_from_a_later_branch(history: History) -> None:
    root = history.commit({"a.txt": SONG, "b.txt": b"b\n"})
    arms = [history.commit({name: SONG + b"arm\n"}, [root], author=BEN) for name in ("a.txt", "b.txt")]
    joined = history.commit(dict.fromkeys(("a.txt", "b.txt"), SONG + b"arm\n"), [root, *arms])
    main = history.commit({"a.txt": b"main\n" + SONG}, [joined])
    branch = history.commit({"a.txt": SONG + b"arm\nbranch\n"}, [joined], author=BEN)
    history.commit({"a.txt": b"main\n" + SONG + b"branch\n"}, [main, branch])
    repository = history.write()
    assert owners(updated(cold_state(repository, f"c{main}"), repository)) == blamed_by_git(repository)


def test_a_file_renamed_whole_in_between_is_known_on_a_branch_from_before_and_after(history: History) -> None:
    root = history.commit({"a.txt": SONG, "z.txt": b"z\n"})
    moved = history.commit({"a.txt": None, "b.txt": SONG}, author=BEN)
    main = history.commit({"b.txt": b"main\n" + SONG})
    early = history.commit({"a.txt": SONG + b"early\n"}, [root])
    late = history.commit({"b.txt": SONG + b"late\n"}, [moved], author=BEN)
    both = history.commit({"b.txt": b"main\n" + SONG + b"late\n"}, [main, late])
    history.commit({"b.txt": b"main\n" + SONG + b"early\nlate\n"}, [both, early])
    repository = history.write()
    assert owners(updated(cold_state(repository, f"c{main}"), repository)) == blamed_by_git(repository)


def test_a_run_after_renames_were_left_out_is_not_called_exact(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renames, "MAX_SOURCES", 1)
    history.commit({"a.txt": SONG, "b.txt": SONG.upper()})
    history.commit({"a.txt": None, "b.txt": None, "c.txt": SONG + b"end\n"})
    repository = history.write()
    states = States(tmp_path / "states")
    for commit, exact in (("c0", True), ("c1", False)):
        git(repository, "update-ref", "refs/heads/live", commit)
        assert analysed(repository, states, ref="live", oracle_files=0).exact is exact


def test_what_was_wanted_longest_ago_is_let_go_of_first() -> None:
    recent = Recent(capacity=8)
    for node in (1, 2):
        recent.put(node, b"four")
    assert recent.get(1) == b"four"
    recent.put(3, b"four")
    assert [node for node in (1, 2, 3) if node in recent] == [1, 3]


def test_lines_that_went_from_memory_are_computed_again(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recent, "put", lambda *_: None)
    Fuzzer(140).fill(history, 50)
    repository = history.write()
    path = git(repository, "rev-list", "--first-parent", "HEAD").decode().split()[:8]
    state = cold_state(repository, path.pop())
    while path:
        state = updated(state, repository, path.pop())
    assert owners(state) == blamed_by_git(repository)


def test_a_file_that_was_binary_at_the_last_run_is_blamed_when_it_is_text(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": b"\0" + SONG})
    history.commit({"a.txt": SONG + b"text again\n"}, author=BEN)
    repository = history.write()
    assert owners(updated(cold_state(repository, "c1"), repository)) == blamed_by_git(repository)


def test_a_state_survives_the_disk(history: History, tmp_path: Path) -> None:
    Fuzzer(7).fill(history, 40)
    repository = history.write()
    start = git(repository, "rev-list", "HEAD").decode().split()[5]
    save(cold_state(repository, start), tmp_path / "kept.state")
    loaded = load(tmp_path / "kept.state")
    assert loaded is not None
    assert owners(updated(loaded, repository)) == blamed_by_git(repository)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"shipmate-analysis 0 x\nabc"])
def test_a_damaged_state_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kept.state").write_bytes(content)
    assert load(tmp_path / "kept.state") is None


def test_a_state_that_was_cut_short_is_as_good_as_none(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    file = tmp_path / "kept.state"
    save(cold_state(history.write()), file)
    whole = file.read_bytes()
    for end in (1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:end])
        assert load(file) is None


def test_a_state_that_no_disk_takes_stays_in_memory(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    state, states = cold_state(history.write()), States(tmp_path / "states")
    states.put("one", state)
    (file,) = (tmp_path / "states").iterdir()
    file.unlink()
    file.with_suffix(".new").symlink_to("/dev/full")
    states.put("one", state)
    assert states.take("one") is not None
    assert list((tmp_path / "states").iterdir()) == []


def test_a_second_run_reports_the_same_as_a_first(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": SONG, "b.txt": b"b\n"})
    history.commit({"a.py": None, "c.py": SONG + b"end\n"}, author=BEN)
    repository = history.write()
    states = States(tmp_path / "states")
    git(repository, "update-ref", "refs/heads/live", "c0")
    analysed(repository, states, ref="live")
    git(repository, "update-ref", "refs/heads/live", "c1")
    again = analysed(repository, states, ref="live")
    assert timeless(again) == timeless(analysed(repository, ref="live"))


def test_after_a_force_push_nothing_old_is_left(history: History, tmp_path: Path) -> None:
    root = history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"dropped\n"}, [root], author=BEN)
    history.commit({"a.txt": b"kept\n" + SONG}, [root])
    repository = history.write()
    states = States(tmp_path / "states")
    for commit in ("c1", "c2"):
        git(repository, "update-ref", "refs/heads/live", commit)
        report = analysed(repository, states, ref="live")
    assert [entry.author.name for entry in report.authors] == ["Ann"]
    assert timeless(report) == timeless(analysed(repository, ref="live"))


def test_a_kept_commit_that_a_force_push_left_to_be_removed_is_no_hindrance(history: History, tmp_path: Path) -> None:
    root = history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG + b"dropped\n"}, [root], author=BEN)
    history.commit({"a.txt": b"kept\n" + SONG}, [root])
    repository = history.write()
    states = States(tmp_path / "states")
    analysed(repository, states, ref="c1")
    git(repository, "update-ref", "refs/heads/c1", "c2")
    git(repository, "-c", "gc.reflogExpire=now", "gc", "--quiet", "--prune=now")
    assert timeless(analysed(repository, states, ref="c1")) == timeless(analysed(repository, ref="c1"))


@pytest.mark.parametrize("target", ["c5", "c2", "c7"])
def test_more_new_commits_than_are_held_are_followed_or_walked_anew(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    for number in range(6):
        history.commit({"a.txt": SONG + b"%d\n" % number, f"{number}.txt": SONG})
    history.commit({"a.txt": b"another\n"}, [1], author=BEN)
    history.commit({"a.txt": b"another line\n"}, author=BEN)
    repository = history.write()
    states = States(tmp_path / "states")
    monkeypatch.setattr(incremental, "FEW_COMMITS", 2)
    git(repository, "update-ref", "refs/heads/live", "c3")
    analysed(repository, states, ref="live")
    git(repository, "update-ref", "refs/heads/live", target)
    assert timeless(analysed(repository, states, ref="live")) == timeless(analysed(repository, ref="live"))


def test_many_new_commits_whose_clocks_ran_late_are_followed(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit({"a.txt": SONG}, time=2_000_000_000)
    for number in range(12):
        history.commit({"a.txt": SONG + b"%d\n" % number}, time=1_000_000_000 + number)
    repository = history.write()
    monkeypatch.setattr(incremental, "FEW_COMMITS", 3)
    assert owners(updated(cold_state(repository, "c0"), repository)) == blamed_by_git(repository)


def test_a_push_costs_few_git_processes(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit({"a.py": SONG, "b.txt": b"b\n"})
    history.commit({"a.py": SONG + b"end\n"})
    repository = history.write()
    states, asked = States(tmp_path / "states"), []
    start = subprocess.Popen.__init__

    def count(process: Any, args: Any, **others: Any) -> None:
        asked.append([word for word in args if isinstance(word, str)])
        start(process, args, **others)

    for commit in ("c0", "c1"):
        git(repository, "update-ref", "refs/heads/live", commit)
        monkeypatch.setattr(subprocess.Popen, "__init__", count)
        asked.clear()
        analysed(repository, states, ref="live", oracle_files=0)
        monkeypatch.undo()
    commands = [next(word for word in args if word in COMMANDS) for args in asked]
    assert sorted(commands) == ["diff-tree", "diff-tree", "log", "rev-parse"]


def test_what_is_kept_of_a_repository_is_no_use_for_another_in_its_place(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    states = States(tmp_path / "states")
    analysed(history.write(), states)
    shutil.rmtree(history.path)
    other = History(history.path)
    other.commit({"b.txt": SONG}, author=BEN)
    report = analysed(other.write(), states)
    assert [entry.author.name for entry in report.authors] == ["Ben"]


def test_what_a_killed_process_was_writing_is_removed_later(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    state, folder = cold_state(history.write()), tmp_path / "states"
    folder.mkdir()
    for name, age_s in (("long-ago.new", 2 * 3600), ("just-now.new", 0)):
        (folder / name).write_bytes(b"half a state")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    States(folder).put("one", state)
    assert [file.name for file in folder.glob("*.new")] == ["just-now.new"]


def test_a_changed_mailmap_counts_at_once(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG}, author=BEN)
    history.commit({".mailmap": b"Benjamin <benjamin@example.org> <ben@example.org>\n"})
    repository = history.write()
    states = States(tmp_path / "states")
    for commit in ("c0", "c1"):
        git(repository, "update-ref", "refs/heads/live", commit)
        report = analysed(repository, states, ref="live")
    assert "Benjamin <benjamin@example.org>" in [str(entry.author) for entry in report.authors]


def test_co_authors_of_a_push_are_added_and_a_changed_mailmap_counts_for_all(history: History, tmp_path: Path) -> None:
    pair = b"pair\n\nCo-authored-by: Ben <ben@example.org>\nCo-authored-by: B <b@example.org>\n"
    history.commit({"a.txt": SONG}, message=pair)
    history.commit({"b.txt": SONG}, message=b"alone \1 and more\n")
    history.commit({"c.txt": SONG}, message=pair)
    history.commit({".mailmap": b"Ben <ben@example.org> <b@example.org>\n"})
    repository = history.write()
    states, told = States(tmp_path / "states"), []
    for commit in range(4):
        git(repository, "update-ref", "refs/heads/live", f"c{commit}")
        found = analysed(repository, states, ref="live", co_authors=True).co_authors or ()
        told.append({str(entry.author): entry.commits for entry in found})
    ben, other = "Ben <ben@example.org>", "B <b@example.org>"
    assert told == [{ben: 1, other: 1}, {ben: 1, other: 1}, {ben: 2, other: 2}, {ben: 2}]


def test_states_leave_the_disk_when_there_are_too_many(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    state = cold_state(history.write())
    states = States(tmp_path / "states", in_memory=1, disk_bytes=1)
    for name in ("one", "two"):
        states.put(name, state)
    assert states.take("one") is None
    assert states.take("two") is not None
