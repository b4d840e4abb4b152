"""Generates repositories about as large as known projects: commits, files, lines, branches, merges, renames."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Changes = dict[str, str | None]
"""New contents by path; None for a path that went away."""


@dataclass(frozen=True)
class Size:
    """A history to generate. `factor` is how many times faster than git-fame the analysis of it must be."""

    name: str
    commits: int
    files: int
    lines: int
    factor: float


SIZES = (
    Size("like-flask", 5_500, 230, 36_000, 2.5),
    Size("like-aiohttp", 14_000, 480, 136_000, 9),
    Size("like-mypy", 13_800, 1_920, 630_000, 15),
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
    subprocess.run(["git", "-C", str(fresh), "gc", "--quiet"], check=True)
    fresh.rename(path)


class _Writer:
    """The tree so far, and dice that are thrown the same each time."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._dice = random.Random(size.name)
        self._files: dict[str, list[str]] = {}
        self._number = 0

    def commits(self) -> Iterator[bytes]:
        """Commits for fast-import: most in a line, some on a short branch that is merged beside a change on main."""
        while self._number < self._size.commits:
            if self._number > 10 and self._dice.random() < 0.08:
                yield from self._branch()
            else:
                yield self._commit(self._edit(), [self._number] if self._number else [])

    def _branch(self) -> Iterator[bytes]:
        merged: Changes = {}
        base = tip = self._number
        for _ in range(self._dice.choice([1, 2, 3])):
            changes = self._edit()
            merged |= changes
            yield self._commit(changes, [tip])
            tip = self._number
        free = [path for path in self._files if path not in merged]
        yield self._commit(self._edit(only=free), [base])
        yield self._commit(merged, [self._number, tip])

    def _edit(self, only: list[str] | None = None) -> Changes:
        """Edit some files (of `only`, where given), add one while there are too few, move one now and then."""
        changes: Changes = {}
        if only is None and len(self._files) < self._size.files * min(1, self._number / self._size.commits + 0.05):
            changes |= self._new_file()
        known = sorted(self._files) if only is None else only
        for path in self._dice.sample(known, min(len(known), self._dice.choice([1, 1, 1, 2, 3, 5]))):
            self._edit_lines(self._files[path])
            if only is None and self._dice.random() < 0.01:
                moved = path.replace("src/", f"src/moved{self._dice.randrange(9)}/", 1)
                self._files[moved] = self._files.pop(path)
                changes[path], path = None, moved
            changes[path] = "".join(self._files[path])
        return changes

    def _new_file(self) -> Changes:
        ending = self._dice.choice(["py", "py", "py", "md", "c", "js", "yml"])
        path = f"src/d{self._dice.randrange(40)}/f{self._number}.{ending}"
        self._files[path] = [self._line() for _ in range(max(1, int(self._size.lines / self._size.files * 0.6)))]
        return {path: "".join(self._files[path])}

    def _edit_lines(self, lines: list[str]) -> None:
        growth = self._size.lines / self._size.commits * 0.08
        for _ in range(self._dice.choice([1, 1, 2, 4])):
            at, gone = self._dice.randrange(len(lines) + 1), self._dice.choice([0, 0, 1, 2, 5])
            come = max(0, gone + round(self._dice.gauss(growth, 2)))
            lines[at : at + gone] = [self._line() for _ in range(come)]

    def _line(self) -> str:
        indent, word = "    " * self._dice.randrange(4), self._dice.choice(["return", "if", "value =", "call", "#"])
        return f"{indent}{word} {self._dice.getrandbits(40):x}\n"

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
