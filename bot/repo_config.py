"""`.shipmate.yml`: what a repository asks for, checked against the published schema, with line and column in errors."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bot.errors import Refused
from bot.previews import PreviewsConfig, read_previews
from bot.traffic_config import GateConfig, ParamConfig, TrafficConfig, read_gate, read_params, read_traffic

if TYPE_CHECKING:
    import jsonschema

CONFIG_PATH = ".shipmate.yml"
MOST_BYTES = 64 * 1024
DEEPEST = 20
SCHEMA_PATH = Path(__file__).with_name("schema") / "shipmate.schema.json"

Path_ = tuple[str | int, ...]
Place = tuple[int, int]


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


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """The whole file. `build` holds the keys of the schema's `build` as they were given."""

    environments: Mapping[str, EnvironmentConfig]
    build: Mapping[str, Any] = field(default_factory=dict)
    previews: PreviewsConfig = field(default_factory=PreviewsConfig)

    def for_branch(self, branch: str) -> EnvironmentConfig | None:
        """The environment a push to this branch deploys to, if any."""
        return next((env for env in self.environments.values() if env.branch == branch), None)

    def default(self) -> EnvironmentConfig:
        """Where a bare `/deploy` goes: production if there is one, else the first."""
        return self.environments.get("production") or next(iter(self.environments.values()))


def default_config(default_branch: str) -> RepoConfig:
    """What holds without a file: production, fed by the default branch."""
    return RepoConfig({"production": EnvironmentConfig("production", branch=default_branch)})


def parse_config(raw: bytes, default_branch: str) -> RepoConfig:
    """Read the file's bytes. Raises Refused("bad_config", line, column, problem), the first fault only; 1-based."""
    if len(raw) > MOST_BYTES:
        raise _bad((1, 1), f"the file has {len(raw)} bytes; {MOST_BYTES} is the most")
    node = _compose(raw)
    if node is None:
        return default_config(default_branch)
    places = _Places()
    data = _plain(node, (), places, 0)
    _check(data, places)
    _check_patterns(data, places)
    return _config(data, default_branch)


class _Places(dict[Path_, Place]):
    """Where each value stands, and which nodes were met (an alias meets one twice)."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[int] = set()


@functools.cache
def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    loaded: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return loaded


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # at the first file that is read: it costs a start more than most else

    return jsonschema.Draft202012Validator(schema())


def _compose(raw: bytes) -> yaml.Node | None:
    try:
        return yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _bad((line, 1), "the file is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _bad(place, error.problem or "this is not YAML") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _bad((1, 1), "this is not YAML that can be read") from error


def _plain(node: yaml.Node, path: Path_, places: _Places, depth: int) -> Any:
    """The node as plain data, noting where each value stands. Aliases and duplicate keys are refused."""
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > DEEPEST:
        raise _bad(place, f"nested deeper than {DEEPEST} levels")
    if id(node) in places.met:
        raise _bad(place, "anchors and aliases are not read here; write the value out")
    places.met.add(id(node))
    places[path] = place
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, places, depth)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), places, depth + 1) for index, item in enumerate(node.value)]
    return _scalar(node, place)


def _mapping(node: yaml.MappingNode, path: Path_, places: _Places, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise _bad(place, "a key must be a plain word")
        key = str(key_node.value)
        if key in found:
            raise _bad(place, f"the key {key!r} stands here twice")
        found[key] = _plain(value_node, (*path, key), places, depth + 1)
        places[(*path, key)] = place
    return found


def _scalar(node: yaml.Node, place: Place) -> Any:
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        raise _bad(place, f"{str(node.value)[:80]!r} cannot be read here") from error
    return value if isinstance(value, str | int | float | bool | None) else str(node.value)


def _check(data: Any, places: Mapping[Path_, Place]) -> None:
    errors = sorted(_validator().iter_errors(data), key=lambda error: _place(_leaf(error), places))
    if errors:
        leaf = _leaf(errors[0])
        where = ".".join(str(part) for part in leaf.absolute_path)
        raise _bad(_place(leaf, places), f"{where + ': ' if where else ''}{_said(leaf)}")


def _check_patterns(data: Mapping[str, Any], places: Mapping[Path_, Place]) -> None:
    """The patterns of `params` must be regular expressions as Python has them."""
    for name, settings in (data.get("environments") or {}).items():
        for variable, rule in ((settings or {}).get("params") or {}).items():
            try:
                re.compile((rule or {}).get("pattern") or "")
            except re.error as error:
                path = ("environments", name, "params", variable, "pattern")
                raise _bad(places[path], f"this is no regular expression: {error.msg}") from error


def _leaf(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """The fault inside a `oneOf` that says most."""
    from jsonschema.exceptions import best_match, relevance

    return best_match([error], key=relevance) or error


def _place(error: jsonschema.ValidationError, places: Mapping[Path_, Place]) -> Place:
    path: Path_ = tuple(error.absolute_path)
    unknown = _unknown_key(error)
    if unknown is not None and (*path, unknown) in places:
        return places[(*path, unknown)]
    while path not in places and path:
        path = path[:-1]
    return places.get(path, (1, 1))


def _unknown_key(error: jsonschema.ValidationError) -> str | None:
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        return next((key for key in error.instance if key not in _known(error)), None)
    if error.validator in {"pattern", "maxLength"} and error.parent is None and isinstance(error.instance, str):
        return error.instance
    return None


def _known(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = error.schema["properties"] if isinstance(error.schema, Mapping) else {}
    return properties


def _said(error: jsonschema.ValidationError) -> str:
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(_known(error)))
        return f"unknown key {_unknown_key(error)!r}; known here: {known}"
    if error.validator == "pattern":
        return f"{str(error.instance)[:80]!r} is not of the form {error.validator_value}"
    return error.message[:300]


def _bad(place: Place, problem: str) -> Refused:
    return Refused("bad_config", path=CONFIG_PATH, line=place[0], column=place[1], problem=problem)


def _config(data: Mapping[str, Any], default_branch: str) -> RepoConfig:
    given = data.get("environments")
    build = dict(data.get("build") or {})
    previews = _previews(data.get("previews") or {})
    if not given:
        return RepoConfig(default_config(default_branch).environments, build, previews)
    environments = {name: _environment(name, settings or {}) for name, settings in given.items()}
    return RepoConfig(environments, build, previews)


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
    )


def _secrets(given: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}


def _text(value: str | float | bool) -> str:
    """As YAML users expect: `true` stays `true`, `1.0` stays `1.0`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
