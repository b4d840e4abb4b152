"""Where a new path came from, among what its commit removed: the same content first, told apart as git does."""

from __future__ import annotations

from bot.jobs.analysis.blame.deletions import Deletions
from bot.jobs.analysis.blame.treewalk import Change

FILE, PROGRAM, LINK = b"100644", b"100755", b"120000"


def removed(*entries: tuple[bytes, bytes, bytes]) -> Deletions:
    return Deletions([Change(mode, b"000000", blob, b"0", b"D", path) for mode, blob, path in entries])


def test_the_first_with_the_same_content_is_taken_and_the_same_base_name_before_it() -> None:
    deleted = removed((FILE, b"1", b"old/a.py"), (FILE, b"1", b"old/b.py"), (FILE, b"1", b"older/b.py"))
    for path, source in {b"new/c.py": b"old/a.py", b"new/b.py": b"old/b.py", b"b.py": b"old/b.py"}.items():
        found = deleted.same(FILE, b"1", path)
        assert found is not None
        assert found.path == source


def test_permissions_do_not_matter_but_a_link_is_no_file() -> None:
    deleted = removed((LINK, b"1", b"link"), (PROGRAM, b"1", b"tool"))
    assert [deleted.same(mode, b"1", b"x") for mode in (FILE, LINK, b"160000")] == [
        (PROGRAM, b"1", b"tool"),
        (LINK, b"1", b"link"),
        None,
    ]
    assert deleted.same(FILE, b"2", b"tool") is None
    assert [source.path for source in deleted.sources] == [b"link", b"tool"]
    assert deleted.has_files
    assert not removed((LINK, b"1", b"link")).has_files


def test_what_is_not_removed_is_no_source() -> None:
    assert Deletions([Change(FILE, FILE, b"1", b"2", b"M", b"a")]).same(FILE, b"1", b"b") is None
