"""Pairs are diffed as the walk finds them, path by path or in the order of the history; the answer is the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.errors import Permanent
from bot.jobs.analysis.blame import batches, locality
from bot.jobs.analysis.blame.batches import Batches
from bot.jobs.analysis.blame.locality import mixes_files
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import open_repository
from tests.analysis.histories import Fuzzer, History, blamed_by_git, git
from tests.analysis.running import MIB, cold_state, owners

LINES = [b"line %d of a text that is long enough to be worth a delta\n" % number for number in range(200)]


def packed(history: History) -> Path:
    repository = history.write()
    git(repository, "repack", "-adfq", "--window=50", "--depth=50")
    return repository


def private(repository: Path) -> Git:
    opened = open_repository(repository)
    return Git(opened.objects, opened.resolve("HEAD"), Children(), max_blob_bytes=MIB)


def blobs_with_bases(repository: Path) -> dict[bytes, bytes]:
    found = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname) %(deltabase)")
    return {name: base for kind, name, base in map(bytes.split, found.splitlines()) if kind == b"blob"}


def pairs_of(blobs: Sequence[bytes], paths: Sequence[bytes]) -> Pairs:
    pairs = Pairs(b"0" * 40)
    for blob, path in zip(blobs, paths, strict=True):
        pairs.number(b"1" * 40, blob, path)
    return pairs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mixed", [False, True])
def test_the_answer_is_git_blames_however_few_pairs_are_begun_with(
    history: History, seed: int, mixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "WINDOW", 5)
    monkeypatch.setattr(batches, "SMALLEST", 2)
    monkeypatch.setattr("bot.jobs.analysis.blame.diffs.WINDOW", 5)
    monkeypatch.setattr("bot.jobs.analysis.blame.diffs.SMALLEST", 2)
    monkeypatch.setattr("bot.jobs.analysis.blame.onepass.TELL_EVERY", 3)
    monkeypatch.setattr(batches, "mixes_files", lambda *_: mixed)
    Fuzzer(900 + seed).fill(history, 60)
    repository = packed(history)
    told = {path: by_commit for path, by_commit in owners(cold_state(repository)).items() if by_commit}
    assert told == {path: by_commit for path, by_commit in blamed_by_git(repository).items() if by_commit}


@pytest.mark.parametrize("mixed", [False, True])
def test_a_pack_that_mixes_files_is_noticed(history: History, mixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locality, "MANY", 0)
    for number in range(30):
        history.commit({"data.txt": b"".join(LINES[: 100 + number])})
    repository = packed(history)
    blobs = sorted(blobs_with_bases(repository))
    paths = [b"path %d" % number if mixed else b"path" for number in range(len(blobs))]
    with private(repository) as opened:
        assert mixes_files(opened, pairs_of(blobs, paths), range(len(blobs))) is mixed


def test_few_pairs_are_handed_out_path_by_path_and_one_sided_ones_last(history: History) -> None:
    history.commit({"a": b"1\n"})
    pairs = pairs_of([b"x" * 40, b"0" * 40, b"y" * 40, b"z" * 40], [b"b", b"c", b"a", b"b"])
    with private(history.write()) as opened:
        queue = Batches(opened, pairs, jobs=2)
        assert queue.take(0, wait=False) is None
        queue.close()
        assert queue.take(0, wait=True) == ([2, 0, 3], False)
        assert queue.take(0, wait=True) == ([1], True)
        assert queue.take(0, wait=True) is None


def test_pairs_found_while_others_are_put_in_order_are_handed_out_too(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "WINDOW", 2)
    history.commit({"a": b"1\n"})

    class Growing(Pairs):
        """Finds two more pairs when it is looked into for the first time, as a walk in another thread does."""

        def is_one_sided(self, number: int) -> bool:
            if len(self) == 2:
                self.number(b"1" * 40, b"y" * 40, b"c")
                self.number(b"1" * 40, b"z" * 40, b"d")
                queue.more()
            return super().is_one_sided(number)

    pairs = Growing(b"0" * 40)
    for blob, path in ((b"w" * 40, b"a"), (b"x" * 40, b"b")):
        pairs.number(b"1" * 40, blob, path)
    with private(history.write()) as opened:
        queue = Batches(opened, pairs, jobs=1)
        queue.more()
        assert queue.take(0, wait=False) == ([0, 1], False)
        queue.close()
        assert queue.take(0, wait=True) == ([2, 3], False)


def test_an_answer_that_is_missing_is_no_answer_of_nothing(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit({"a": b"1\n"})
    history.commit({"a": b"1\n2\n"})
    repository, refill = history.write(), Batches._refill

    def forget(queue: Batches) -> None:
        refill(queue)
        queue._two_sided.clear()

    monkeypatch.setattr(Batches, "_refill", forget)
    with pytest.raises(Permanent, match="git_failed"):
        cold_state(repository)


def test_in_a_pack_that_mixes_files_jobs_come_from_both_ends_of_the_history(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "mixes_files", lambda *_: True)
    monkeypatch.setattr(batches, "SMALLEST", 1)
    monkeypatch.setattr(batches, "BATCHES_OF_A_JOB", 1)
    history.commit({"a": b"1\n"})
    pairs = pairs_of([b"x" * 40, b"0" * 40, b"y" * 40, b"z" * 40, b"u" * 40], [b"b", b"c", b"a", b"b", b"a"])
    with private(history.write()) as opened:
        queue = Batches(opened, pairs, jobs=2)
        queue.close()
        assert queue.take(0, wait=True) == ([0, 2], False)
        assert queue.take(1, wait=True) == ([1], True)
        assert queue.take(1, wait=True) == ([4], False)
        assert queue.take(0, wait=True) == ([3], False)
        assert queue.take(0, wait=True) is None
