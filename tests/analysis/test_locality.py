"""Pairs are diffed chain by chain, and the order of the work changes nothing in the answer."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bot.jobs.analysis.blame import locality
from bot.jobs.analysis.blame.locality import ordered
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


@pytest.mark.parametrize("seed", range(4))
def test_the_answer_is_git_blames_in_whatever_order(
    history: History, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locality, "MANY", 0)
    Fuzzer(900 + seed).fill(history, 60)
    repository = packed(history)
    told = {path: by_commit for path, by_commit in owners(cold_state(repository)).items() if by_commit}
    assert told == {path: by_commit for path, by_commit in blamed_by_git(repository).items() if by_commit}


def test_blobs_of_one_chain_stand_together(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locality, "MANY", 0)
    for number in range(12):
        text = b"".join(LINES[: 100 + number])
        history.commit(
            {"one/data.txt": b"1\n" + text, "two/data.txt": b"2\n" + text, f"other{number}": b"%d\n" % number}
        )
    repository = packed(history)
    found = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname) %(deltabase)")
    bases = {name: base for kind, name, base in map(bytes.split, found.splitlines()) if kind == b"blob"}
    blobs = sorted(bases)
    paths = [b"path %d" % (number % 3) for number in range(len(blobs))]

    def root(blob: bytes) -> bytes:
        while bases.get(blob, b"0").strip(b"0"):
            blob = bases[blob]
        return blob

    opened = open_repository(repository)
    with Git(opened.objects, opened.resolve("HEAD"), Children(), max_blob_bytes=MIB) as private:
        roots = [root(blobs[number]) for number in ordered(private, blobs, paths)]
    assert sorted(set(roots)) != sorted(roots), "nothing was stored as a delta"
    assert len([1 for before, after in itertools.pairwise(roots) if before != after]) == len(set(roots)) - 1


def test_few_pairs_are_diffed_path_by_path(history: History) -> None:
    history.commit({"a": b"1\n"})
    opened = open_repository(history.write())
    with Git(opened.objects, opened.resolve("HEAD"), Children(), max_blob_bytes=MIB) as private:
        assert list(ordered(private, [b"x", b"y", b"z"], [b"b", b"a", b"b"])) == [1, 0, 2]
