"""Reads `.shipmate.yml`: checked against the published schema and what none can say; faults told where they stand."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import Refused
from bot.repo_config.analysis import read_analysis
from bot.repo_config.config import EnvironmentConfig, RepoConfig, default_config
from bot.repo_config.ecs import fault_in_ecs
from bot.repo_config.patterns import fault_in_pattern
from bot.repo_config.placed_yaml import START, Misplaced, Places, read_yaml
from bot.repo_config.previews import PreviewsConfig, read_previews
from bot.repo_config.rules import fault_in_rules, read_rules
from bot.repo_config.schema_check import check
from bot.repo_config.traffic import read_gate, read_params, read_traffic

if TYPE_CHECKING:
    import jsonschema

CONFIG_PATH = ".shipmate.yml"
MOST_BYTES = 64 * 1024
CONNECTION = "connection"
"""The key of `ecs` that says in whose account all the others are."""
SCHEMA_PATH = Path(__file__).parents[1] / "schema" / "shipmate.schema.json"


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
        _check_environments(data, places)
    return data


def _check_environments(data: Mapping[str, Any], places: Places) -> None:
    """What no schema can say of the rules of environments and of their `ecs`."""
    environments = data.get("environments") or {}
    fault = fault_in_rules(environments) or fault_in_ecs(environments)
    if fault is not None:
        raise Misplaced(places.nearest(("environments", *fault.path)), fault.problem)


def _check_patterns(data: Mapping[str, Any], places: Places) -> None:
    """The patterns of `params` must be regular expressions."""
    for name, settings in (data.get("environments") or {}).items():
        for variable, rule in ((settings or {}).get("params") or {}).items():
            problem = fault_in_pattern((rule or {}).get("pattern") or "")
            if problem is not None:
                place = places[("environments", name, "params", variable, "pattern")]
                raise Misplaced(place, f"this is no regular expression: {problem}")


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
