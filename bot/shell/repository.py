"""How the shell is told which repository a command is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def full_name(_: click.Context, __: click.Parameter, given: str) -> str:
    """`owner/name` as it was given. Raises BadParameter for anything else."""
    owner, slash, name = given.partition("/")
    if not (slash and owner and name) or "/" in name:
        raise click.BadParameter(f"{given!r} is not of the form owner/name.")
    return given


def of_repository(command: Command) -> Command:
    """The argument REPOSITORY, checked."""
    return click.argument("repository", metavar="OWNER/REPO", callback=full_name)(command)
