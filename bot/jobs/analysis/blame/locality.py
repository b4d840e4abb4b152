"""Knows when pairs of blobs must be diffed along the pack's own chains, so that git unpacks what they share once.

A pack stores a blob as a delta against another, in chains of dozens. Git keeps the links of a chain it unpacked for a
moment only. Mostly a chain is one file's past, so that going path by path is as good; but where files have like names
git may mix them, and path by path each blob would be unpacked from the end of its chain anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.git import Git

MANY = 2_000
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
    told = zip(sample, _bases(git, sample), strict=True)
    known = [path_of[blob] == path_of[base] for blob, base in told if base in path_of]
    return known.count(False) > MIXED * len(known)


def by_chain(git: Git, pairs: Pairs, numbers: Sequence[int]) -> list[int]:
    """The pairs ordered by chain, the chains by path, those of one path together."""
    paths = [pairs.path(number) for number in numbers]
    chains = _chains(git, [pairs.blobs(number)[1] for number in numbers])
    first: dict[int, bytes] = {}
    for chain, path in zip(chains, paths, strict=True):
        known = first.get(chain)
        if known is None or path < known:
            first[chain] = path
    places = [(first[chain], chain, path) for chain, path in zip(chains, paths, strict=True)]
    return [numbers[at] for at in sorted(range(len(numbers)), key=places.__getitem__)]


def _bases(git: Git, blobs: Iterable[bytes]) -> list[bytes]:
    """What each blob is stored as a delta against; the null id where it is stored whole."""
    return git.run("cat-file", "--batch-check=%(deltabase)", feed=b"\n".join(blobs) + b"\n").splitlines()


def _chains(git: Git, blobs: Sequence[bytes]) -> array[int]:
    """The chain of each blob, named by the number of a blob in it; a blob that is stored whole has its own."""
    place = dict(zip(blobs, range(len(blobs)), strict=True))
    below = array("I", range(len(blobs)))
    for number, base in zip(place.values(), _bases(git, place), strict=True):
        below[number] = place.get(base, number)
    return array("I", [_root(below, place[blob]) for blob in blobs])


def _root(below: array[int], number: int) -> int:
    """Follow the deltas down, and remember where they end."""
    trail = []
    while below[number] != number:
        trail.append(number)
        number = below[number]
    for passed in trail:
        below[passed] = number
    return number
