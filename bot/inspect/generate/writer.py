"""Writes Dockerfile lines so that nothing taken from a repository can change what an instruction means."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from bot.inspect.errors import UnsafeCommand
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

REGISTRY = "public.ecr.aws/docker/library"
RUN_USER = "10001"
_NAME = re.compile(r"[\w@+][\w.@+-]*(?:/[\w.@+-]+)*/?|\.{1,2}(?:/[\w.@+-]+)*/?|\.[\w][\w.@+/-]*")
_IMAGE = re.compile(r"[\w${}][\w${}./:@-]*")
_PLAIN_WORD = re.compile(r"[\w.,:/@=+%^-]+")
_SHELL = re.compile(r"[$`|&;<>(){}*?~#!\\\"'\n]|^\w+=")
_SEQUENCE = re.compile(r"(.*(?:&&|;)\s*)([^&;|]+)")


def safe_name(text: str, meaning: str) -> str:
    """A path or name that may stand unquoted in an instruction; anything else is refused with how to say it."""
    if not _NAME.fullmatch(text) or ".." in text.split("/"):
        raise UnsafeCommand(
            "unsafe_name",
            f"The {meaning} {text[:80]!r} holds characters that are not put into a Dockerfile.",
            "build:\n  dockerfile: Dockerfile",
        )
    return text


def safe_command(text: str, key: str) -> str:
    """A command that stays one line; control characters are refused."""
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        raise UnsafeCommand(
            "unsafe_command",
            f"The {key} command holds a line break or a control character.",
            f"build:\n  {key}: <the command on one line>",
        )
    return text


def run_form(command: str, key: str = "build") -> str:
    """The argument of RUN: plain words as they are, anything the Dockerfile syntax could touch as JSON."""
    safe_command(command, key)
    if command.startswith(("[", "--")) or "\\" in command or "<<" in command or command.rstrip().endswith("`"):
        return json.dumps(["sh", "-c", command])
    return command


def command_form(command: str) -> str:
    """CMD in exec form: words where there is nothing for a shell, else a shell that hands itself over."""
    safe_command(command, "start")
    if not _SHELL.search(command):
        return json.dumps(shlex.split(command))
    return json.dumps(["sh", "-c", _handed_over(command)], ensure_ascii=False)


def _handed_over(command: str) -> str:
    """`exec` before the last simple command, so that signals reach the program and not the shell."""
    if re.search(r"\||(?<!&)&(?!&)|(?:^|&&|;)\s*exec\s", command):
        return command
    assigned = re.match(r"((?:\w+=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*\s+)+)", command)
    if assigned and not _SEQUENCE.fullmatch(command):
        return f"exec env {command}"
    sequence = _SEQUENCE.fullmatch(command)
    if sequence and _is_unquoted(sequence[1]):
        return f"{sequence[1]}exec {sequence[2]}"
    return command if sequence else f"exec {command}"


def _is_unquoted(start: str) -> bool:
    """Whether every quotation that was opened is closed again, so that what follows stands outside of them."""
    return start.count("'") % 2 == 0 and start.count('"') % 2 == 0


class Writer:
    """Collects a Dockerfile. Every stage starts with `stage`; `buildkit` off leaves cache mounts out."""

    def __init__(self, *, buildkit: bool = True, told: Mapping[str, str] = MappingProxyType({})) -> None:
        """`told` has the commands that .shipmate.yml gives, by their key of `build:`."""
        self._buildkit = buildkit
        self._told = told
        self._lines: list[str] = [f"ARG REGISTRY={REGISTRY}"]
        self._settings: dict[int, str] = {}
        self._has_all = False  # the whole context was copied to where the stage now works

    @property
    def settings(self) -> Mapping[int, str]:
        """Which key of `build:` decides a line, by the line's number from 1; a line that none does is left out."""
        return self._settings

    def stage(self, image: str, name: str | None = None) -> None:
        """Begin a stage from an image of the registry, `node:22-slim`, or from an earlier stage or a full address."""
        if not _IMAGE.fullmatch(image):
            raise UnsafeCommand(
                "unsafe_image", f"{image[:80]!r} is not the name of an image.", "build:\n  runtime: <a version>"
            )
        source = image if "/" in image.partition(":")[0] or ":" not in image else f"${{REGISTRY}}/{image}"
        self._lines += ["", f"FROM {source}{f' AS {name}' if name else ''}"]
        self._has_all = False
        if source != image:
            self._note("runtime")

    def add(self, *lines: str) -> None:
        """Add lines as they are."""
        self._lines += lines
        self._has_all = self._has_all and not any(line.startswith("WORKDIR ") for line in lines)

    def argument(self, name: str, default: str) -> None:
        """Declare a build argument before the first stage, as REGISTRY is."""
        self._lines.append(f"ARG {name}={default}")

    def copy(
        self,
        sources: Iterable[str],
        target: str,
        *,
        from_stage: str | None = None,
        owner: bool = False,
        key: str | None = None,
    ) -> None:
        """Copy names; those that are unusual are refused. Nothing is written for no source, nor for all of it twice.

        `owner` gives the files to the user that runs, for applications that write beside their sources.
        """
        names = list(sources)
        if names == ["."] and from_stage is None and target in (".", "./"):
            if self._has_all:
                return
            self._has_all = True
        for name in names:
            safe_name(name.removeprefix("/") if from_stage else name, "file name")
        if names:
            origin = f"--from={from_stage} " if from_stage else ""
            owned = f"--chown={RUN_USER}:{RUN_USER} " if owner else ""
            self._lines.append(f"COPY {origin}{owned}{' '.join(names)} {target}")
            self._note(key)

    def run(self, command: str, *caches: str, key: str | None = None) -> None:
        """Run a command, with cache mounts at these folders. `key` of `build:` would say another."""
        mounts = "".join(f"--mount=type=cache,target={cache} " for cache in caches) if self._buildkit else ""
        self._lines.append(f"RUN {mounts}{run_form(command, key or 'build')}")
        self._note(key)

    def told(self, key: str) -> bool:
        """Whether .shipmate.yml gives the command of this key."""
        return key in self._told

    def step(self, key: str, command: str, *caches: str) -> None:
        """The step that a key of `build:` stands for: what is told there, with the sources at hand, else `command`."""
        if self.told(key):
            self.copy(["."], ".")
        self.run(self._told.get(key, command), *caches, key=key)

    def env(self, **values: str) -> None:
        """Set environment variables."""
        quoted = [
            f"{name}={value if _PLAIN_WORD.fullmatch(value) else json.dumps(value)}" for name, value in values.items()
        ]
        self._lines.append(f"ENV {' '.join(quoted)}")

    def finish(self, start: str, port: int | None, *, user: str = RUN_USER) -> None:
        """The common end: a numeric user, the port, the command."""
        if port:
            self.env(PORT=str(port))
        self._lines.append(f"USER {user}")
        if port:
            self._lines.append(f"EXPOSE {port}")
        self._lines.append(f"CMD {command_form(start)}")
        self._note("start")

    def _note(self, key: str | None) -> None:
        """The line written last is decided by this key."""
        if key:
            self._settings[len(self._lines)] = key

    def text(self) -> str:
        """The Dockerfile."""
        return "\n".join(self._lines) + "\n"


def apt(packages: Sequence[str]) -> str:
    """The command that installs Debian packages and leaves no lists behind."""
    names = " ".join(packages)
    return f"apt-get update && apt-get install -y --no-install-recommends {names} && rm -rf /var/lib/apt/lists/*"


def run_all(writer: Writer, plan: AppPlan, image: str, place: str = "", *, user: str = RUN_USER) -> None:
    """The run stage after a build that .shipmate.yml gives: nobody knows what it leaves, so all of /src is taken.

    `place` is the application's folder in it.
    """
    writer.stage(image)
    writer.add(f"WORKDIR {join('/app', place)}")
    writer.copy(["/src/"], "/app/", from_stage="build")
    writer.finish(plan.start or "", plan.port, user=user)
