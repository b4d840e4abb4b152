"""`shipmate aws`: what an environment on ECS stands on is shown, made where it is missing, or deleted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot import ground, messages
from bot.config import from_environment
from bot.masking import Masker
from bot.ports.ground import PartAction, PlannedPart
from bot.shell.repository import of_repository
from bot.shell.trail import told

if TYPE_CHECKING:
    from bot.composition.ground import OpenGround

T = TypeVar("T")
NOTHING_TO_DO, TO_DO = 0, 2
DONE = (PartAction.CREATE, PartAction.CHANGE, PartAction.DELETE)


def of_environment(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options by which all three find their environment."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for decorate in (
        click.option(
            "--repository-id", type=click.IntRange(1), help="With --file: its number; GitHub is not asked then."
        ),
        click.option("--file", type=file, help="Read .shipmate.yml here, not on the default branch."),
        click.argument("environment"),
        of_repository,
    ):
        command = decorate(command)
    return command


@click.group()
def aws() -> None:
    """What an environment on ECS stands on. Network, load balancer, cluster and roles."""


@aws.command("plan")
@of_environment
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--detailed-exitcode", is_flag=True, help="0 where there is nothing to do, 2 where there is.")
def plan(as_json: bool, detailed_exitcode: bool, **asked: Any) -> None:
    """Show what is there and what `apply` would do. Nothing is done. + create, ~ change, = keep, ← take as it is."""
    parts = _on_ground(lambda opened: opened.ground.looked_at(opened.spec), asked)
    if as_json:
        click.echo(json.dumps({"parts": [ground.to_json(part) for part in parts]}, indent=2))
    else:
        _show(parts)
    sys.exit(TO_DO if detailed_exitcode and ground.of(parts, *DONE) else NOTHING_TO_DO)


@aws.command("apply")
@of_environment
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(yes: bool, **asked: Any) -> None:
    """Make what is missing and change what differs. What it did before it was broken off is found again."""

    async def work(opened: OpenGround) -> None:
        parts = await opened.ground.looked_at(opened.spec)
        if _goes_on(parts, yes):
            await opened.ground.provide(opened.spec, _tell)
            await told(opened.trail, "aws apply", asked["environment"], asked["repository"])

    _on_ground(work, asked)


@aws.command("destroy")
@of_environment
@click.option("--all", "whole", is_flag=True, help="Its secrets too, and the images of all environments.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(whole: bool, yes: bool, **asked: Any) -> None:
    """Delete the service and all that was made for it. What the settings name, or others made, stays."""

    async def work(opened: OpenGround) -> None:
        images = opened.images if whole else None
        parts = await opened.ground.doomed(opened.spec, images)
        if _goes_on(parts, yes):
            await opened.ground.remove(opened.spec, _tell, images)
            await told(opened.trail, "aws destroy", asked["environment"], asked["repository"])

    _on_ground(work, asked)


def _goes_on(parts: Sequence[PlannedPart], yes: bool) -> bool:
    """Whether there is anything to do, and somebody wants it."""
    _show(parts)
    if not ground.of(parts, *DONE):
        return False
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: give --yes.")
    return yes or click.confirm(messages.say(_locale(), "ground.confirm"), err=True)


def _show(parts: Sequence[PlannedPart]) -> None:
    """A line each, and how many there are of each kind."""
    for part in parts:
        click.echo(ground.line(_locale(), part))
    counts = {action.value: len(ground.of(parts, action)) for action in PartAction}
    key = "ground.sum" if ground.of(parts, *DONE) else "ground.nothing_to_do"
    click.echo(messages.say(_locale(), key, **counts))


def _tell(part: PlannedPart) -> None:
    click.echo(f"✓ {ground.line(_locale(), part)}")


def _locale() -> str:
    return from_environment().locale


def _on_ground(use: Callable[[OpenGround], Awaitable[T]], asked: dict[str, Any]) -> T:
    from bot.composition.ground import Asked, open_ground

    async def within() -> T:
        async with open_ground(from_environment(), Masker(), Asked(**asked)) as opened:
            return await use(opened)

    return asyncio.run(within())
