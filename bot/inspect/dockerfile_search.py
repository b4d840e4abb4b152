"""Which Dockerfile builds an application, and from which folder."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.inspect.dockerfile_parser import Dockerfile, parse_dockerfile
from bot.inspect.paths import copied, join, parent, shown
from bot.inspect.reader import Reader

CONTRACT_PATHS = ("Dockerfile", "docker/Dockerfile", "deployment/Dockerfile")
_OTHER_PATHS = (
    "Containerfile",
    "build/Dockerfile",
    "deploy/Dockerfile",
    ".docker/Dockerfile",
    "build/docker/Dockerfile",
)
_SUFFIXED = re.compile(r"(?:.*/)?(?:Dockerfile[.-]([\w.-]+)|([\w.-]+)\.[Dd]ockerfile)")
_PRODUCTION = re.compile(r"prod|production|release|web|app|server", re.IGNORECASE)
_NEVER = re.compile(r"dev|develop|development|test|testing|local|ci|debug|e2e|lint|docs", re.IGNORECASE)


@dataclass(frozen=True)
class DockerfileChoice:
    """A Dockerfile that was found: its path and its build context, both from the repository's root, and why."""

    path: str
    context: str
    why: str


def choose_dockerfile(reader: Reader, root: str = "") -> DockerfileChoice | None:
    """The Dockerfile for the application in `root`: the contract's three paths first, then what else is usual."""
    for name in (*CONTRACT_PATHS, *_OTHER_PATHS):
        path = join(root, name)
        if path in reader.index and reader.text(path) is not None:
            return DockerfileChoice(path, build_context(reader, path, root), f"{path} is there")
    suffixed = _suffixed(reader, root)
    if suffixed:
        why = f"{suffixed} is the only kind of Dockerfile, and its name is for production"
        return DockerfileChoice(suffixed, build_context(reader, suffixed, root), why)
    return None


def _suffixed(reader: Reader, root: str) -> str | None:
    for place in ("", "docker", "deployment", "deploy"):
        base = join(root, place)
        names = [
            p for p in reader.index.below(base) if parent(p) == base and (m := _SUFFIXED.fullmatch(p)) and _usable(m)
        ]
        production = [name for name in names if _PRODUCTION.search(name.rpartition("/")[2])]
        if production:
            return production[0]
    return None


def _usable(match: re.Match[str]) -> bool:
    words = re.split(r"[._-]", match[1] or match[2])
    return "dockerignore" not in words and not any(_NEVER.fullmatch(word) for word in words)


def build_context(reader: Reader, path: str, root: str) -> str:
    """The folder from which every COPY of a Dockerfile resolves; the root wins a tie except for an app's own folder."""
    own = parent(path)
    parsed = parse_dockerfile(reader.text(path) or "")
    sources = copied_sources(parsed)
    candidates = (
        [root, own, ""]
        if own.rpartition("/")[2] in ("docker", "deployment", "deploy", "build", ".docker")
        else [own, root, ""]
    )
    best = max(dict.fromkeys(candidates), key=lambda base: _resolved(reader, base, sources))
    return shown(best)


def copied_sources(parsed: Dockerfile) -> list[str]:
    """What COPY and ADD take from the build context, wildcards and variables left out."""
    sources = []
    for instruction in parsed.instructions:
        if instruction.keyword in ("COPY", "ADD") and not instruction.flag("from"):
            words = instruction.words()[:-1]
            sources += [w for w in words if not re.search(r"[$*?\[]|^https?:|^git@|^<<", w)]
    return sources


def _resolved(reader: Reader, base: str, sources: list[str]) -> int:
    return sum(1 for source in sources if reader.index.holds(copied(base, source)))
