"""What a deployment is going to do, frozen when it was asked for, as plain JSON in the job."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model import Job, Release, Repository
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.rules import rules_from_json
from bot.repo_config.traffic import GateConfig, TrafficConfig

_UNSAFE = re.compile(r"[^a-z0-9]+")
TAG_LONGEST = 128
LENT_TARGET = "ecs"
"""The target whose accounts can be lent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The frozen settings of one deploy or rollback. Secrets stand here by name only."""

    environment: EnvironmentConfig
    target: str
    build: Mapping[str, Any] = field(default_factory=dict)
    follows_pull: int | None = None
    """The pull request whose head this is: the job ends when that head moves."""
    requires: str = "write"
    """The permission its asker must still have when traffic is about to change; empty for a push."""
    release_id: int | None = None
    """The release a rollback puts back."""
    image: str | None = None
    """Its image by digest."""
    instance_id: str | None = None
    """The stopped instance that served it."""
    made_dockerfile: bool = False
    """Whether the image was built from a Dockerfile of ours."""
    image_port: int | None = None
    """The port the image's application listens on, where the environment does not say."""
    noop: bool = False
    """Whether it only builds and looks, and changes nothing."""
    promoted_from: str | None = None
    """The environment whose image this is."""
    set_by_hand: tuple[str, ...] = ()
    """The environment variables that were given with the command."""
    canary: str | None = None
    """The share of traffic to begin with that was given with the command."""
    reason: str | None = None
    """Why, as its asker said."""
    bypassed: tuple[str, ...] = ()
    """The rules of the environment that its asker, a maintainer, set aside for that reason: codes of refusals."""
    waits_s: float = 0.0
    """How long it stands still on purpose while it is watched; on top of every limit."""
    connection_by_key: bool = False
    """Whether a program gave the connection with its API key, so that it need not be lent to the repository."""
    only_if_lent: bool = False
    """Whether it has to be lent all the same: that key is limited to repositories."""
    github_connection: str | None = None
    """The connection whose token fetches the sources and asks the rules, where the app is not installed."""
    preview_ends_at: str | None = None
    """When the preview was to end as it was asked for, in ISO 8601."""

    @property
    def connection(self) -> str | None:
        """The lent way into the account it goes to; None: it goes to none, or to the server's own."""
        return self.environment.connection if self.target == LENT_TARGET else None

    def image_is_at_hand_for(self, other: Plan) -> bool:
        """Whether the image this one made can be had where the other goes: registries belong to accounts."""
        return (self.target, self.connection) == (other.target, other.connection)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON. Which variables may be set by hand was decided before, so those rules are left out."""
        return dataclasses.asdict(
            dataclasses.replace(self, environment=dataclasses.replace(self.environment, params={}))
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read it back; what was frozen by an older version lacks what came since."""
        given = dict(data)
        settings = dict(given.pop("environment"))
        settings["hosts"] = tuple(settings.get("hosts", ()))
        settings["traffic"] = TrafficConfig(**settings.get("traffic", {}))
        settings["gate"] = GateConfig(**settings.get("gate", {}))
        settings["params"] = {}
        settings["rules"] = rules_from_json(settings.get("rules", {}))
        given["set_by_hand"] = tuple(given.get("set_by_hand", ()))
        given["bypassed"] = tuple(given.get("bypassed", ()))
        return cls(environment=EnvironmentConfig(**settings), **given)


def rollback_plan(release: Release, reason: str | None = None) -> Plan:
    """Put this release back as it was: its image, its variables, its instance if that is still kept; all at once."""
    before = Plan.from_json(release.spec)
    return dataclasses.replace(
        before,
        environment=dataclasses.replace(before.environment, traffic=TrafficConfig()),
        release_id=release.id,
        image=release.image,
        instance_id=release.instance_id,
        follows_pull=None,
        github_connection=None,
        requires="write",
        reason=reason,
        waits_s=0.0,
    )


def promote_plan(source: Release, environment: EnvironmentConfig, target: str, reason: str | None = None) -> Plan:
    """Put the image of this release into another environment, with that environment's own settings."""
    before = Plan.from_json(source.spec)
    return Plan(
        environment=environment,
        target=target,
        build=before.build,
        image=source.image,
        image_port=before.image_port or before.environment.port,
        made_dockerfile=before.made_dockerfile,
        promoted_from=source.environment,
        reason=reason,
    )


def service_name(job: Job) -> str:
    """The service a job deploys to."""
    return service_of(job.repository.id, job.environment)


def service_of(repository_id: int, environment: str) -> str:
    """The service of an environment; by the repository's number, so that a rename keeps it."""
    return f"{repository_id}/{environment}"


def lane_of(repository_id: int, environment: str) -> str:
    """What runs one at a time: one environment of one repository."""
    return f"deploy {repository_id} {environment}"


def instance_name(job: Job) -> str:
    """The name of the instance a job starts; the same at every attempt."""
    return f"shipmate-{safe(job.repository.name)[:40]}-{safe(job.environment)}-{job.id[4:]}"


def image_repository(job: Job) -> str:
    """`{owner}-{repo}`, safe for a registry."""
    return image_repository_of(job.repository)


def image_repository_of(repository: Repository) -> str:
    """The same of the repository itself."""
    return safe(f"{repository.owner}-{repository.name}")


def image_labels(job: Job) -> dict[str, str]:
    """What an image says of where it comes from."""
    return {"shipmate.job": job.id, "shipmate.repository": job.repository.full_name, "shipmate.sha": job.sha}


def build_arguments(build: Mapping[str, Any], base_registry: str | None) -> dict[str, str]:
    """As the settings' `build` gives them, and where base images come from."""
    arguments = {name: _text(value) for name, value in (build.get("args") or {}).items()}
    return {"REGISTRY": base_registry, **arguments} if base_registry else arguments


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def image_tag(job: Job) -> str:
    """`{owner}-{repo}-{branch}-{timestamp}`, safe for a tag; the timestamp is when the job was asked for."""
    stamp = job.created_at.strftime("%Y%m%d%H%M%S") + f"-{job.id[4:]}"
    head = safe(f"{job.repository.owner}-{job.repository.name}-{job.ref}")
    return f"{head[: TAG_LONGEST - len(stamp) - 1]}-{stamp}"


def safe(text: str) -> str:
    """Lower case letters, digits and single dashes; never empty."""
    return _UNSAFE.sub("-", text.lower()).strip("-") or "x"


def seconds_between(start: datetime | None, end: datetime) -> float:
    """How long, in seconds; 0 when it had not started."""
    return max(0.0, (end - start).total_seconds()) if start else 0.0
