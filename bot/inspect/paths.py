"""Which paths count: dependencies and build output are dropped, tests and examples weigh less."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property

DROPPED_FOLDERS = frozenset(
    (
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "bower_components",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".next",
        ".nuxt",
        ".svelte-kit",
        ".gradle",
        ".idea",
        ".terraform",
        ".bundle",
        ".eggs",
        "site-packages",
        "jspm_packages",
        ".turbo",
        ".cache",
        "Pods",
        "DerivedData",
        "elm-stuff",
        ".dart_tool",
        ".stack-work",
        "dist-newstyle",
        "_build",
    )
)
# Vendored and built files prove nothing, yet a listing may hold them; `vendor/modules.txt` and friends stay readable.
_DROPPED = re.compile(
    r"(?:^|/)(?:vendor|third_party|fixtures|__fixtures__|testdata|target|themes|META-INF|BOOT-INF|WEB-INF)/(?!modules\.txt$)",
    re.IGNORECASE,
)
_OUTPUT = re.compile(r"(?:^|/)(?:dist|build|out|obj|bin/Debug|bin/Release)/")
_DEMOTED = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|e2e|examples?|samples?|demos?|docs?|documentation|\.github|\.devcontainer|"
    r"\.circleci|infra|infrastructure|terraform|supabase/functions|seed-data|benchmarks?|scripts|tools?|tooling|"
    r"[\w.-]+[-_.](?:tests?|e2e|examples?|samples?)|cypress|playwright|integration-tests?|storybook|\.storybook|templates?)(?:/|$)",
    re.IGNORECASE,
)


def is_dropped_folder(name: str) -> bool:
    """Whether a folder of this name holds dependencies, caches or history, wherever it stands."""
    return name in DROPPED_FOLDERS


def is_demoted(folder: str) -> bool:
    """Whether an application in this folder is probably a test, an example or tooling rather than the product."""
    return bool(_DEMOTED.search(folder))


def is_output(path: str) -> bool:
    """Whether a path lies in a folder that builds write to."""
    return bool(_OUTPUT.search(path))


class PathIndex:
    """All paths that count, sorted, so that a folder's files are one slice."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._whole = tuple(paths)
        kept = [path for path in self._whole if not _is_dropped(path)]
        self._sorted: Sequence[str] = sorted(kept)
        self._set = frozenset(kept)

    def __contains__(self, path: str) -> bool:
        return path in self._set

    def __len__(self) -> int:
        return len(self._sorted)

    def all(self) -> Sequence[str]:
        """Every path, sorted."""
        return self._sorted

    def below(self, folder: str) -> Sequence[str]:
        """The paths below a folder (`""` is the root), still from the repository's root, sorted."""
        return _below(self._sorted, folder) if folder else self._sorted

    def holds(self, path: str) -> bool:
        """Whether a file or a folder stands there, be it one that does not count: a build may copy it all the same."""
        return path in self._set or path in ("", ".") or path in self._all_names or bool(_below(self._in_order, path))

    @cached_property
    def _all_names(self) -> frozenset[str]:
        return frozenset(self._whole)

    @cached_property
    def _in_order(self) -> Sequence[str]:
        return sorted(self._whole)


def _below(ordered: Sequence[str], folder: str) -> Sequence[str]:
    start = bisect_left(ordered, folder + "/")
    return ordered[start : bisect_left(ordered, folder + "0")]  # "0" follows "/" in ASCII


def _is_dropped(path: str) -> bool:
    if "/" not in path:
        return False
    return _DROPPED.search(path) is not None or not DROPPED_FOLDERS.isdisjoint(path.split("/")[:-1])


def depth(folder: str) -> int:
    """How many folders stand above the files of `folder` (0 at the root)."""
    return folder.count("/") + 1 if folder else 0


def join(folder: str, name: str) -> str:
    """`name` inside `folder`, both from the repository's root; `.` and `""` both mean the root."""
    base = "" if folder in ("", ".") else folder.rstrip("/")
    clean = name.removeprefix("./")
    return f"{base}/{clean}" if base and clean else base or clean


def copied(context: str, source: str) -> str:
    """What a COPY's source names, from the repository's root: `/x`, `./x/.` and `../x` stay in the context."""
    return join(context, posixpath.normpath(f"/{source}").lstrip("/"))


def parent(path: str) -> str:
    """The folder that holds a path, `""` at the root."""
    return path.rpartition("/")[0]


def normal(folder: str) -> str:
    """A folder as people write it (`./web/`, `.`) as it is known here: `web`, and `""` for the root."""
    clean = folder.strip().removeprefix("./").strip("/")
    return "" if clean == "." else clean


def shown(folder: str) -> str:
    """A folder as people and the JSON see it: `.` for the root."""
    return folder or "."
