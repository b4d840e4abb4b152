"""Asks the inspector which frameworks a commit uses: the one place where the analysis knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, Notice
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.reports.report import Framework
from bot.jobs.analysis.repositories.git import Coprocess, Git

_MAX_FILE_BYTES = 1_000_000


class CommitTree:
    """The files of a commit as the inspector reads them. Names that are no UTF-8 are not shown to it."""

    def __init__(self, git: Git, blobs: Mapping[bytes, bytes]) -> None:
        self._contents = Coprocess(git, "cat-file", "--batch")
        self._blobs = {readable(path): blob for path, blob in blobs.items() if _is_utf8(path)}

    def paths(self) -> Sequence[str]:
        """Every file's path."""
        return list(self._blobs)

    def read(self, path: str) -> bytes | None:
        """A file's content; None when it is missing or too big."""
        blob = self._blobs.get(path)
        content = self._contents.ask_blob(blob) if blob else None
        return content if content is not None and len(content) <= _MAX_FILE_BYTES else None

    def notices(self) -> Sequence[Notice]:
        """Nothing is left out without a word."""
        return ()

    def close(self) -> None:
        """Stop reading."""
        self._contents.close()


def find_frameworks(git: Git, blobs: Mapping[bytes, bytes]) -> list[Framework]:
    """The framework of each application found among the files (path to blob), with what told so."""
    with closing(CommitTree(git, blobs)) as tree:
        apps = inspect_tree(tree).apps
    return [Framework(app.framework, app.path, _evidence(app)) for app in apps if app.framework]


def _evidence(app: AppPlan) -> str:
    """The first reason for the framework: a file, its line, and why."""
    for reason in app.evidence:
        if reason.field == "framework":
            where = reason.path or app.path
            return f"{where}:{reason.line}: {reason.why}" if reason.line else f"{where}: {reason.why}"
    return app.path


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
