"""Where a repository's paths and contents come from: a folder, a listing, or a remote one read in few calls."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.inspect.model import Notice
from bot.inspect.paths import is_dropped_folder

MAX_FILE_BYTES = 1_000_000
MAX_PATHS = 200_000  # a checkout with more is cut here, and says so
FOLDER_READS = 400  # a local read costs microseconds
REMOTE_READS = 60  # a remote read may cost an API call


class Tree(Protocol):
    """A repository at one commit. Paths use `/`, start at the root, and name files only."""

    def paths(self) -> Sequence[str]:
        """Every file's path."""
        ...

    def read(self, path: str) -> bytes | None:
        """A file's content; None when it is missing, too big, or the budget of reads is spent."""
        ...

    def notices(self) -> Sequence[Notice]:
        """What was left out, and why."""
        ...


class RemoteTree(Protocol):
    """A tree behind an API; what inspection asks for comes in at most two batches."""

    async def paths(self) -> Sequence[str]:
        """Every file's path, in one recursive call where the API answers it whole."""
        ...

    async def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The contents that could be read; whatever is missing or too big is left out."""
        ...

    def truncated(self) -> bool:
        """Whether the API cut the list of paths."""
        ...


def truncated_notice() -> Notice:
    """The warning for a tree that the API, or our own limit, did not show whole."""
    return Notice("tree_truncated", "the list of files is incomplete, so parts of the repository were not looked at")


class ListingTree:
    """A tree given as data: all paths, and the contents of some of them."""

    def __init__(
        self,
        paths: Iterable[str],
        files: Mapping[str, bytes | str],
        *,
        truncated: bool = False,
        reads: int = 10_000,
        unread: Iterable[str] = (),
    ) -> None:
        """`unread` names files whose contents were wanted and could not be had."""
        self._files = files
        self._truncated = truncated
        self._reads_left = reads
        self._unread = tuple(unread)
        self._paths, self._odd = _split_odd_names(dict.fromkeys([*paths, *files]))

    def paths(self) -> Sequence[str]:
        """Every path of the listing that is plain UTF-8."""
        return self._paths

    def read(self, path: str) -> bytes | None:
        """The given content, cut off above the size limit like any other tree's."""
        content = self._files.get(path)
        if content is None or self._reads_left <= 0:
            return None
        self._reads_left -= 1
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
        return raw if len(raw) <= MAX_FILE_BYTES else None

    def notices(self) -> Sequence[Notice]:
        """Names that could not be used, contents that could not be had, and whether the listing was cut."""
        unread = [Notice("not_read", "is too large or not a text, and was not read", path) for path in self._unread]
        return [*self._odd, *unread, *([truncated_notice()] if self._truncated else [])]


class FolderTree:
    """A folder on this machine. Symbolic links are followed only to plain files inside the folder."""

    def __init__(self, root: str | os.PathLike[str], *, reads: int = FOLDER_READS, max_paths: int = MAX_PATHS) -> None:
        self._root = Path(root).resolve(strict=True)
        self._reads_left = reads
        self._max_paths = max_paths
        self._paths: list[str] | None = None
        self._notices: list[Notice] = []

    def paths(self) -> Sequence[str]:
        """Every file below the folder, without dependencies and build output, found once."""
        if self._paths is None:
            self._paths = self._walk()
        return self._paths

    def read(self, path: str) -> bytes | None:
        """A file's content; None for anything that is not a plain file inside the folder, or too big."""
        if self._reads_left <= 0:
            return None
        self._reads_left -= 1
        try:
            real = (self._root / path).resolve(strict=True)
            if not real.is_relative_to(self._root):
                return self._skip("outside", "leads outside of the repository", path)
            return self._read_plain(real, path)
        except (OSError, RuntimeError, ValueError):  # a link to itself, a name the system refuses, no permission
            return self._skip("unreadable", "cannot be read", path)

    def notices(self) -> Sequence[Notice]:
        """What was skipped so far."""
        return tuple(self._notices)

    def _read_plain(self, real: Path, path: str) -> bytes | None:
        status = real.stat()
        if not stat.S_ISREG(status.st_mode):
            return self._skip("not_a_file", "is not a plain file", path)
        if status.st_size > MAX_FILE_BYTES:
            return self._skip("too_big", f"is larger than {MAX_FILE_BYTES} bytes and was not read", path)
        return real.read_bytes()

    def _skip(self, code: str, why: str, path: str) -> bytes | None:
        self._notices.append(Notice(code, why, path))
        return None

    def _walk(self) -> list[str]:
        found: list[str] = []
        for path in self._names():
            if len(found) >= self._max_paths:
                self._notices.append(truncated_notice())
                break
            found.append(path)
        plain, odd = _split_odd_names(found)
        self._notices.extend(odd)
        return plain

    def _names(self) -> Iterator[str]:
        base = len(str(self._root)) + 1
        for folder, subfolders, names in os.walk(self._root, followlinks=False):
            subfolders[:] = sorted(name for name in subfolders if not is_dropped_folder(name))
            prefix = folder[base:] + "/" if len(folder) > base else ""
            yield from (prefix + name for name in sorted(names))


def _split_odd_names(paths: Iterable[str]) -> tuple[list[str], list[Notice]]:
    """Plain paths, and one notice per kind of name that cannot be used: not UTF-8, absolute, or climbing out."""
    plain: list[str] = []
    odd: dict[str, Notice] = {}
    for path in paths:
        reason = _oddity(path)
        if reason is None:
            plain.append(path)
        elif reason not in odd:
            shown = path[:200].encode("utf-8", "backslashreplace").decode()
            odd[reason] = Notice("odd_name", reason, shown)
    return plain, list(odd.values())


def _oddity(path: str) -> str | None:
    if not path.isascii() and any("\ud800" <= letter <= "\udfff" for letter in path):
        return "a name is not UTF-8 and was left out"
    if "\0" in path or "\n" in path or "\r" in path:
        return "a name holds a control character and was left out"
    if path.startswith("/") or path.startswith("../") or "/../" in path:
        return "a path leads outside of the repository and was left out"
    return None
