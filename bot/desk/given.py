"""What a program gives with an order by its API key, over what the environment's settings say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.repo_config.config import EnvironmentConfig


@dataclass(frozen=True, slots=True)
class Given:
    """Connections by their ids. None and what is left out: as the settings have it."""

    github: str | None = None
    """The connection whose token stands in for the app, where the app is not installed."""
    aws: str | None = None
    only_if_lent: bool = False
    """Whether `aws` has to be lent to the repository: the key is limited to repositories."""
    target: str | None = None
    port: int | None = None
    ecs: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the schema's `ecs`."""

    def over(self, environment: EnvironmentConfig) -> EnvironmentConfig:
        """The environment as this one deployment has it."""
        return dataclasses.replace(
            environment,
            target=self.target or environment.target,
            port=self.port or environment.port,
            ecs={**environment.ecs, **self.ecs},
            connection=self.aws or environment.connection,
        )


NOTHING_GIVEN = Given()
