"""What git tells of pairs is read as it comes, wherever it was cut, and nothing in a file can pass for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.jobs.analysis.blame.differ import COUNTS, PATCHES

PATCH = b"""\
0000000000000000000000000000000000000000 1111111111111111111111111111111111111111
diff --git a/00000000 b/00000000
index 01..02 100644
--- a/00000000
+++ b/00000000
@@ -3 +3,2 @@ def function():
-@@ -9 +9 @@
+diff --git a/00000007 b/00000007
+end of answer
@@ -10,0 +12 @@
+%s
diff --git a/00000004 b/00000004
index 03..04 100644
Binary files a/00000004 and b/00000004 differ
end of answer
diff --git a/00000001 b/00000001
@@ -1,4 +0,0 @@
-gone
end of answer
""" % (b"@@ -7 +7 @@" * 900)
TOLD = [(0, [2, 1, 2, 2, 10, 0, 11, 1]), (4, []), None, (1, [0, 4, 0, 0]), None]


def cut(whole: bytes, size: int) -> Iterator[bytes]:
    return (whole[at : at + size] for at in range(0, len(whole), size))


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 100_000])
def test_patches_read_the_same_wherever_they_are_cut(size: int) -> None:
    assert list(PATCHES.read(cut(PATCH, size))) == TOLD


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_counts_read_the_same_wherever_they_are_cut(size: int) -> None:
    told = b"00 11\n12\t0\t00000000\n0\t3\t00000002\n-\t-\t00000003\n0\t0\t00000005\nend of answer\nend of answer\n"
    assert list(COUNTS.read(cut(told, size))) == [(0, [0, 0, 0, 12]), (2, [0, 3, 0, 0]), (3, []), (5, []), None, None]
