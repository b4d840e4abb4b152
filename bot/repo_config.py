"""`.shipmate.yml`: what a repository asks for, checked against the published schema, with line and column in errors."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.analysis_config import AnalysisConfig, read_analysis
from bot.ecs_config import fault_in_ecs
from bot.errors import Refused
from bot.placed_yaml import START, Misplaced, Places, read_yaml
from bot.previews import PreviewsConfig, read_previews
from bot.rules_config import EnvironmentRules, fault_in_rules, read_rules
from bot.schema_check import check
from bot.traffic_config import GateConfig, ParamConfig, TrafficConfig, read_gate, read_params, read_traffic

if TYPE_CHECKING:
    import jsonschema

CONFIG_PATH = ".shipmate.yml"
MOST_BYTES = 64 * 1024
CONNECTION = "connection"
"""The key of `ecs` that says in whose account all the others are."""
SCHEMA_PATH = Path(__file__).with_name("schema") / "shipmate.schema.json"


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


def parse_config(raw: bytes, default_branch: str) -> RepoConfig:
    """Read the file's bytes. Raises Refused("bad_config", line, column, problem), the first fault only; 1-based."""
    try:
        data = _checked(raw)
    except Misplaced as fault:
        line, column = fault.place
        raise Refused("bad_config", path=CONFIG_PATH, line=line, column=column, problem=fault.problem) from fault
    return default_config(default_branch) if data is None else _config(data, default_branch)


@functools.cache
def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    loaded: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return loaded


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # at the first file that is read: it costs a start more than most else

    return jsonschema.Draft202012Validator(schema())


def _checked(raw: bytes) -> Any:
    """The file's data, None for an empty one. Raises Misplaced."""
    if len(raw) > MOST_BYTES:
        raise Misplaced(START, f"the file has {len(raw)} bytes; {MOST_BYTES} is the most")
    data, places = read_yaml(raw)
    if data is not None:
        check(data, places, _validator())
        _check_patterns(data, places)
        _check_rules(data, places)
        _check_ecs(data, places)
    return data


def _check_ecs(data: Mapping[str, Any], places: Places) -> None:
    """Who builds must be told how, and what a state machine decides is not said beside it."""
    fault = fault_in_ecs(data.get("environments") or {})
    if fault is not None:
        raise Misplaced(places.nearest(("environments", *fault.path)), fault.problem)


def _check_rules(data: Mapping[str, Any], places: Places) -> None:
    """Time zones and dates must exist, and `after` must name another environment, round in no circle."""
    fault = fault_in_rules(data.get("environments") or {})
    if fault is not None:
        raise Misplaced(places.nearest(("environments", *fault.path)), fault.problem)


def _check_patterns(data: Mapping[str, Any], places: Places) -> None:
    """The patterns of `params` must be regular expressions as Python has them."""
    for name, settings in (data.get("environments") or {}).items():
        for variable, rule in ((settings or {}).get("params") or {}).items():
            try:
                re.compile((rule or {}).get("pattern") or "")
            except re.error as error:
                place = places[("environments", name, "params", variable, "pattern")]
                raise Misplaced(place, f"this is no regular expression: {error.msg}") from error


def _config(data: Mapping[str, Any], default_branch: str) -> RepoConfig:
    given = data.get("environments")
    build = dict(data.get("build") or {})
    if "runtime" in build:
        build["runtime"] = str(build["runtime"])
    previews = _previews(data.get("previews") or {})
    analysis = read_analysis(data.get("analysis") or {})
    if not given:
        return RepoConfig(default_config(default_branch).environments, build, previews, analysis)
    environments = {name: _environment(name, settings or {}) for name, settings in given.items()}
    return RepoConfig(environments, build, previews, analysis)


def _previews(given: Mapping[str, Any]) -> PreviewsConfig:
    return read_previews(given, _env(given), _secrets(given.get("secrets", {})))


def _env(given: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(value) for key, value in given.get("env", {}).items()}


def _environment(name: str, given: Mapping[str, Any]) -> EnvironmentConfig:
    return EnvironmentConfig(
        name=name,
        branch=given.get("branch"),
        target=given.get("target"),
        port=given.get("port"),
        health=given.get("health", "/"),
        health_timeout_s=given.get("health_timeout", 60),
        checks=given.get("checks", 5),
        drain_s=given.get("drain", 30),
        env=_env(given),
        secrets=_secrets(given.get("secrets", {})),
        hosts=tuple(given.get("hosts", ())),
        memory_mb=given.get("memory", 512),
        cpus=float(given.get("cpus", 1.0)),
        pids=given.get("pids", 256),
        read_only=given.get("read_only"),
        command=given.get("command"),
        release_command=given.get("release_command"),
        traffic=read_traffic(given.get("traffic", {})),
        gate=read_gate(given.get("gate", {})),
        params=read_params(given.get("params", {})),
        rules=read_rules(given),
        ecs={name: value for name, value in given.get("ecs", {}).items() if name != CONNECTION},
        connection=given.get("ecs", {}).get(CONNECTION),
    )


def _secrets(given: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}


def _text(value: str | float | bool) -> str:
    """As YAML users expect: `true` stays `true`, `1.0` stays `1.0`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
