"""What the shell holds of one environment on ECS: its settings, and the account that it stands in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.composition.amazon import open_accounts, open_ecs
from bot.config import Settings, require_github
from bot.connections import require_lent
from bot.errors import Refused, UserMistake
from bot.gates.repositories import repository_named
from bot.github.api import open_github
from bot.jobs.deploy.plan import image_repository_of
from bot.jobs.deploy.rollout.spec import ground_spec
from bot.masking import Masker
from bot.model import Repository
from bot.ports.engines import Errand, RolloutEngine
from bot.ports.ground import Ground
from bot.ports.rollouts import RolloutSpec
from bot.repo_config.config import EnvironmentConfig, RepoConfig
from bot.repo_config.ecs import FOLLOW
from bot.repo_config.reading import parse_config
from bot.store.audit import Audit
from bot.store.connections import Connections
from storage.opened import open_store


@dataclass(frozen=True, slots=True)
class Asked:
    """Which environment. With `file` its settings are read there, and with `repository_id` GitHub is not asked."""

    repository: str
    environment: str
    file: Path | None = None
    repository_id: int | None = None


@dataclass(frozen=True, slots=True)
class OpenGround:
    """One environment's ground; `images` is where the images of its repository are kept."""

    ground: Ground
    spec: RolloutSpec
    images: str
    trail: Audit


@asynccontextmanager
async def open_ground(settings: Settings, masker: Masker, asked: Asked) -> AsyncIterator[OpenGround]:
    """Nothing is asked of AWS yet.

    Raises Refused("unknown_environment", "environment_not_on_ecs", "environment_followed", "repository_unknown",
    "connection_not_lent"), and UserMistake("aws_region_missing") or for GitHub's settings that are missing.
    """
    async with AsyncExitStack() as stack:
        opened = await open_store(settings.database_url, secret_key=settings.secret_key)
        stack.push_async_callback(opened.close)
        repository, installation_id, config = await _settled(settings, masker, asked)
        environment = _environment(config, asked.environment)
        connections = opened.store.connections
        errand = await _errand(connections, environment, repository, installation_id)
        engine = await stack.enter_async_context(_engine(settings, masker, connections, errand))
        if engine.ground is None:
            raise ValueError("the engine has no ground")
        spec = ground_spec(repository, environment)
        yield OpenGround(engine.ground, spec, image_repository_of(repository), opened.store.audit)


async def _settled(settings: Settings, masker: Masker, asked: Asked) -> tuple[Repository, int, RepoConfig]:
    """The repository, its installation (0: not asked for) and its settings: the default branch's, or the file's."""
    given = asked.file.read_bytes() if asked.file is not None else None
    if given is not None and asked.repository_id is not None:
        return Repository(asked.repository_id, asked.repository), 0, parse_config(given, "main")
    known = require_github(settings)
    async with open_github(known.app_id, known.private_key, masker.register, api_url=known.api_url) as github:
        facts, repository = await repository_named(github, asked.repository)
        branch = await facts.default_branch()
        config = parse_config(given, branch) if given is not None else await facts.config(branch)
        return repository, facts.installation_id, config


def _environment(config: RepoConfig, name: str) -> EnvironmentConfig:
    environment = config.environments.get(name)
    if environment is None:
        raise Refused("unknown_environment", environment=name, known=sorted(config.environments))
    if environment.target != "ecs":
        raise Refused("environment_not_on_ecs", environment=name)
    if FOLLOW in environment.ecs:
        raise Refused("environment_followed", environment=name)
    return environment


async def _errand(
    connections: Connections, environment: EnvironmentConfig, repository: Repository, installation_id: int
) -> Errand | None:
    """None: it stands in the server's own account."""
    if environment.connection is None:
        return None
    known = await connections.one_aws(environment.connection)
    lent = require_lent(known, environment.connection, repository, installation_id)
    return Errand(lent.id, repository.full_name, environment.name)


@asynccontextmanager
async def _engine(
    settings: Settings, masker: Masker, connections: Connections, errand: Errand | None
) -> AsyncIterator[RolloutEngine]:
    if errand is not None:
        async with (
            open_accounts(settings, None, masker, connections) as accounts,
            accounts.entered(errand) as engine,
        ):
            yield engine
        return
    if settings.aws is None:
        raise UserMistake("aws_region_missing")
    async with open_ecs(settings, settings.aws, None, masker) as engine:
        yield engine
