"""Hands out pairs to be diffed, batch by batch, while the walk still finds more.

Pairs of one path go one after another, for git unpacks what they share once: whenever the ones at hand run out, all
that were found since are put in order and cut into batches. How many were found by then changes little. Only where the
pack mixes files (`locality`) pairs stay in the order they were found in.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from bot.jobs.analysis.blame.locality import mixes_files
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.git import Git

WINDOW = 1000
"""Pairs that are put in order together, at the least, as long as more are being found."""
LARGEST = 1500  # pairs of a batch; more would cost git memory
SMALLEST = 250  # fewer are not worth a question
BATCHES_OF_A_JOB = 3  # that the pairs at hand make, so that all jobs end at about the same time


class Batch(NamedTuple):
    """Pairs by number, to be diffed in this order; either all are one-sided or none is."""

    numbers: Sequence[int]
    one_sided: bool


class Batches:
    """A queue that fills itself from `pairs`; `jobs` threads take from it while another finds pairs."""

    def __init__(self, git: Git, pairs: Pairs, jobs: int) -> None:
        self._git = git
        self._pairs = pairs
        self._jobs = jobs
        self._changed = threading.Condition()
        self._found = 0
        self._seen = 0
        self._two_sided: list[int] = []
        self._one_sided: list[int] = []
        self._mixed: bool | None = None
        self._all_found = False
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Pairs nobody has put in order yet."""
        return self._found - self._seen

    def more(self) -> None:
        """Say that all pairs there are now may be handed out."""
        self._found = len(self._pairs)
        if self.waiting >= WINDOW:
            with self._changed:
                self._changed.notify_all()

    def close(self) -> None:
        """Say that all pairs are found."""
        with self._changed:
            self._found = len(self._pairs)
            self._all_found = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def is_mixed(self) -> bool:
        """Whether the pack mixes files; known once a batch was taken."""
        return bool(self._mixed)

    def take(self, job: int, *, wait: bool) -> Batch | None:
        """The next batch for a job; None when there is none any more or, where the caller does not `wait`, none yet.

        In a pack that mixes files the first job goes on through the history and the others come from its other end, so
        that they unpack little of the same.
        """
        with self._changed:
            while not self._stopped:
                self._refill()
                if self._all_found and self._one_sided and (job or not self._two_sided):
                    return self._cut(self._one_sided, one_sided=True)
                if self._two_sided:
                    return self._cut(self._two_sided, one_sided=False, last=bool(job and self._mixed))
                if self._all_found or not wait:
                    break
                self._changed.wait()
        return None

    def _refill(self) -> None:
        """Put in order what was found: once there is nothing left and enough to begin with, and when all is found."""
        too_early = not self._all_found and (self._two_sided or self.waiting < WINDOW)
        if too_early or not self.waiting:
            return
        found = self._found  # which grows meanwhile: whoever finds pairs does not wait for us
        if self._mixed is None:
            self._mixed = mixes_files(self._git, self._pairs, range(found))
        for number in range(self._seen, found):
            (self._one_sided if self._pairs.is_one_sided(number) else self._two_sided).append(number)
        self._seen = found
        if not self._mixed:
            self._two_sided.sort(key=self._pairs.path)

    def _cut(self, ready: list[int], *, one_sided: bool, last: bool = False) -> Batch:
        """Take from the front, or the `last` ones; ever smaller batches towards the end."""
        size = min(max(len(ready) // (self._jobs * BATCHES_OF_A_JOB), SMALLEST), LARGEST)
        part = slice(max(len(ready) - size, 0), None) if last else slice(size)
        batch = Batch(ready[part], one_sided)
        del ready[part]
        return batch
