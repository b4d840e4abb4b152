"""An update gives exactly what a whole walk gives, and keeps its promises about states."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.statefile import load, save
from tests.analysis.histories import BEN, Fuzzer, History, blamed_by_git, git
from tests.analysis.running import analysed, cold_state, owners, series, timeless, updated

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


def test_a_changed_mailmap_counts_at_once(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG}, author=BEN)
    history.commit({".mailmap": b"Benjamin <benjamin@example.org> <ben@example.org>\n"})
    repository = history.write()
    states = States(tmp_path / "states")
    for commit in ("c0", "c1"):
        git(repository, "update-ref", "refs/heads/live", commit)
        report = analysed(repository, states, ref="live")
    assert "Benjamin <benjamin@example.org>" in [str(entry.author) for entry in report.authors]


def test_states_leave_the_disk_when_there_are_too_many(history: History, tmp_path: Path) -> None:
    history.commit({"a.txt": SONG})
    state = cold_state(history.write())
    states = States(tmp_path / "states", in_memory=1, disk_bytes=1)
    for name in ("one", "two"):
        states.put(name, state)
    assert states.take("one") is None
    assert states.take("two") is not None
