"""Knows in which order pairs of blobs are cheapest to diff: where git has to unpack least for what they share.

A pack stores a blob as a delta against another, in chains of dozens, and git keeps the links of a chain it unpacked
for a moment only. Mostly a chain is one file's past: then pairs go path by path. But a pack may mix files in its
chains, when they were written alike or in one go; then the order of the history is best, in which neighbours of a chain
are as near to one another as they can be.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.git import Git

MANY = 1000
"""Pairs from which on asking git about the chains pays."""
SAMPLE = 400
MIXED = 0.3  # of the deltas in the sample; packs of real projects have 0.03 to 0.1, or nearly all of them


def mixes_files(git: Git, pairs: Pairs, numbers: Sequence[int]) -> bool:
    """Whether many blobs are stored as deltas against other files' blobs, judged by a sample spread over the pairs."""
    if len(numbers) < MANY:
        return False
    path_of = {blob: pairs.path(number) for number in numbers for blob in pairs.blobs(number)}
    path_of.pop(pairs.null, None)
    sample = list(path_of)[:: max(len(path_of) // SAMPLE, 1)]
    asked = b"\n".join(sample) + b"\n"
    bases = git.run("cat-file", "--batch-check=%(deltabase)", feed=asked).splitlines()
    known = [path_of[blob] == path_of[base] for blob, base in zip(sample, bases, strict=True) if base in path_of]
    return known.count(False) > MIXED * len(known)
