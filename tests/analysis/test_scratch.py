"""Made-up trees are there whole for every git that reads them, whoever writes them again meanwhile."""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path

from bot.jobs.analysis.repositories.scratch import Entry, ScratchTrees
from tests.analysis.histories import git

BLOB = b"ce013625030ba8dba906f756967f9e9ca394464a"


def stored(objects: Path, oid: bytes) -> Path:
    return objects / oid[:2].decode() / oid[2:].decode()


def test_git_reads_a_made_up_tree(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")
    trees = ScratchTrees(tmp_path / "objects", sha256=False)
    inner = trees.write([Entry(b"100644", b"a", BLOB)])
    outer = trees.write([Entry(b"40000", b"d", inner), Entry(b"100755", b"e", BLOB)])
    listed = git(tmp_path, "ls-tree", "-r", outer.decode())
    assert listed == b"100644 blob %s\td/a\n100755 blob %s\te\n" % (BLOB, BLOB)


def test_a_tree_that_is_being_read_is_not_touched_when_it_is_made_again(tmp_path: Path) -> None:
    trees = ScratchTrees(tmp_path, sha256=False)
    place = stored(tmp_path, trees.write([Entry(b"100644", b"a", BLOB)]))
    before = place.stat()
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as read_by_git:
        trees.write([Entry(b"100644", b"a", BLOB)])
        assert zlib.decompress(read_by_git[:]).startswith(b"tree 29\x00100644 a\0")
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_but_whole_trees_is_left_behind(tmp_path: Path) -> None:
    trees = ScratchTrees(tmp_path, sha256=False)
    oid = trees.write([Entry(b"100644", b"a", BLOB)])
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [stored(tmp_path, oid)]
