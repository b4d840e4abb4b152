"""What a repository asks for: its environments, how it is built, its previews and its analyses, defaults filled in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.repo_config.analysis import AnalysisConfig
from bot.repo_config.previews import PreviewsConfig
from bot.repo_config.rules import EnvironmentRules
from bot.repo_config.traffic import GateConfig, ParamConfig, TrafficConfig


@dataclass(frozen=True, slots=True)
class EnvironmentConfig:
    """One environment's settings, defaults filled in. `branch` None: nothing is deployed here by a push."""

    name: str
    branch: str | None = None
    target: str | None = None
    port: int | None = None
    health: str = "/"
    health_timeout_s: int = 60
    checks: int = 5
    drain_s: int = 30
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Variable name → name of the stored secret."""
    hosts: tuple[str, ...] = ()
    memory_mb: int = 512
    cpus: float = 1.0
    pids: int = 256
    read_only: bool | None = None
    """None: read-only where the Dockerfile is ours."""
    command: str | None = None
    release_command: str | None = None
    traffic: TrafficConfig = field(default_factory=TrafficConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    params: Mapping[str, ParamConfig] = field(default_factory=dict)
    """Variables that `/deploy … -- NAME=VALUE` may set."""
    rules: EnvironmentRules = field(default_factory=EnvironmentRules)
    ecs: Mapping[str, Any] = field(default_factory=dict)
    """What a service on ECS stands on, who builds and who rolls out; keys of the schema's `ecs` as they were given."""
    connection: str | None = None
    """The lent way into the account it runs in: its id or name as given, its id in a plan; None: the server's own."""


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """The whole file. `build` holds the keys of the schema's `build` as they were given."""

    environments: Mapping[str, EnvironmentConfig]
    build: Mapping[str, Any] = field(default_factory=dict)
    previews: PreviewsConfig = field(default_factory=PreviewsConfig)
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)

    def for_branch(self, branch: str) -> EnvironmentConfig | None:
        """The environment a push to this branch deploys to, if any."""
        return next((env for env in self.environments.values() if env.branch == branch), None)

    def under(self, ruling: RepoConfig) -> RepoConfig:
        """The same, but each environment that the ruling settings know has the rules and the connection they give it.

        One they do not know has no connection: it is left out where it names one.
        """
        ruled = {name: _ruled(one, ruling.environments.get(name)) for name, one in self.environments.items()}
        environments = {name: one for name, one in ruled.items() if one is not None}
        return dataclasses.replace(self, environments=environments)

    def default(self) -> EnvironmentConfig:
        """Where a bare `/deploy` goes: production if there is one, else the first."""
        return self.environments.get("production") or next(iter(self.environments.values()))


def _ruled(one: EnvironmentConfig, ruling: EnvironmentConfig | None) -> EnvironmentConfig | None:
    if ruling is None:
        return one if one.connection is None else None
    return dataclasses.replace(one, rules=ruling.rules, connection=ruling.connection)


def default_config(default_branch: str) -> RepoConfig:
    """What holds without a file: production, fed by the default branch."""
    return RepoConfig({"production": EnvironmentConfig("production", branch=default_branch)})
