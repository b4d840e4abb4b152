"""What is different between what serves and what a job brings, a sentence for each; for `--noop` and for `/why`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

from bot.durations import shown
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.watching.steps import Step, steps_of
from bot.model import Release
from bot.repo_config.config import EnvironmentConfig

NOT_COMPARED = frozenset({"name", "env", "secrets", "traffic", "gate", "params", "branch", "rules"})


class Says(Protocol):
    """Words a sentence in the server's language."""

    def __call__(self, key: str, /, **facts: Any) -> str: ...


def differences(say: Says, new: EnvironmentConfig, sha: str, blue: Release | None) -> Iterator[str]:
    """A sentence for each difference to what serves. Variables by name only: a value may be a secret."""
    if blue is None:
        yield say("noop.first", sha=sha[:7])
        old = dataclasses.replace(new, env={}, secrets={})
    else:
        yield say("noop.commit", before=blue.sha[:7], version=blue.version, sha=sha[:7])
        old = Plan.from_json(blue.spec).environment
    yield from _named(say, "noop.env", old.env, new.env)
    yield from _named(say, "noop.secrets", old.secrets, new.secrets)
    yield from _settings(say, old, new)
    if new.release_command:
        yield say("noop.release_command", command=new.release_command)
    yield say("noop.traffic", steps=" → ".join(map(_shown, steps_of(new.traffic, has_blue=blue is not None))))


def _shown(step: Step) -> str:
    """`10 % (5m)`: the share, and how long it is watched."""
    watched = f" ({shown(timedelta(seconds=step.hold_s))})" if step.hold_s else ""
    return f"{step.percent} %{watched}"


def _named(say: Says, key: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """`+A`, `-B`, `~C`: added, gone, changed."""
    marks = [f"+{name}" for name in sorted(new.keys() - old.keys())]
    marks += [f"-{name}" for name in sorted(old.keys() - new.keys())]
    marks += [f"~{name}" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    if marks:
        yield say(key, names=", ".join(f"`{mark}`" for mark in marks))


def _settings(say: Says, old: EnvironmentConfig, new: EnvironmentConfig) -> Iterator[str]:
    """The port is found in the image where it is not set, so that it is compared only where it is."""
    for field in dataclasses.fields(EnvironmentConfig):
        before, after = getattr(old, field.name), getattr(new, field.name)
        unset = field.name == "port" and after is None
        if field.name not in NOT_COMPARED and before != after and not unset:
            name = field.name.removesuffix("_s").removesuffix("_mb")
            yield say("noop.setting", name=name, before=before, after=after)
