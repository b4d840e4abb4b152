"""Finds where a new path came from, by git's own rules for the renames that blame follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.jobs.analysis.blame.deletions import Deletions, Source, base_name, is_file
from bot.jobs.analysis.blame.treewalk import Change, Commit, parse_raw
from bot.jobs.analysis.repositories.git import Coprocess, Git
from bot.jobs.analysis.repositories.scratch import FOLDER, Entry

MAX_SOURCES = 20_000
"""Deleted paths of one commit that are compared with an addition; git's own limit is a million."""


class Renames:
    """Answers for one destination at a time, as blame asks: `git log -M` pairs all at once and answers otherwise."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._trees = git.trees
        self._differ: Coprocess | None = None
        self._lister: Coprocess | None = None
        self._known: dict[tuple[bytes, bytes, Deletions], Source | None] = {}
        self._deleted: dict[tuple[bytes, bytes], Deletions] = {}
        self.capped = False
        """Whether a commit had more deletions than are compared, so that a rename may have been missed."""

    def close(self) -> None:
        """End the git commands this asked."""
        for command in (self._differ, self._lister):
            if command is not None:
                command.close()

    def find(self, deleted: Deletions, mode: bytes, blob: bytes, path: bytes) -> Source | None:
        """The deleted path that became `path`, or None. The same blob comes first, the same base name before others."""
        same = deleted.same(mode, blob, path)
        if same is not None:
            return same
        if not is_file(mode) or not deleted.has_files:
            return None
        if len(deleted.sources) > MAX_SOURCES:
            self.capped = True
            return None
        key = (blob, base_name(path), deleted)
        if key not in self._known:
            self._known[key] = self._similar(deleted.sources, mode, blob, base_name(path))
        return self._known[key]

    def deleted_by(self, commit: Commit) -> Deletions:
        """The paths the first parent of a commit has and the commit has not."""
        return self._remembered(commit.oid, b"", lambda: commit.changes)

    def deleted_against(self, commit: bytes, parent: bytes) -> Deletions:
        """The same for a parent that is not the first."""
        return self._remembered(commit, parent, lambda: self._list(commit, parent))

    def _remembered(self, commit: bytes, parent: bytes, changes: Callable[[], Sequence[Change]]) -> Deletions:
        """Of one commit at a time: its paths are asked about right one after another."""
        if (commit, parent) not in self._deleted:
            if self._deleted and commit != next(iter(self._deleted))[0]:
                self._deleted.clear()
            self._deleted[commit, parent] = Deletions(changes())
        return self._deleted[commit, parent]

    def _list(self, commit: bytes, parent: bytes) -> list[Change]:
        self._lister = self._lister or Coprocess(
            self._git,
            *["diff-tree", "--stdin", "-r", "--raw", "--no-abbrev", "--no-renames", "-z", "-m", "--diff-filter=D"],
        )
        return parse_raw(self._lister.ask_until_echo(commit + b" " + parent + b"\n"))

    def _similar(self, sources: Sequence[Source], mode: bytes, blob: bytes, name: bytes) -> Source | None:
        """Ask git's similarity detection about a made-up pair of trees: all deletions, and this one addition.

        Links and submodules resemble nothing, but git keeps only the best four, and which of equals is the first hangs
        on what it had to drop before.
        """
        entries = [self._entry(index, source, name) for index, source in enumerate(sources)]
        before = self._trees.write(entries)
        has_namesake = any(entry.mode == FOLDER for entry in entries)
        after = self._trees.write([self._folder_of(mode, blob, b"new") if has_namesake else Entry(mode, b"new", blob)])
        self._differ = self._differ or Coprocess(
            self._git, *["diff-tree", "--stdin", "-r", "--raw", "--no-abbrev", "--find-renames", "-z"]
        )
        tokens = _raw_tokens(self._differ.ask_until_echo(before + b" " + after + b"\n"))
        for index, token in enumerate(tokens):
            if token.startswith(b":") and token.rsplit(b" ", 1)[-1][:1] == b"R":
                return sources[int(tokens[index + 1].split(b"/")[0])]
        return None

    def _entry(self, index: int, source: Source, name: bytes) -> Entry:
        """A deleted path under its number; in a folder of its own when it shares the base name, which git prefers."""
        number = b"%07d" % index
        if base_name(source.path) == name:
            return self._folder_of(source.mode, source.blob, number)
        return Entry(source.mode, number, source.blob)

    def _folder_of(self, mode: bytes, blob: bytes, name: bytes) -> Entry:
        """A folder called `name` with one file in it, always under the same base name."""
        return Entry(FOLDER, name, self._trees.write([Entry(mode, b"same", blob)]))


def _raw_tokens(answer: bytes) -> list[bytes]:
    """The tokens of `diff-tree --stdin -z`, from the first change on: the line naming the trees is left out."""
    start = answer.find(b":")
    return answer[start:].split(b"\0") if start >= 0 else []
