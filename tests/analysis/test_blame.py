"""Blame of a whole tree gives exactly what `git blame` gives, whatever the history went through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.jobs.analysis.blame import treewalk
from bot.jobs.analysis.repositories import git as private_git
from tests.analysis.histories import (
    BEN,
    EXECUTABLE,
    FILE,
    LINK,
    SUBMODULE,
    Fuzzer,
    History,
    blamed_by_git,
    git,
)
from tests.analysis.running import cold_state, owners

SONG = b"".join(b"line %d\n" % number for number in range(30))


def same_as_git(history: History) -> bool:
    """Whether all files' owners are git's."""
    repository = history.write()
    told = blamed_by_git(repository)
    assert told, "a history without files proves nothing"
    assert owners(cold_state(repository)) == told
    return True


def test_a_line_belongs_to_the_commit_that_wrote_it(history: History) -> None:
    history.commit({"a.txt": b"one\ntwo\nthree\n"})
    history.commit({"a.txt": b"one\n2\nthree\nfour\n"}, author=BEN)
    assert same_as_git(history)


def test_a_merge_leaves_each_side_its_lines(history: History) -> None:
    root = history.commit({"a.txt": SONG})
    left = history.commit({"a.txt": b"left\n" + SONG}, [root])
    right = history.commit({"a.txt": SONG + b"right\n"}, [root], author=BEN)
    history.commit({"a.txt": b"left\n" + SONG + b"right\n"}, [left, right])
    assert same_as_git(history)


def test_a_merge_that_changes_more_owns_what_it_added(history: History) -> None:
    root = history.commit({"a.txt": SONG})
    left = history.commit({"a.txt": b"left\n" + SONG}, [root])
    right = history.commit({"a.txt": SONG + b"right\n"}, [root], author=BEN)
    history.commit({"a.txt": b"left\nevil\n" + SONG + b"right\n"}, [left, right])
    assert same_as_git(history)


def test_criss_cross_merges_are_followed(history: History) -> None:
    root = history.commit({"a.txt": SONG})
    left = history.commit({"a.txt": b"left\n" + SONG}, [root])
    right = history.commit({"a.txt": SONG + b"right\n"}, [root], author=BEN)
    both = b"left\n" + SONG + b"right\n"
    one = history.commit({"a.txt": both}, [left, right])
    two = history.commit({"a.txt": both}, [right, left], author=BEN)
    history.commit({"a.txt": both + b"end\n"}, [one, two])
    assert same_as_git(history)


def test_an_octopus_is_followed_into_every_arm(history: History) -> None:
    root = history.commit({"a.txt": SONG, "b.txt": b"b\n", "c.txt": b"c\n"})
    arms = [history.commit({name: SONG + name.encode()}, [root], author=BEN) for name in ("a.txt", "b.txt", "c.txt")]
    taken = {name: SONG + name.encode() for name in ("a.txt", "b.txt", "c.txt")}
    history.commit(taken, [root, *arms])
    assert same_as_git(history)


def test_a_rename_with_edits_keeps_the_old_lines(history: History) -> None:
    history.commit({"old.txt": SONG})
    history.commit({"old.txt": None, "new/name.txt": SONG.replace(b"line 3\n", b"LINE 3\n")}, author=BEN)
    assert same_as_git(history)


def test_of_two_likely_sources_the_one_git_takes_is_taken(history: History) -> None:
    history.commit({"x/same.txt": SONG, "other.txt": SONG + b"more\n", "y/same.txt": SONG.upper()})
    history.commit({"x/same.txt": None, "other.txt": None, "z/same.txt": SONG + b"more\nand\n"}, author=BEN)
    assert same_as_git(history)


@pytest.mark.parametrize("kind", [SUBMODULE, LINK])
def test_what_can_be_no_source_takes_its_place_among_the_likely_ones(history: History, kind: bytes) -> None:
    other = (kind, b"1" * 40)
    history.commit({"a": other, "b": b"", "n": SONG, "p": SONG, "q": b"other\n" + SONG[8:]})
    history.commit({"q": SONG}, author=BEN)
    history.commit({"a": None, "b": None, "n": None, "p": None, "q": None, "z": SONG + b"end\n"})
    assert same_as_git(history)
    assert owners(cold_state(history.path))[b"z"][git(history.path, "rev-parse", "c1").strip()]


def test_a_renamed_and_recreated_file_has_two_histories(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": None, "b.txt": SONG})
    history.commit({"a.txt": SONG.upper()}, author=BEN)
    history.commit({"a.txt": SONG.upper() + b"tail\n", "b.txt": b"head\n" + SONG})
    assert same_as_git(history)


def test_a_rename_on_a_merged_branch_is_found(history: History) -> None:
    root = history.commit({"a.txt": SONG, "z.txt": b"z\n"})
    left = history.commit({"z.txt": b"Z\n"}, [root])
    right = history.commit({"a.txt": None, "b.txt": SONG + b"tail\n"}, [root], author=BEN)
    history.commit({"a.txt": None, "b.txt": b"head\n" + SONG + b"tail\n"}, [left, right])
    assert same_as_git(history)


def test_a_type_change_counts_as_absent(history: History) -> None:
    history.commit({"a.txt": SONG, "b.txt": (LINK, b"a.txt")})
    history.commit({"a.txt": (LINK, b"b.txt"), "b.txt": SONG}, author=BEN)
    history.commit({"a.txt": SONG, "b.txt": SONG + b"end\n"})
    assert same_as_git(history)


def test_a_change_of_mode_alone_changes_no_owner(history: History) -> None:
    history.commit({"run.sh": SONG})
    history.commit({"run.sh": (EXECUTABLE, SONG)}, author=BEN)
    history.commit({"run.sh": (EXECUTABLE, SONG + b"end\n")})
    assert same_as_git(history)


def test_changed_line_ends_are_changed_lines(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": SONG.replace(b"\n", b"\r\n")}, author=BEN)
    history.commit({"a.txt": SONG.replace(b"\n", b"\r\n").replace(b"line 7\r\n", b"line 7\n")})
    assert same_as_git(history)


def test_a_file_that_was_binary_in_between_is_followed_through_it(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": b"\0" + SONG}, author=BEN)
    history.commit({"a.txt": SONG + b"text again\n"})
    assert same_as_git(history)


def test_reverted_lines_belong_to_the_revert(history: History) -> None:
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": b"gone\n"}, author=BEN)
    history.commit({"a.txt": SONG})
    assert same_as_git(history)


def test_empty_files_own_nothing_and_break_nothing(history: History) -> None:
    history.commit({"empty.txt": b"", "filled.txt": b""})
    history.commit({"filled.txt": b"now\n", "emptied.txt": b"x\n"}, author=BEN)
    history.commit({"emptied.txt": b""})
    assert same_as_git(history)


def test_a_file_without_a_last_line_end_has_its_last_line(history: History) -> None:
    history.commit({"a.txt": b"one\ntwo"})
    history.commit({"a.txt": b"one\ntwo\nthree"}, author=BEN)
    assert same_as_git(history)


ODD_NAMES = [
    *(b"with space", b"tab\there", b"new\nline", b'quo"te', b"back\\slash", b"-dash", b":(glob)*", b"[a-z]*"),
    *("é/ü.py".encode(), b"not\xffutf8", b"diff --git a", b"@@ -1 +1 @@"),
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names_like_any_other(history: History, name: bytes) -> None:
    history.commit({name: SONG})
    history.commit({name: SONG + b"more\n"}, author=BEN)
    history.commit({name: None, name + b"2": b"head\n" + SONG + b"more\n"})
    assert same_as_git(history)


def test_lines_that_look_like_a_patch_are_content(history: History) -> None:
    history.commit({"a.diff": b"@@ -1,2 +3,4 @@\ndiff --git a/00000001 b/00000001\n--- a\n+++ b\n"})
    history.commit({"a.diff": b"@@ -1,2 +3,4 @@\n@@ -9 +9 @@\ndiff --git a/7 b/7\n--- a\n+++ b\n"}, author=BEN)
    assert same_as_git(history)


def test_orphan_branches_may_be_joined(history: History) -> None:
    one = history.commit({"a.txt": SONG})
    two = history.commit({"b.txt": SONG.upper()}, [], author=BEN)
    history.commit({"b.txt": SONG.upper(), "c.txt": b"c\n"}, [one, two])
    assert same_as_git(history)


def test_a_submodule_and_a_link_are_no_files(history: History) -> None:
    history.commit({"sub": (SUBMODULE, b"1" * 40), "link": (LINK, b"a.txt"), "a.txt": (FILE, SONG)})
    repository = history.write()
    assert list(owners(cold_state(repository))) == [b"a.txt"]


def test_a_folder_may_become_a_file_and_back(history: History) -> None:
    history.commit({"a/b.txt": SONG})
    history.commit({"a/b.txt": None, "a": SONG + b"flat\n"}, author=BEN)
    history.commit({"a": None, "a/b.txt": SONG + b"flat\ndeep\n"})
    assert same_as_git(history)


def test_a_sha256_repository_is_read_like_any_other(history: History) -> None:
    history.object_format = "sha256"
    history.commit({"a.txt": SONG, "b.txt": b""})
    history.commit({"a.txt": None, "c.txt": SONG + b"end\n"}, author=BEN)
    assert same_as_git(history)


def test_one_name_may_be_a_submodule_a_file_a_folder_and_a_link_in_turn(history: History) -> None:
    history.commit({"a": (SUBMODULE, b"1" * 40), "b.txt": SONG})
    history.commit({"a": SONG + b"one\n"}, author=BEN)
    history.commit({"a": None, "a/in.txt": SONG + b"one\ntwo\n"})
    history.commit({"a/in.txt": None, "a": (LINK, b"b.txt")}, author=BEN)
    history.commit({"a": SONG + b"three\n", "b.txt": (SUBMODULE, b"2" * 40)})
    assert same_as_git(history)


@pytest.mark.parametrize(
    "written",
    [
        lambda lines: b"\r".join(lines),
        lambda lines: b"\n".join(lines).decode().encode("utf-16"),
        lambda lines: b"\n".join([*lines[:9], b"\0", *lines[9:]]),
        lambda lines: b"\n".join(line * 2_000 for line in lines),
    ],
    ids=["cr-only", "utf-16", "a-nul-in-the-middle", "lines-of-ten-thousand-columns"],
)
def test_content_of_any_kind_is_followed_on_its_way_in_and_out(
    history: History, written: Callable[[list[bytes]], bytes]
) -> None:
    lines = SONG.splitlines()
    history.commit({"a.txt": SONG})
    history.commit({"a.txt": written(lines)}, author=BEN)
    history.commit({"a.txt": written([b"first", *lines])})
    history.commit({"a.txt": SONG + b"last"}, author=BEN)
    history.commit({"a.txt": b"first\n" + SONG + b"last\n"})
    assert same_as_git(history)


def test_a_rename_edited_on_both_sides_of_a_merge_is_followed_into_both(history: History) -> None:
    root = history.commit({"old.txt": SONG})
    left = history.commit({"old.txt": None, "new.txt": b"left\n" + SONG}, [root])
    right = history.commit({"old.txt": SONG + b"right\n"}, [root], author=BEN)
    other = history.commit({"old.txt": None, "other.txt": SONG + b"other\n"}, [root], author=BEN)
    merged = history.commit({"new.txt": b"left\n" + SONG + b"right\n"}, [left, right])
    history.commit({"new.txt": b"left\nevil\n" + SONG + b"right\nother\n"}, [merged, other, right])
    assert same_as_git(history)


def test_children_dated_before_their_parents_are_still_their_children(history: History) -> None:
    root = history.commit({"a.txt": SONG}, time=1_600_000_000)
    left = history.commit({"a.txt": b"left\n" + SONG}, [root], time=1_000)
    right = history.commit({"a.txt": SONG + b"right\n"}, [root], author=BEN, time=1_700_000_000)
    both = history.commit({"a.txt": b"left\n" + SONG + b"right\n"}, [right, left], time=2_000)
    history.commit({"a.txt": SONG + b"right\nend\n"}, [both], author=BEN, time=500)
    assert same_as_git(history)


@pytest.mark.parametrize("seed", range(60))
def test_random_histories_agree_with_git(history: History, seed: int) -> None:
    Fuzzer(seed).fill(history, 60)
    repository = history.write()
    assert owners(cold_state(repository)) == blamed_by_git(repository)


def test_git_is_asked_about_merges_a_few_at_a_time(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treewalk, "COMMITS_AT_ONCE", 2)
    Fuzzer(77).fill(history, 60)
    assert same_as_git(history)


@pytest.mark.parametrize("size", [1, 7, 61])
def test_what_git_says_may_come_in_pieces_of_any_size(
    history: History, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_git, "READ_BYTES", size)
    Fuzzer(78).fill(history, 25)
    assert same_as_git(history)
