"""Decides what reports call a repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.jobs.analysis.repositories.addresses import is_url, without_password


def name_of(target: str) -> str:
    """`owner/name` of a URL; of a path the name of the folder that holds the repository around it."""
    if is_url(target):
        parts = _bare(without_password(target).rstrip("/")).replace(":", "/").split("/")
        return "/".join(part for part in parts[-2:] if part)
    return _bare(_home_of(target).name)


def names_of(targets: Sequence[str]) -> dict[str, str]:
    """What reports call several repositories, each once: a folder of a name others have by its parent's too."""
    names = {target: name_of(target) for target in targets}
    several = {name for name, count in Counter(names.values()).items() if count > 1}
    return {target: _longer(target) if name in several else name for target, name in names.items()}


def _longer(target: str) -> str:
    return without_password(target) if is_url(target) else _bare("/".join(_home_of(target).parts[-2:]))


def _bare(name: str) -> str:
    """Without what bare repositories and addresses end with."""
    return name.removesuffix(".git")


def _home_of(target: str) -> Path:
    """The top of the work tree around a path, or the bare repository; the path itself where there is neither."""
    path = Path(target).resolve()
    for folder in (path, *path.parents):
        if folder.name == ".git" or (folder / ".git").exists():
            return folder.parent if folder.name == ".git" else folder
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return folder
    return path
