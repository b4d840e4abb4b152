"""Decides how an application is started as a local process: what its Dockerfile says, where no command was given."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bot.errors import Permanent
from bot.inspect.dockerfile_parser import Dockerfile, Instruction, parse_dockerfile
from bot.ports.images import BuildRequest

_OF_THE_IMAGE = frozenset({"PATH", "HOME", "VIRTUAL_ENV", "PYTHONPATH", "NODE_PATH", "LD_LIBRARY_PATH"})
"""Variables that name places inside an image, which are not here."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A command for `/bin/sh -c`, the folder it runs in (relative to the tree), and variables of its own."""

    command: str
    folder: str = "."
    env: dict[str, str] = field(default_factory=dict)


def read_recipe(request: BuildRequest) -> Recipe:
    """The command given, else ENTRYPOINT and CMD of the Dockerfile; ENV as far as it holds no places of the image.

    Raises Permanent("build_failed") where neither says how to start.
    """
    path = request.context / request.dockerfile
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() and not path.is_symlink() else ""
    dockerfile = parse_dockerfile(text)
    command = request.start_command or _command(dockerfile)
    if not command:
        message = "nothing says how to start it: set `build.start` in `.shipmate.yml`"
        raise Permanent("build_failed", exit_code=None, step=None, message=message)
    env = {name: value for name, value in _variables(dockerfile).items() if name not in _OF_THE_IMAGE}
    return Recipe(command, _folder(dockerfile, request.context), env)


def _command(dockerfile: Dockerfile) -> str:
    """Unlike `Dockerfile.command`, with variables left to the shell: PORT differs from one start to the next."""
    found = []
    for keyword in ("ENTRYPOINT", "CMD"):
        instruction = next((one for stage in dockerfile.ancestry() if (one := stage.last(keyword))), None)
        if instruction is not None and instruction.value != "[]":
            found.append(_as_shell(instruction))
    return " ".join(found)


def _as_shell(instruction: Instruction) -> str:
    is_exec_form = instruction.value.startswith("[")
    return shlex.join(instruction.words()) if is_exec_form else instruction.value


def _variables(dockerfile: Dockerfile) -> dict[str, str]:
    named = {
        word.partition("=")[0]
        for stage in dockerfile.ancestry()
        for instruction in stage.all("ENV")
        for word in instruction.words()
    }
    return {name: value for name, value in dockerfile.variables.items() if name in named and "$" not in value}


def _folder(dockerfile: Dockerfile, context: Path) -> str:
    """Where WORKDIR's content comes from: the one folder copied there, else the whole context."""
    for stage in dockerfile.ancestry():
        for instruction in reversed(stage.all("COPY")):
            if instruction.flag("from") is None and len(words := instruction.words()) == 2:
                source = PurePosixPath(words[0].lstrip("/"))
                if ".." not in source.parts and (context / source).is_dir() and not (context / source).is_symlink():
                    return str(source)
    return "."
