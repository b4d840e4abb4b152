"""Takes the remarks on the repository's files out of a failed build's log, as facts for those who report it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from bot.annotations.collect import as_facts, remarks
from bot.annotations.paths import RepositoryPaths
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.inspect.tree import FolderTree

MAX_PATHS = 100_000


def build_remarks(
    log: Sequence[str], source: Path, dockerfile: str, context: str, *, made: bool
) -> list[dict[str, str | int]]:
    """Remarks as plain JSON. Reads the checkout `source`; a Dockerfile that was made is no file of the repository."""
    paths = [path for path in FolderTree(source, max_paths=MAX_PATHS).paths() if not made or path != dockerfile]
    text = (source / dockerfile).read_text(encoding="utf-8", errors="replace")
    return as_facts(remarks(log, RepositoryPaths(paths, context, workdirs(text))))


def workdirs(dockerfile: str) -> list[str]:
    """The absolute working directories that a Dockerfile names; one that depends on a build argument is left out."""
    parsed = parse_dockerfile(dockerfile)
    found: list[str] = []
    for stage in parsed.stages:
        here = "/"
        for instruction in stage.all("WORKDIR"):
            here = posixpath.normpath(posixpath.join(here, instruction.value.strip().strip("\"'")))
            found += [] if "$" in here else [here]
    return found
