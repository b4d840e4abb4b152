"""Looks at the files of the commit at hand: what its attributes say, which languages and frameworks are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.jobs.analysis.languages.by_path import ContentLanguages, Languages
from bot.jobs.analysis.languages.exclusions import Attributes, read_attributes
from bot.jobs.analysis.reports.report import Framework
from bot.jobs.analysis.repositories.git import Git


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What a tree tells by itself, without its history."""

    attributes: Attributes
    languages: Languages
    frameworks: Sequence[Framework]


def look_at_tree(git: Git, blobs: Mapping[bytes, bytes], contents: ContentLanguages, *, frameworks: bool) -> TreeFacts:
    """The facts of these files (path to blob); `frameworks` only where they are wanted."""
    attributes = read_attributes(git, blobs)
    languages = Languages(attributes, contents.read(git, blobs))
    return TreeFacts(attributes, languages, _frameworks(git, blobs) if frameworks else [])


def _frameworks(git: Git, blobs: Mapping[bytes, bytes]) -> list[Framework]:
    from bot.jobs.analysis.reports.frameworks import (
        find_frameworks,  # takes longer to import than a small history to blame
    )

    return find_frameworks(git, blobs)
