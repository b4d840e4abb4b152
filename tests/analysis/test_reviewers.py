"""The owners of the lines a change touches, and who may review it."""

from __future__ import annotations

import pytest

from bot.errors import UserMistake
from bot.jobs.analysis.runs import reviewers
from bot.jobs.analysis.runs.reviewers import LineOwner, owners_of_change
from tests.analysis.histories import BEN, History

SONG = b"".join(b"line %d\n" % number for number in range(30))
CARA = b"Cara <7+cara-c@users.noreply.github.com>"


def named(owners: tuple[LineOwner, ...]) -> list[tuple[str, int, int]]:
    """Name, lines and files of each owner."""
    return [(owner.author.name, owner.lines, owner.files) for owner in owners]


def test_changed_and_removed_lines_are_their_owners(history: History) -> None:
    history.commit({"a.txt": SONG, "b.txt": SONG})
    base = history.commit({"a.txt": SONG + b"ben 1\nben 2\n"}, author=BEN)
    changed = SONG.replace(b"line 3\n", b"LINE 3\n") + b"ben 1\n"
    history.commit({"a.txt": changed, "b.txt": None, "new.txt": b"new\n"}, author=CARA)
    found = owners_of_change(history.write(), f"c{base}", "HEAD")
    assert named(found.owners) == [("Ann", 31, 2), ("Ben", 1, 1)]


def test_an_insertion_touches_the_line_before_it(history: History) -> None:
    base = history.commit({"a.txt": SONG})
    history.commit({"a.txt": b"top\n" + SONG.replace(b"line 9\n", b"line 9\nmore\n")}, author=BEN)
    assert named(owners_of_change(history.write(), f"c{base}", "HEAD").owners) == [("Ann", 1, 1)]


def test_only_what_the_branch_itself_changed_counts(history: History) -> None:
    root = history.commit({"a.txt": SONG, "b.txt": SONG})
    branch = history.commit({"a.txt": SONG.replace(b"line 1\n", b"x\n")}, [root], author=BEN)
    main = history.commit({"b.txt": b"all new\n"}, [root])
    found = owners_of_change(history.write(), f"c{main}", f"c{branch}")
    assert named(found.owners) == [("Ann", 1, 1)]


def test_a_renamed_file_keeps_its_owners(history: History) -> None:
    base = history.commit({"a.txt": SONG})
    history.commit({"a.txt": None, "deep/b.txt": SONG.replace(b"line 5\n", b"five\n")}, author=BEN)
    assert named(owners_of_change(history.write(), f"c{base}", "HEAD").owners) == [("Ann", 1, 1)]


def test_files_that_tools_write_are_not_looked_into_unless_nothing_else_changed(history: History) -> None:
    made = {"package-lock.json": SONG, "api.made": SONG, ".gitattributes": b"*.made linguist-generated\n"}
    history.commit({"a.txt": b"a\n", **made}, author=BEN)
    base = history.commit({"a.txt": SONG})
    tools_only = history.commit({"package-lock.json": b"{}\n"}, author=CARA)
    history.commit({"a.txt": SONG.upper(), "api.made": SONG.upper()}, author=CARA)
    repository = history.write()
    found = owners_of_change(repository, f"c{base}", "HEAD")
    assert (named(found.owners), found.skipped) == ([("Ann", 30, 1)], 2)
    found = owners_of_change(repository, f"c{base}", f"c{tools_only}")
    assert (named(found.owners), found.skipped) == ([("Ben", 30, 1)], 0)


@pytest.mark.parametrize("lines", [1_000, 300_000])
def test_a_change_of_every_other_line_is_told_however_many_there_are(history: History, lines: int) -> None:
    text = [b"%d\n" % number for number in range(lines)]
    history.commit({"a.txt": b"".join(text)})
    text[:100] = (b"ben %d\n" % number for number in range(100))
    base = history.commit({"a.txt": b"".join(text)}, author=BEN)
    text[1::2] = [b"cara\n"] * (lines // 2)
    history.commit({"a.txt": b"".join(text)}, author=CARA)
    found = owners_of_change(history.write(), f"c{base}", "HEAD")
    assert named(found.owners) == [("Ann", lines // 2 - 50, 1), ("Ben", 50, 1)]


def test_a_file_too_large_to_compare_is_skipped_and_told(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewers, "MAX_BLOB_BYTES", len(SONG) + 9)
    base = history.commit({"a.txt": SONG, "b.txt": SONG * 2})
    history.commit({"a.txt": SONG + b"a\n", "b.txt": SONG * 2 + b"b\n"}, author=BEN)
    found = owners_of_change(history.write(), f"c{base}", "HEAD")
    assert (named(found.owners), found.skipped) == ([("Ann", 1, 1)], 1)


def test_who_made_a_change_wrote_its_commits_or_is_named_in_them(history: History) -> None:
    base = history.commit({"a.txt": SONG})
    message = b"change\n\nCo-authored-by: Ben <ben@example.org>\nCo-authored-by: nobody that git can read\n"
    history.commit({"a.txt": b"everything\n"}, author=CARA, message=message)
    found = owners_of_change(history.write(), f"c{base}", "HEAD")
    assert {maker.name for maker in found.makers} == {"Ben", "Cara"}


def test_histories_without_a_common_commit_are_refused(history: History) -> None:
    history.commit({"a.txt": b"1\n"})
    history.commit({"b.txt": b"1\n"}, [])
    with pytest.raises(UserMistake) as caught:
        owners_of_change(history.write(), "c0", "c1")
    assert caught.value.code == "no_common_history"
