"""Looks a Dockerfile of the repository over for what makes builds fail or releases unsafe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dockerfile_parser import Dockerfile, Instruction, parse_dockerfile
from bot.inspect.dockerfile_search import copied_sources
from bot.inspect.model import Notice
from bot.inspect.paths import copied, join
from bot.inspect.reader import Reader

_BUILD_OUTPUT = re.compile(r"(?:^|/)(?:target/[^/]*\.[jw]ar|build/libs/.+|bin/Release/.+)$")
_LOCKS = {"npm ci": "package-lock.json", "yarn install": "yarn.lock", "pnpm install": "pnpm-lock.yaml"}
_PREDEFINED = frozenset(
    f"{side}{fact}" for side in ("TARGET", "BUILD") for fact in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
"""https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope"""


def check_dockerfile(reader: Reader, path: str, context: str) -> list[Notice]:
    """Warnings about a Dockerfile built from `context`, each with its line; none when there is nothing to say."""
    parsed = parse_dockerfile(reader.text(path) or "")
    if parsed.final is None:
        return [Notice("dockerfile_empty", "has no FROM, so nothing can be built from it", path)]
    base = "" if context == "." else context
    found = [*_missing_sources(parsed, reader, base), *_missing_locks(parsed, reader, base), *_open_arguments(parsed)]
    found += [*_hub_images(parsed), *_run_as_root(parsed), *_no_port(parsed)]
    return [Notice(code, text, path, line) for code, text, line in found]


Finding = tuple[str, str, int | None]


def _missing_sources(parsed: Dockerfile, reader: Reader, base: str) -> Iterator[Finding]:
    for instruction in parsed.instructions:
        if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from"):
            continue
        for source in instruction.words()[:-1]:
            if re.search(r"[$*?\[]|^https?:|^git@|^<<", source):
                continue
            if reader.index.holds(copied(base, source)):
                continue
            if _BUILD_OUTPUT.search(source):
                yield (
                    "needs_prebuild",
                    f"copies {source}, which a build outside of it has to make first",
                    instruction.line,
                )
            else:
                yield "copy_source_missing", f"copies {source}, which is not in the build context", instruction.line


def _missing_locks(parsed: Dockerfile, reader: Reader, base: str) -> Iterator[Finding]:
    places = [base, *(copied(base, source) for source in copied_sources(parsed))]
    for run in (i for i in parsed.instructions if i.keyword == "RUN"):
        for command, lock in _LOCKS.items():
            frozen = command == "npm ci" or "--frozen-lockfile" in run.value or "--immutable" in run.value
            there = any(join(place, lock) in reader.index for place in places)
            if command in run.value and frozen and not there:
                yield "lock_missing", f"{command} needs {lock}, which is not in the build context", run.line


def _open_arguments(parsed: Dockerfile) -> Iterator[Finding]:
    """Arguments without a default that a FROM needs: the build fails unless someone passes them."""
    for stage in parsed.stages:
        for name in re.findall(r"\$\{?(\w+)\}?(?!:-)", stage.image):
            if parsed.arguments.get(name) is None and name not in _PREDEFINED and ":-" not in stage.image:
                yield (
                    "argument_without_default",
                    f"FROM needs the build argument {name}, which has no default",
                    stage.line,
                )


def _hub_images(parsed: Dockerfile) -> Iterator[Finding]:
    names = {stage.name for stage in parsed.stages} | {"scratch"}
    for stage in parsed.stages:
        official = "/" not in stage.image and "$" not in stage.image
        if official and stage.image.lower() not in names:
            mirror = f"public.ecr.aws/docker/library/{stage.image}"
            yield "docker_hub", f"{stage.image} comes from Docker Hub and its limits; {mirror} is the same", stage.line


def _run_as_root(parsed: Dockerfile) -> Iterator[Finding]:
    users: list[Instruction] = [user for stage in parsed.ancestry() if (user := stage.last("USER"))]
    last = parsed.final.line if parsed.final else None
    if not users or users[0].value.partition(":")[0] in ("root", "0"):
        yield "runs_as_root", "the last stage runs as root unless its base image says otherwise", last


def _no_port(parsed: Dockerfile) -> Iterator[Finding]:
    if not parsed.ports():
        yield "no_expose", "exposes no port; name it with port: under build: in .shipmate.yml", None
