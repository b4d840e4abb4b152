"""Chooses where the demo builds and runs: a Docker engine where one answers, else local processes, and says so."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.config import from_environment
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.images import can_pull, forget_images_of, forget_names_under
from bot.engines.standin.bases import local_version, make_base
from bot.errors import ShipmateError, UserMistake

OFFICIAL = "public.ecr.aws/docker/library"
SAMPLE_BASES = ("python:3.11-slim", "python:3.13-slim")
"""What the samples are built from: one names its base, the other gets the default Python."""


class Say(Protocol):
    """Tells a person a sentence of the demo's, by its key."""

    def __call__(self, key: str, /, **facts: str) -> None:
        """The key without `demo.`."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine, and the registry of base images its builds are given."""

    engine: str
    base_registry: str | None = None


async def choose_engine(wanted: str, owner: str, say: Say) -> Chosen:
    """`docker` and `process` are taken as asked; `auto` is Docker where it answers.

    Where no image can be pulled, base images are made from this machine's own files, under the `owner`'s name. Raises
    Transient("engine_unavailable") when Docker was asked for and does not answer.
    """
    if wanted == "process":
        return Chosen("process")
    try:
        async with _engine() as api:
            return Chosen("docker", await _bases(api, owner, say))
    except ShipmateError as error:
        if wanted == "docker" or isinstance(error, UserMistake):
            raise
        say("no_engine")
        say("install_engine")
        return Chosen("process")


async def forget_images(owner: str) -> None:
    """Remove from the engine, where one answers, what was built for `owner` and the bases made for it. Repeatable."""
    with contextlib.suppress(ShipmateError):
        async with _engine() as api:
            await forget_images_of(api, owner)
            await forget_names_under(api, owner)


@asynccontextmanager
async def _engine() -> AsyncIterator[EngineApi]:
    given = from_environment().docker_host
    api = EngineApi(EngineAddress(given) if given else None)
    try:
        yield api
    finally:
        await api.close()


async def _bases(api: EngineApi, owner: str, say: Say) -> str | None:
    """None where the official images can be had; else a name under which this engine has stand-ins for them.

    Builds are given it as `--build-arg REGISTRY=…`: names under it are found on the engine itself.
    """
    version = (await api.ask("GET", "version"))["Version"]
    say("engine", version=version)
    if all([await can_pull(api, f"{OFFICIAL}/{base}") for base in SAMPLE_BASES]):
        return None
    own = await local_version("python")
    say("own_base", version=own)
    await make_base(api, "python", [f"{owner}/{base}" for base in SAMPLE_BASES], keep=False)
    return owner
