"""Everything one process holds open: settings, store, GitHub, Slack and the engines."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.asked import Tables
from bot.composition.amazon import open_accounts, open_ecs, open_tables
from bot.composition.engines import open_engines
from bot.config import Settings, require_github
from bot.github.api import GitHub, open_github
from bot.github.app import identity
from bot.links import Links
from bot.masking import Masker
from bot.ports.engines import Accounts, AnyEngine, Engine
from bot.process.identity import this_worker
from bot.process.metrics import Metrics
from bot.slack.composition import SlackSide, open_slack_side
from storage.opened import OpenStore, open_store


class BotLogin:
    """The login our comments stand under, asked once."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._login: str | None = None

    async def __call__(self) -> str:
        if self._login is None:
            self._login = (await identity(self._github.app)).bot_login
        return self._login


@dataclass(frozen=True, slots=True)
class House:
    """Everything one process holds open."""

    settings: Settings
    masker: Masker
    metrics: Metrics
    opened: OpenStore
    github: GitHub
    engines: Mapping[str, AnyEngine]
    links: Links
    login: BotLogin
    name: str
    slack: SlackSide | None = None
    accounts: Accounts | None = None
    """Other people's, which an environment with a connection is deployed to."""
    tables: Tables | None = None
    """Where deployments are asked for away from this server."""

    @property
    def targets(self) -> tuple[str, ...]:
        """What this server can deploy to, its own engine first."""
        return tuple(self.engines)

    @property
    def own_engines(self) -> dict[str, Engine]:
        """Those where we run instances and move traffic ourselves."""
        return {name: engine for name, engine in self.engines.items() if isinstance(engine, Engine)}


@asynccontextmanager
async def open_house(settings: Settings, masker: Masker) -> AsyncIterator[House]:
    """Open the store, GitHub and the engines; close them at the end. Raises UserMistake for bad settings."""
    github_settings = require_github(settings)
    for secret in github_settings.webhook_secrets:
        masker.register(secret.decode())
    if settings.secret_key:
        masker.register(settings.secret_key.decode())
    if settings.registry and settings.registry.password:
        masker.register(settings.registry.password)
    settings.workdir.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        opened = await open_store(
            settings.database_url, secret_key=settings.secret_key, max_waiting=settings.max_waiting
        )
        stack.push_async_callback(opened.close)
        github = await stack.enter_async_context(
            open_github(
                github_settings.app_id, github_settings.private_key, masker.register, api_url=github_settings.api_url
            )
        )
        engines = await stack.enter_async_context(open_all_engines(settings, masker))
        docker = engines.get("docker")
        builds = docker if isinstance(docker, Engine) else None
        accounts = await stack.enter_async_context(open_accounts(settings, builds, masker, opened.store.connections))
        links = Links(settings.public_url, link_key(settings))
        slack = await stack.enter_async_context(open_slack_side(settings, links.key, masker.register))
        login = BotLogin(github)
        tables = await stack.enter_async_context(open_tables(settings.aws))
        name = this_worker()
        yield House(settings, masker, Metrics(), opened, github, engines, links, login, name, slack, accounts, tables)


@asynccontextmanager
async def open_all_engines(settings: Settings, masker: Masker) -> AsyncIterator[dict[str, AnyEngine]]:
    """This machine's own, and `ecs` where AWS is set up."""
    async with open_engines(settings) as own:
        if settings.aws is None:
            yield dict(own)
            return
        async with open_ecs(settings, settings.aws, own.get("docker"), masker) as ecs:
            yield {**own, "ecs": ecs}


def link_key(settings: Settings) -> bytes:
    """What job links are signed with: from the secret key where there is one, else from the app's own key."""
    root = settings.secret_key or require_github(settings).private_key.encode()
    return hashlib.sha256(b"shipmate job links\0" + root).digest()
