"""Says who owns the lines that a change touches, and what tells who of them may review it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserMistake
from bot.jobs.analysis.blame.deletions import base_name
from bot.jobs.analysis.blame.diffs import Hunks, diff_all
from bot.jobs.analysis.blame.headfiles import REGULAR
from bot.jobs.analysis.blame.oracle import blame_entries
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.blame.treewalk import Change, parse_raw
from bot.jobs.analysis.languages.exclusions import read_attributes
from bot.jobs.analysis.people.identities import Author, map_by_git, readable
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import Git, plain_git
from bot.jobs.analysis.repositories.repository import Repository, open_repository
from bot.jobs.analysis.request import MIB
from bot.jobs.analysis.runs.activity import committed_at, last_commits, makers

MAX_FILES = 100
"""Files of a change that are looked into; those with most changed lines come first."""

MAX_RANGES = 1000
"""Ranges of one file that git is asked about; where there are more, it is asked about all of the file."""
MAX_BLOB_BYTES = 10 * MIB
_ATTRIBUTES = b".gitattributes"
_COMPARE = ("diff-tree", "-r", "--raw", "--no-abbrev", "--find-renames", "--diff-filter=MDR", "-z")


@dataclass(frozen=True, slots=True)
class LineOwner:
    """An author, and how many lines of theirs a change rewrites, removes or inserts between, in how many files."""

    author: Author
    lines: int
    files: int


@dataclass(frozen=True, slots=True)
class ChangeOwners:
    """The owners by lines, then name; `skipped` counts changed files that were not looked into.

    `last_commits` has the newest commit of each author who was active on the base at `made_at`, when the change's
    newest commit was made; both in seconds since 1970 UTC. `makers` wrote its commits, or are named in them.
    """

    owners: tuple[LineOwner, ...]
    skipped: int
    made_at: int
    last_commits: Mapping[Author, int]
    makers: frozenset[Author]


def owners_of_change(path: Path, base: str, head: str, children: Children | None = None) -> ChangeOwners:
    """Who owns what `head` changes since it left `base`. New files are nobody's yet; vendored, generated and lock files
    are looked into only where nothing else changed, for whoever wrote one anew owns most of it.

    Raises UserMistake("no_common_history") besides what opening and resolving raise.
    """
    repository = open_repository(path)
    onto, new = repository.resolve(base), repository.resolve(head)
    old = _merge_base(repository, onto, new).encode()
    with Git(repository.objects, new, children or Children(), max_blob_bytes=MAX_BLOB_BYTES) as git:
        changed, unread = _changed_ranges(git, old)
        by_hand = changed.keys() - _left_out(git, old, changed.keys()) or changed.keys()
        ranked = sorted(by_hand, key=lambda name: (-sum(length for _, length in changed[name]), name))
        looked_into = ranked[:MAX_FILES]
        owners = _by_author(git, [_owners(git, old, name, changed[name]) for name in looked_into])
        made_at = committed_at(git, git.head)
        active = last_commits(git, onto.encode(), made_at)
        skipped = len(changed) - len(looked_into) + unread
        return ChangeOwners(owners, skipped, made_at, active, makers(git, onto.encode(), git.head))


Ranges = list[tuple[int, int]]
"""First line, counted from 1, and number of lines."""


def _merge_base(repository: Repository, base: str, head: str) -> str:
    """Of two commit ids. Raises UserMistake where they have nothing in common."""
    code, told, _ = plain_git(["--git-dir", str(repository.git_dir), "merge-base", base, head])
    if code:
        raise UserMistake("no_common_history", base=base, head=head)
    return told.decode().strip()


def _changed_ranges(git: Git, old: bytes) -> tuple[dict[bytes, Ranges], int]:
    """By old path, the old lines that the change touches; and how many files are too large to tell."""
    changes = [change for change in _changes(git, old) if change.old_mode in REGULAR and change.old != change.new]
    pairs = Pairs(git.null)
    numbers = [pairs.number(change.old, change.new, change.path, wanted=True) for change in changes]
    diffs = diff_all(git, pairs)
    ranges = {change.path: _ranges(diffs.hunks[number]) for change, number in zip(changes, numbers, strict=True)}
    unread = sum(diffs.hunks[number] is None for number in numbers)
    return {path: touched for path, touched in ranges.items() if touched}, unread


def _left_out(git: Git, old: bytes, changed: Collection[bytes]) -> set[bytes]:
    """The paths among those changed that reports leave out, by the .gitattributes of the old tree."""
    listed = (line.split(b"\t", 1) for line in git.run("ls-tree", "-r", "-z", "--full-tree", old).split(b"\0")[:-1])
    files = ((path, entry.split(b" ")[2]) for entry, path in listed if entry[:6] in REGULAR)
    blobs = {path: blob for path, blob in files if path in changed or base_name(path) == _ATTRIBUTES}
    attributes = read_attributes(git, blobs)
    return {path for path in changed if attributes.reason(readable(path))}


def _changes(git: Git, old: bytes) -> list[Change]:
    """Changes by old path; a rename has two paths, of which the first is kept."""
    tokens = git.run(*_COMPARE, old, git.head).split(b"\0")
    plain, place = [], 0
    while place < len(tokens) - 1:
        plain += tokens[place : place + 2]
        place += 3 if tokens[place].rpartition(b" ")[2].startswith(b"R") else 2
    return parse_raw(b"\0".join(plain))


def _ranges(hunks: Hunks | None) -> Ranges:
    """The old lines of each hunk; of an insertion, the line before it."""
    touched = []
    for start, length in zip((hunks or ())[::4], (hunks or ())[1::4], strict=True):
        if length:
            touched.append((start + 1, length))
        elif start:
            touched.append((start, 1))
    return touched


def _owners(git: Git, old: bytes, path: bytes, ranges: Ranges) -> Counter[bytes]:
    """Lines by commit within some ranges of one file."""
    few = [f"-L{start},+{length}" for start, length in ranges] if len(ranges) <= MAX_RANGES else []
    wanted, lines = _marked(ranges), Counter[bytes]()
    for commit, start, length in blame_entries(git, path, old, *few):
        lines[commit] += wanted.count(1, start, start + length)
    return +lines


def _marked(ranges: Ranges) -> bytearray:
    """A byte for each line up to the last one in a range: 1 within, 0 elsewhere."""
    marks = bytearray(max(start + length for start, length in ranges))
    for start, length in ranges:
        marks[start - 1 : start - 1 + length] = b"\1" * length
    return marks


def _by_author(git: Git, by_file: list[Counter[bytes]]) -> tuple[LineOwner, ...]:
    commits = list(dict.fromkeys(commit for lines in by_file for commit in lines))
    authors = dict(zip(commits, map_by_git(git, commits), strict=True)) if commits else {}
    lines: Counter[Author] = Counter()
    files: Counter[Author] = Counter()
    for counts in by_file:
        for commit, count in counts.items():
            lines[authors[commit]] += count
        files.update({authors[commit] for commit in counts})
    ranked = sorted(lines, key=lambda author: (-lines[author], author))
    return tuple(LineOwner(author, lines[author], files[author]) for author in ranked)
