"""Diffs pairs of blobs in bulk with git's own diff, so that every hunk is the one blame sees."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing
from types import TracebackType
from typing import TypeAlias

from bot.errors import Permanent
from bot.jobs.analysis.blame.batches import LARGEST, SMALLEST, WINDOW, Batch, Batches
from bot.jobs.analysis.blame.differ import COUNTS, DEEP_PATCHES, PATCHES, TEXT_PATCHES, Differ, Told
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.git import Git

TELL_EVERY = 250

Hunks: TypeAlias = "array[int]"
"""Flat (old start, old lines, new start, new lines) of each hunk, counted from 0, in order."""

NO_HUNKS: Hunks = array("I")


class Diffs:
    """What the diffs said: `hunks` of every pair where both versions are text, and the lines `added` and `deleted`.

    A wanted pair has hunks even where a version looks binary; None where one was too large.
    """

    def __init__(self) -> None:
        self.hunks: list[Hunks | None] = []
        self.added = array("I")
        self.deleted = array("I")

    def grow(self, size: int) -> None:
        """Make room for so many pairs."""
        more = size - len(self.hunks)
        if more > 0:
            self.hunks += [None] * more
            self.added.extend([0] * more)
            self.deleted.extend([0] * more)

    def keep(self, number: int, flat: list[int]) -> None:
        """Take what git said of one pair."""
        self.hunks[number] = array("I", flat) if flat else NO_HUNKS
        self.added[number] = sum(flat[3::4])
        self.deleted[number] = sum(flat[1::4])


class BulkDiff:
    """Diffs numbered pairs in `jobs` threads, each with its own git; `tell` hears how many pairs are done.

    Used as a context, inside of which pairs may still be found: `more` says so, `finish` that there are no others.
    """

    def __init__(self, git: Git, pairs: Pairs, jobs: int, tell: Callable[[int], None]) -> None:
        self._git = git
        self._pairs = pairs
        self._jobs = max(1, jobs)
        self._tell = tell
        self._batches = Batches(git, pairs, self._jobs)
        self._diffs = Diffs()
        self._pool = ThreadPoolExecutor(self._jobs)
        self._work: list[Future[None]] = []

    def __enter__(self) -> BulkDiff:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._batches.stop()
        if error is not None:
            self._git.children.stop()  # nobody reads what they say
        self._pool.shutdown()

    def more(self) -> None:
        """Begin, or go on, with the pairs found so far, if they are worth it."""
        self._diffs.grow(len(self._pairs))
        self._batches.more()
        if self._batches.waiting >= WINDOW:
            self._begin(max(1, self._jobs - 1))  # the walk itself is work for one

    def finish(self) -> Diffs:
        """Diff the rest and return everything. A binary pair counts no lines in a series, as in `git log --numstat`;
        blame looks inside all the same. Raises Permanent when git fails, or has not told of every pair.
        """
        self._pairs.seal()
        self._diffs.grow(len(self._pairs))
        self._batches.close()
        self._begin(min(self._jobs, -(-len(self._pairs) // SMALLEST)))
        for ended in wait(self._work, return_when=FIRST_EXCEPTION).done:
            ended.result()
        if any(hunks is None for hunks in self._diffs.hunks):
            raise Permanent("git_failed", command="git diff-tree", exit_code=0, detail="it left out some pairs")
        self._read_as_text([number for number, wanted in enumerate(self._pairs.wanted) if wanted])
        return self._diffs

    def _begin(self, jobs: int) -> None:
        """See to it that so many threads are at work."""
        self._work += [self._pool.submit(self._run, job) for job in range(len(self._work), jobs)]

    def _run(self, job: int) -> None:
        """One thread's work: all the pairs of one kind it can get, then all of the other."""
        batch = self._batches.take(job, wait=True)
        while batch is not None:
            batch = self._diff_kind(job, batch)

    def _diff_kind(self, job: int, first: Batch) -> Batch | None:
        """Diff this batch and those of its kind that follow; returns the first of another kind, None after the last.

        The next question is asked before an answer is read, so that git never waits for us.
        """
        batch: Batch | None = first
        way = COUNTS if first.one_sided else DEEP_PATCHES if self._batches.is_mixed else PATCHES
        with closing(Differ(self._git, self._pairs, way)) as differ:
            while batch is not None and batch.one_sided == first.one_sided:
                differ.ask(batch.numbers)
                self._read(differ, unread=1)
                batch = self._batches.take(job, wait=False)
                if batch is None:
                    self._read(differ)
                    batch = self._batches.take(job, wait=True)
            self._read(differ)
        return batch

    def _read(self, differ: Differ, *, unread: int = 0) -> None:
        """Take answers until so many are left unread."""
        while differ.unread > unread:
            self._keep(differ.answer())

    def _keep(self, answer: Iterable[Told]) -> None:
        untold = 0
        for number, flat in answer:
            self._diffs.keep(number, flat)
            untold += 1
            if untold == TELL_EVERY:
                self._tell(untold)
                untold = 0
        self._tell(untold)

    def _read_as_text(self, wanted: Sequence[int]) -> None:
        """Look inside what git took for binary, as blame does; what is too large stays without hunks."""
        unread = [number for number in wanted if self._is_unread(number)]
        if not unread:
            return
        counts = self._diffs.added[:], self._diffs.deleted[:]
        small = self._small_enough(unread)
        with closing(Differ(self._git, self._pairs, TEXT_PATCHES)) as differ:
            for at in range(0, len(small), LARGEST):
                differ.ask(small[at : at + LARGEST])
                self._read(differ)
        self._diffs.added, self._diffs.deleted = counts

    def _is_unread(self, number: int) -> bool:
        """Whether git showed no hunk for versions that differ: one is binary, or too large."""
        if self._diffs.hunks[number] or set(self._pairs.blobs(number)) == {self._git.null, self._git.empty_blob}:
            return False
        self._diffs.hunks[number] = None
        return True

    def _small_enough(self, numbers: Sequence[int]) -> list[int]:
        sizes = blob_sizes(self._git, {blob for number in numbers for blob in self._pairs.blobs(number)})
        cap = self._git.max_blob_bytes
        return [number for number in numbers if all(sizes.get(blob, 0) < cap for blob in self._pairs.blobs(number))]


def diff_all(git: Git, pairs: Pairs) -> Diffs:
    """Diff pairs that are all known, one batch after another."""
    with BulkDiff(git, pairs, 1, lambda _: None) as bulk:
        return bulk.finish()


def blob_sizes(git: Git, ids: Iterable[bytes]) -> dict[bytes, int]:
    """The sizes in bytes of those blobs that exist."""
    asked = b"".join(blob + b"\n" for blob in ids)
    answers = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", feed=asked).splitlines()
    return {blob: int(size) for blob, _, size in (line.partition(b" ") for line in answers) if size.isdigit()}
