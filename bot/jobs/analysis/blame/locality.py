"""Decides in which order pairs of blobs are diffed, so that git unpacks what they share once.

A pack stores a blob as a delta against another, in chains of dozens. Git keeps the links of a chain it unpacked for a
moment only, so pairs of one chain go one after another. Mostly a chain is one file's past, but where files have like
names git mixes them, and in the order of paths each blob would be unpacked from the end of its chain anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from bot.jobs.analysis.repositories.git import Git

MANY = 2_000
"""Pairs from which on asking git about the chains pays; fewer are diffed path by path."""


def ordered(git: Git, blobs: Sequence[bytes], paths: Sequence[bytes]) -> array[int]:
    """The numbers of pairs in the order to diff them: by chain, the chains by path, those of one path together.

    `blobs` are one of each pair, `paths` are where it was seen.
    """
    numbers = range(len(blobs))
    if len(blobs) < MANY:
        return array("I", sorted(numbers, key=paths.__getitem__))
    chains = _chains(git, blobs)
    first: dict[int, bytes] = {}
    for chain, path in zip(chains, paths, strict=True):
        known = first.get(chain)
        if known is None or path < known:
            first[chain] = path
    places = [(first[chain], chain, path) for chain, path in zip(chains, paths, strict=True)]
    return array("I", sorted(numbers, key=places.__getitem__))


def _chains(git: Git, blobs: Sequence[bytes]) -> array[int]:
    """The chain of each blob, named by the number of a blob in it; a blob that is stored whole has its own."""
    place = dict(zip(blobs, range(len(blobs)), strict=True))
    asked = b"\n".join(place) + b"\n"
    below = array("I", range(len(blobs)))
    bases = git.run("cat-file", "--batch-check=%(deltabase)", feed=asked).splitlines()
    for number, base in zip(place.values(), bases, strict=True):
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
