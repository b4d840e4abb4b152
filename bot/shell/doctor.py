"""Checks the settings and what they lead to, one finding each, with what to do where something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from bot import messages
from bot.asked import Tables, Waits
from bot.clock import utc_now
from bot.composition.amazon import look_at_aws, open_tables
from bot.composition.desks import look_at_connections
from bot.composition.engines import open_engines
from bot.config import AwsSettings, Settings, from_environment, require_github
from bot.errors import ShipmateError
from bot.github.api import open_github
from bot.github.app import identity, installations
from bot.slack.checkup import look_at

LEAST_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    well: bool
    sentence: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


async def examine() -> list[Finding]:
    """Everything, in the order in which it is needed."""
    try:
        settings = from_environment()
    except ShipmateError as error:
        return [_failed("settings", error)]
    return [finding async for finding in _findings(settings)]


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield _git()
    yield _workdir(settings)
    yield _secret_key(settings)
    yield await _github(settings)
    if settings.slack is not None:
        yield Finding("slack", *await look_at(settings.slack))
    yield await _engine(settings)
    if settings.aws is not None:
        yield await _aws(settings.aws)
        async with open_tables(settings.aws) as tables:
            if tables is not None:
                yield await _tables(tables)
    for finding in await _connections(settings):
        yield finding


def _git() -> Finding:
    found = shutil.which("git")
    return Finding("git", bool(found), found or "is not installed: install git, which clones what is built")


def _workdir(settings: Settings) -> Finding:
    try:
        settings.workdir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(settings.workdir).free
    except OSError as error:
        return Finding("workdir", False, f"{settings.workdir} cannot be used ({error.strerror}): set SHIPMATE_WORKDIR")
    sentence = f"{settings.workdir}, {free / 1024**3:.1f} GiB free"
    return Finding("workdir", free >= LEAST_FREE_BYTES, sentence)


def _secret_key(settings: Settings) -> Finding:
    if settings.secret_key:
        return Finding("secret key", True, "is set; secrets can be sealed")
    return Finding("secret key", False, "SHIPMATE_SECRET_KEY is not set: secrets cannot be kept; set 32 random bytes")


async def _github(settings: Settings) -> Finding:
    try:
        github = require_github(settings)
        async with open_github(github.app_id, github.private_key, lambda _: None, api_url=github.api_url) as api:
            app = await identity(api.app)
            count = len(await installations(api.app))
    except ShipmateError as error:
        return _failed("github", error)
    where = f"signed in at {github.api_url} as {app.slug}; installed {count} times"
    return Finding("github", count > 0, where if count else f"{where}: install the app on a repository")


async def _engine(settings: Settings) -> Finding:
    try:
        async with open_engines(settings) as engines:
            engine = next(iter(engines.values()))
            running = len(await engine.target.owned())
    except ShipmateError as error:
        return _failed("engine", error)
    return Finding("engine", True, f"{engine.name} answers; {running} instances of ours")


async def _aws(at: AwsSettings) -> Finding:
    try:
        return Finding("aws", *await look_at_aws(at))
    except ShipmateError as error:
        return _failed("aws", error)


async def _tables(tables: Tables) -> Finding:
    """Whether the tables that deployments are asked for in, and the index over them, can be read."""
    try:
        waiting = await tables.deployments.waiting(Waits.SERVER, utc_now())
        kept = await tables.places.all()
    except ShipmateError as error:
        return _failed("tables", error)
    return Finding("tables", True, f"{len(waiting)} deployments wait there; {len(kept)} installations are kept")


async def _connections(settings: Settings) -> list[Finding]:
    """Whether each way in that somebody lent us still opens; AWS and GitHub are asked now."""
    try:
        looked = await look_at_connections(settings)
    except ShipmateError as error:
        return [_failed("connections", error)]
    return [
        _failed(f"connection {name}", fault) if fault else Finding(f"connection {name}", True, "still opens")
        for name, fault in looked
    ]


def _failed(name: str, error: ShipmateError) -> Finding:
    return Finding(name, False, messages.failure("en", error.code, error.facts))
