"""Makes real repositories for tests: commits written with `git fast-import`, and what `git blame` says of them."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.jobs.analysis.repositories.git import base_environment

Tree = dict[bytes, tuple[bytes, bytes]]
"""Mode and content by path."""

Content = bytes | tuple[bytes, bytes] | None
"""A file's content, with its mode or without; None removes the file."""

FILE, EXECUTABLE, LINK, SUBMODULE = b"100644", b"100755", b"120000", b"160000"
ANN, BEN = b"Ann <ann@example.org>", b"Ben <ben@example.org>"


@dataclass
class History:
    """A repository in the making; `write` hands it to git. Commits are named by numbers from 0."""

    path: Path
    object_format: str = "sha1"
    trees: list[Tree] = field(default_factory=list)
    _stream: list[bytes] = field(default_factory=list)
    _clock: int = 1_600_000_000

    def commit(
        self,
        files: Mapping[Any, Content],
        parents: Sequence[int] | None = None,
        *,
        author: bytes = ANN,
        message: bytes = b"a change",
        time: int | None = None,
    ) -> int:
        """Add a commit that changes `files` (None removes one) in the first parent's tree, by default the last."""
        if parents is None:
            parents = [len(self.trees) - 1] if self.trees else []
        tree = dict(self.trees[parents[0]]) if parents else {}
        for name, content in files.items():
            path = name.encode() if isinstance(name, str) else name
            tree.pop(path, None)
            if content is not None:
                tree[path] = content if isinstance(content, tuple) else (FILE, content)
        return self.commit_tree(tree, parents, author=author, message=message, time=time)

    def commit_tree(
        self,
        tree: Tree,
        parents: Sequence[int],
        *,
        author: bytes = ANN,
        message: bytes = b"a change",
        time: int | None = None,
    ) -> int:
        """Add a commit with exactly this tree."""
        self._clock = self._clock + 3600 if time is None else time
        number = len(self.trees)
        self.trees.append(tree)
        who = b"%s %d +0000" % (author, self._clock)
        lines = [b"commit refs/heads/c%d\nmark :%d\nauthor %s\ncommitter %s\n" % (number, number + 1, who, who)]
        lines.append(b"data %d\n%s\n" % (len(message), message))
        lines += [b"%s :%d\n" % (b"merge" if at else b"from", parent + 1) for at, parent in enumerate(parents)]
        lines.append(b"deleteall\n")
        lines += [_file(path, *entry) for path, entry in tree.items()]
        self._stream.append(b"".join(lines) + b"\n")
        return number

    def write(self) -> Path:
        """Make the repository, bare, with HEAD at the last commit; returns its folder."""
        git(self.path.parent, "init", "--quiet", "--bare", f"--object-format={self.object_format}", str(self.path))
        git(self.path, "fast-import", "--quiet", feed=b"".join(self._stream))
        git(self.path, "update-ref", "refs/heads/main", f"refs/heads/c{len(self.trees) - 1}")
        git(self.path, "symbolic-ref", "HEAD", "refs/heads/main")
        return self.path


def _file(path: bytes, mode: bytes, content: bytes) -> bytes:
    quoted = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if mode == SUBMODULE:
        return b"M %s %s %s\n" % (mode, content, quoted)
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted, len(content), content)


def git(folder: Path, *args: str | bytes, feed: bytes | None = None) -> bytes:
    """Run git in a folder and return its output."""
    done = subprocess.run(
        ["git", *args], cwd=folder, env=base_environment(), input=feed, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


def blamed_by_git(repository: Path, ref: str = "HEAD") -> dict[bytes, dict[bytes, int]]:
    """Lines by commit id of every text file of a commit, as `git blame` tells them."""
    return {path: blame_of(repository, path, ref) for path in text_files(repository, ref)}


def blame_of(repository: Path, path: bytes, ref: str = "HEAD", *options: str) -> dict[bytes, int]:
    """One file's lines by commit id: the header line that follows each line of content names it."""
    told = git(repository, "blame", "--line-porcelain", *options, ref, "--", path).split(b"\n")
    headers = (line for before, line in zip([b"\t", *told], told, strict=False) if before.startswith(b"\t") and line)
    return dict(Counter(header.split(b" ")[0] for header in headers))


def text_files(repository: Path, ref: str = "HEAD") -> list[bytes]:
    """Regular files without a NUL among their first 8,000 bytes."""
    found = []
    for entry in git(repository, "ls-tree", "-r", "-z", ref).split(b"\0")[:-1]:
        about, path = entry.split(b"\t", 1)
        mode, _, blob = about.split(b" ")
        if mode in (FILE, EXECUTABLE) and b"\0" not in git(repository, "cat-file", "blob", blob)[:8000]:
            found.append(path)
    return found


_NAMES = (
    *(b"a.txt", b"d/b.txt", b"d/a.txt", b"e f/\xc3\xa9.py", b'q"uo\\te.c', b"tab\tname", b"z/z/z.txt", b"nl\nname"),
    *(b"bin.dat", b"not\xffutf8", b":(glob)*", b"-dash"),
    *(b"f%d.txt" % number for number in range(6)),
    *(b"x/f%d.txt" % number for number in range(4)),
)
_WORDS = (b"{", b"}", b"", b"  return", b"\tfoo()", b"  if x:", b"end", *(b"line%d" % number for number in range(14)))


class Fuzzer:
    """Random histories of everything that makes blame hard: merges of any kind, renames, flips of type and content."""

    def __init__(self, seed: int, step_s: int = 60) -> None:
        """`step_s` lies between two commits, more or less."""
        self._dice = random.Random(seed)
        self._step_s = step_s

    def fill(self, history: History, commits: int) -> None:
        """Add that many random commits; the last one joins several lines."""
        for number in range(commits):
            parents = self._parents(len(history.trees), last=number == commits - 1)
            tree = self._joined([history.trees[parent] for parent in parents])
            for _ in range(self._dice.choice([0, 0, 1, 2] if len(parents) > 1 else [0, 1, 1, 2, 3])):
                self._change(tree)
            author = b"A%d <a%d@example.org>" % ((self._dice.randrange(5),) * 2)
            time = 1_600_000_000 + number * self._step_s + self._dice.choice([-500, 0, 0, 60, 3600])
            history.commit_tree(tree, parents, author=author, time=time)

    def _parents(self, known: int, *, last: bool) -> list[int]:
        kind = self._dice.random()
        if last and known:
            others = self._dice.sample(range(known), min(3, known))
            return sorted({known - 1, *others}, reverse=True)
        if not known or kind < 0.02:
            return []
        if kind < 0.7:
            return [self._dice.randrange(max(0, known - 6), known)]
        recent = range(max(0, known - 12), known)
        return self._dice.sample(recent, min(self._dice.choice([2] * 9 + [3, 4]), len(recent)))

    def _joined(self, trees: Sequence[Tree]) -> Tree:
        if not trees:
            return {}
        joined = dict(trees[0])
        for other in trees[1:]:
            for path, entry in other.items():
                if path not in joined or self._dice.random() < 0.5:
                    joined[path] = entry
            if self._dice.random() < 0.2:
                for path in [path for path in joined if path not in other and self._dice.random() < 0.3]:
                    del joined[path]
        return joined

    def _change(self, tree: Tree) -> None:
        kind, paths = self._dice.random(), list(tree)
        if kind < 0.3 or not paths:
            tree[self._dice.choice(_NAMES)] = (FILE, self._content())
            return
        path = self._dice.choice(paths)
        mode, content = tree[path]
        if kind < 0.7:
            tree[path] = (mode, content if mode == LINK else self._edited(content))
        elif kind < 0.85:
            self._rename(tree, path)
        elif kind < 0.92:
            del tree[path]
        elif kind < 0.96:
            tree[path] = (FILE if mode == EXECUTABLE else EXECUTABLE, content)
        else:
            tree[path] = (
                (FILE, self._content()) if mode == LINK else (LINK, self._dice.choice([b"target", content or b"x"]))
            )

    def _rename(self, tree: Tree, path: bytes) -> None:
        mode, content = tree.pop(path)
        entry = (mode, self._edited(content)) if self._dice.random() < 0.5 and mode != LINK else (mode, content)
        tree[self._dice.choice(_NAMES)] = entry
        if self._dice.random() < 0.3:
            tree[self._dice.choice(_NAMES)] = entry

    def _content(self) -> bytes:
        count, end = self._dice.choice([0, 1, 2, 8, 20, 40]), self._dice.choice([b"\n", b"\n", b"\r\n"])
        content = end.join(self._dice.choice(_WORDS) for _ in range(count))
        if count and self._dice.random() < 0.8:
            content += end
        return b"\0" + content if self._dice.random() < 0.04 else content

    def _edited(self, content: bytes) -> bytes:
        lines = content.split(b"\n")
        for _ in range(self._dice.choice([1, 1, 2, 4])):
            kind, at = self._dice.random(), self._dice.randrange(len(lines) + 1)
            if kind < 0.45:
                lines[at:at] = [self._dice.choice(_WORDS) for _ in range(self._dice.choice([1, 2, 5]))]
            elif kind < 0.75:
                del lines[at : at + self._dice.choice([1, 2, 4])]
            elif kind < 0.9:
                lines[at : at + 1] = [self._dice.choice(_WORDS)]
            else:
                moved = lines[at : at + 5]
                del lines[at : at + 5]
                to = self._dice.randrange(len(lines) + 1)
                lines[to:to] = moved
        return b"\n".join(lines)
