"""Finds which file of the repository a tool meant, or says that it is not certain."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable

_DEPENDENCIES = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|lib/python\d[\d.]*|node_modules|go/pkg/mod|\.venv"
    r"|\.(?:cargo|rustup|m2|gradle|pyenv|nvm))/"
)
_SYSTEM = re.compile(r"/(?:usr/(?:lib|lib64|include|share|local)|lib|lib64|etc|proc|sys|dev|var/lib|rustc)/")
"""Where images keep what is not the repository's; a working directory may lie there all the same."""
_DEEPEST_ROOT = 3
"""Folders an image may put above a lone file of the repository: `/usr/src/app/main.py`."""
_WINDOWS = re.compile(r"^[A-Za-z]:[\\/]|^[^/]*\\")
_PATH_CHARACTERS = 500


class RepositoryPaths:
    """The files that were sent to the build, as paths relative to the repository.

    `context` is the folder sent, `.` for all; what lies outside of it cannot be meant. `workdirs` are the image's
    working directories.
    """

    def __init__(self, paths: Iterable[str], context: str = ".", workdirs: Iterable[str] = ()) -> None:
        self._prefix = "" if context in {"", "."} else context.strip("/") + "/"
        inside = (path.removeprefix(self._prefix) for path in paths if path.startswith(self._prefix))
        self._files = frozenset(inside)
        folders = {folder.rstrip("/") + "/" for folder in workdirs} - {"/"}
        self._workdirs = sorted(folders, key=len, reverse=True)
        self._turned = sorted(_turned(path) for path in self._files)

    def find(self, written: str) -> str | None:
        """The repository's path of a path that a tool wrote; None where it is of none, or of several equally."""
        path = _plain(written)
        if not path or _DEPENDENCIES.search(path):
            return None
        found = self._absolute(path) if path.startswith("/") else self._relative(path)
        return None if found is None else self._prefix + found

    def _absolute(self, path: str) -> str | None:
        """Below a working directory it is as if written from there; elsewhere it must end with a file's whole path."""
        below = [path.removeprefix(folder) for folder in self._workdirs if path.startswith(folder)]
        if below:
            return next((found for one in below if (found := self._relative(one))), None)
        found = None if _SYSTEM.match(path) else self._ending(path)
        alone = found is not None and "/" not in found
        return None if alone and path.count("/") - 1 > _DEEPEST_ROOT else found

    def _relative(self, path: str) -> str | None:
        """The very file; else the one file below some folder; else the longest file that the path ends with."""
        if path in self._files:
            return path
        climbed = path.startswith("../")
        while path.startswith("../"):
            path = path[3:]
        below = self._below(path)
        if below:
            return _turned(below[0]).strip("/") if len(below) == 1 else None
        ending = None if climbed else self._ending(path)
        return ending if ending and "/" in ending else None

    def _below(self, path: str) -> list[str]:
        """The first two files, turned, that end with this path: one is certain, two are too many."""
        wanted = _turned(path)
        start = bisect_left(self._turned, wanted)
        return [one for one in self._turned[start : start + 2] if one.startswith(wanted)]

    def _ending(self, path: str) -> str | None:
        parts = path.strip("/").split("/")
        endings = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((one for one in endings if one in self._files), None)


def _turned(path: str) -> str:
    """`src/a.py` as `a.py/src/`, so that what ends alike stands together in order; twice turned it is as before."""
    return "/".join(reversed(path.strip("/").split("/"))) + "/"


def _plain(written: str) -> str:
    """With slashes, without a scheme, a drive, or `.`; empty for what cannot be a path."""
    path = written.strip().strip("\"'")
    if len(path) > _PATH_CHARACTERS or path.startswith("<"):
        return ""
    path = path.removeprefix("file://")
    if "://" in path:
        return ""
    if _WINDOWS.match(path):
        path = re.sub(r"^[A-Za-z]:", "", path).replace("\\", "/")
    plain = posixpath.normpath(path) if path else ""
    return "" if plain in {".", "..", "/"} else re.sub("^//", "/", plain)
