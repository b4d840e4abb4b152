"""Generates repositories shaped like known projects: as many commits, files, lines and merges, and edits like theirs.

What git and we have to do for a history depends on how large the versions are that differ, far more than on how many
lines there are in the end. So files are of very different sizes here, the larger ones are edited more often, some lines
come again and again, and files come and go, in the proportions found in the projects (docs/benchmarks.md has the
measured ones). The repository is packed anew in the end, as a server packs what it sends: the deltas that `fast-import`
makes are against whatever was written before, mostly another file.
"""

from __future__ import annotations

import math
import random
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

VERSION = 2
"""Of what is generated; a history kept from another one is not used."""
HUNKS = (1, 1, 1, 2, 2, 3, 5, 14)
"""Of an edit: most have one or two, some a dozen."""
LINES_OF_A_HUNK = 3.6
EDITED_WHEN_MOVED = 0.2
_USUAL = (
    "",
    "",
    "",
    "",
    "",
    "    else:",
    "    try:",
    "        return None",
    "    }",
    "    pass",
    "import os",
    "    return it",
)
_SHARE_OF_USUAL = 0.3

Changes = dict[str, str | None]
"""New contents by path; None for a path that went away."""


@dataclass(frozen=True)
class Size:
    """A history to generate. `factor` is how many times faster than git-fame the analysis of it must be.

    `files` and `lines` are those of the last commit; `passing` files go away before, of `passing_lines` on average, and
    `renames` are moved. `merges` is a share of the commits, `edited` how many files an ordinary commit changes on
    average, `skew` how unlike the files' sizes are (the sigma of a log-normal distribution).
    """

    name: str
    commits: int
    files: int
    lines: int
    passing: int
    passing_lines: int
    renames: int
    merges: float
    edited: float
    skew: float
    factor: float


SIZES = (
    Size("like-flask", 5_500, 230, 36_000, 245, 100, 170, 0.31, 2.75, 1.95, 2.5),
    Size("like-aiohttp", 14_000, 480, 136_000, 2_100, 45, 140, 0.075, 2.95, 1.2, 9),
    Size("like-mypy", 13_800, 1_920, 630_000, 1_240, 180, 1_330, 0.034, 4.35, 1.5, 15),
)


def generate(size: Size, path: Path) -> None:
    """Write the repository, packed as a fresh clone would be; the same size gives the same history."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    subprocess.run(["git", "init", "--quiet", "--bare", str(fresh)], check=True)
    importer = subprocess.Popen(["git", "-C", str(fresh), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importer.stdin is not None
    for piece in _Writer(size).commits():
        importer.stdin.write(piece)
    importer.stdin.close()
    if importer.wait():
        raise RuntimeError("git fast-import failed")
    subprocess.run(["git", "-C", str(fresh), "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["git", "-C", str(fresh), "repack", "-a", "-d", "-f", "--quiet"], check=True)
    fresh.rename(path)


@dataclass
class _File:
    """A file's lines, how many it grows to, and whether it is there in the end.

    The larger, the likelier it is edited, by a root of its size.
    """

    target: int
    stays: bool
    lines: list[str] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return math.pow(self.target, 0.65)


class _Writer:
    """The tree so far, and dice that are thrown the same each time."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._dice = random.Random(size.name)
        self._words = ["".join(self._dice.choices("abcdeilmnoprstu", k=self._dice.randint(2, 9))) for _ in range(3000)]
        self._planned = self._plan()
        self._files: dict[str, _File] = {}
        self._born = 0
        self._number = 0

    def _plan(self) -> list[_File]:
        """All files there will ever be, in the order of their births; those that stay are together as large as is
        asked for."""
        size = self._size
        planned = [_File(max(2, lines), True) for lines in _sizes(size.files, size.lines, size.skew)]
        passing = _sizes(size.passing, size.passing * size.passing_lines, size.skew)
        planned += [_File(max(1, lines), False) for lines in passing]
        self._dice.shuffle(planned)
        return planned

    def commits(self) -> Iterator[bytes]:
        """Commits for fast-import: most in a line, some on a short branch that is merged beside a change on main."""
        branches = self._size.merges / (1 - 2.5 * self._size.merges)  # a branch makes three and a half commits
        while self._number < self._size.commits:
            if self._number > 10 and self._dice.random() < branches:
                yield from self._branch()
            else:
                yield self._commit(self._edit(), [self._number] if self._number else [])

    def _branch(self) -> Iterator[bytes]:
        merged: Changes = {}
        base = tip = self._number
        for _ in range(self._dice.choice([1, 1, 1, 2])):
            changes = self._edit()
            merged |= changes
            yield self._commit(changes, [tip])
            tip = self._number
        free = [path for path in self._files if path not in merged]
        yield self._commit(self._edit(only=free), [base])
        yield self._commit(merged, [self._number, tip])

    def _edit(self, only: list[str] | None = None) -> Changes:
        """Edit some files (of `only`, where given); add, move and remove some now and then."""
        size = self._size
        changes: Changes = self._come_and_go() if only is None else {}
        known = [path for path in self._files if path not in changes] if only is None else only
        count = min(len(known), 1 + int(self._dice.expovariate(1 / (size.edited - 0.6))))
        for path in self._choose(known, count) if count else ():
            self._edit_lines(self._files[path])
            changes[path] = _content(self._files[path])
        if only is None and self._dice.random() * size.commits * (1 - size.merges) < size.renames:
            changes |= self._move([path for path in known if path not in changes])
        return changes

    def _move(self, paths: list[str]) -> Changes:
        """Move one of the paths, mostly as it is."""
        if not paths:
            return {}
        path = self._dice.choice(paths)
        moved = path.replace("src/", f"src/moved{self._dice.randrange(9)}/", 1)
        file = self._files[moved] = self._files.pop(path)
        if self._dice.random() < EDITED_WHEN_MOVED:
            self._edit_lines(file)
        return {path: None, moved: _content(file)}

    def _choose(self, paths: list[str], count: int) -> Iterable[str]:
        """Some of the paths, each once, large files more often."""
        return dict.fromkeys(self._dice.choices(paths, [self._files[path].weight for path in paths], k=count))

    def _come_and_go(self) -> Changes:
        """Files are born all the time; those that do not stay go when there are too many."""
        changes: Changes = {}
        progress = self._number / self._size.commits
        while self._born < len(self._planned) * min(1, progress * 1.02 + 0.02):
            file = self._planned[self._born]
            path = self._new_path()
            file.lines = [self._line() for _ in range(int(file.target * self._dice.uniform(0.4, 1)) + 1)]
            self._files[path] = file
            changes[path] = _content(file)
        passing = [path for path, file in self._files.items() if not file.stays and path not in changes]
        many = self._size.files * 0.15 * (1 - progress)
        for path in self._dice.sample(passing, max(0, len(passing) - int(many))):
            del self._files[path]
            changes[path] = None
        return changes

    def _new_path(self) -> str:
        self._born += 1
        ending = self._dice.choice(["py", "py", "py", "md", "c", "js", "yml"])
        return f"src/{self._words[self._dice.randrange(40)]}/{self._dice.choice(self._words)}_{self._born}.{ending}"

    def _edit_lines(self, file: _File) -> None:
        """Some hunks; a file that is as large as it gets loses as much as it wins."""
        for _ in range(self._dice.choice(HUNKS)):
            come = int(self._dice.expovariate(1 / LINES_OF_A_HUNK))
            gone = round(come * (0.4 if len(file.lines) < file.target else 1))
            at = self._dice.randrange(len(file.lines) + 1)
            file.lines[at : at + gone] = [self._line() for _ in range(come)]

    def _line(self) -> str:
        if self._dice.random() < _SHARE_OF_USUAL:
            return self._dice.choice(_USUAL) + "\n"
        words = self._dice.choices(self._words, k=self._dice.randint(3, 12))
        return "    " * self._dice.randrange(4) + " ".join(words) + "\n"

    def _commit(self, changes: Changes, parents: list[int]) -> bytes:
        self._number += 1
        who = int(self._dice.paretovariate(0.9)) % 400
        stamp = f"Author {who} <a{who}@example.org> {1_400_000_000 + self._number * 7_200} +0000\n"
        parts = [f"commit refs/heads/main\nmark :{self._number}\nauthor {stamp}committer {stamp}data 2\nx\n"]
        parts += [f"{'merge' if at else 'from'} :{parent}\n" for at, parent in enumerate(parents)]
        for path, content in changes.items():
            removed = content is None
            parts.append(
                f"D {path}\n" if removed else f"M 100644 inline {path}\ndata {len(content or '')}\n{content}\n"
            )
        return "".join(parts).encode()


def _content(file: _File) -> str:
    return "".join(file.lines)


def _sizes(count: int, total: int, skew: float) -> list[int]:
    """So many sizes of a log-normal distribution, by its quantiles, that are about `total` together."""
    normal = NormalDist(0, skew)
    shapes = [math.exp(normal.inv_cdf((place + 0.5) / count)) for place in range(count)]
    scale = total / sum(shapes)
    return [int(shape * scale) for shape in shapes]
