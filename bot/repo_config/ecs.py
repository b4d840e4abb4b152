"""What an environment's `ecs` may not say: half of who builds, more than a follower decides, networks that are none."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from bot.repo_config.placed_yaml import Fault

CODEBUILD, FOLLOW, REDIRECT = "codebuild", "follow", "redirect_port"
BESIDE_FOLLOW = frozenset({FOLLOW, "builder", CODEBUILD, "connection"})
"""Keys of `ecs` that still say something where a state machine deploys."""
DECIDED_BY_MACHINE = ("release_command", "command", "env", "secrets", "params", "traffic")
"""Keys of the environment that say nothing there."""
PLAIN_PORT, SECURE_PORT, TEST_PORT = 80, 443, 8080
"""Where a load balancer that is made answers, unless it is told otherwise."""


def fault_in_ecs(environments: Mapping[str, Mapping[str, Any] | None]) -> Fault | None:
    """The first fault in the `ecs` of all environments: who builds must be told how, and a follower decides alone."""
    for name, settings in environments.items():
        for path, problem in _faults(settings or {}):
            return Fault((name, *path), problem)
    return None


def _faults(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    ecs: Mapping[str, Any] = settings.get("ecs") or {}
    yield from _faults_of_builder(ecs)
    yield from _faults_of_network(ecs)
    if FOLLOW not in ecs:
        return
    for key in DECIDED_BY_MACHINE:
        if key in settings:
            yield (key,), f"{key} says nothing beside ecs.follow: the state machine decides it, so leave it out"
    for key in ecs:
        if key not in BESIDE_FOLLOW:
            yield ("ecs", key), f"{key} says nothing beside follow: the state machine decides it, so leave it out"


def _faults_of_builder(ecs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    how: Mapping[str, Any] = ecs.get(CODEBUILD) or {}
    asked = ecs.get("builder") == CODEBUILD
    if CODEBUILD in ecs and not asked:
        yield ("ecs", CODEBUILD), "codebuild says nothing without builder: codebuild beside it"
    if asked and not (how.get("service_role") or how.get("project") or ecs.get("provision")):
        yield (
            ("ecs", CODEBUILD if CODEBUILD in ecs else "builder"),
            "CodeBuild needs codebuild: {service_role: …}, the role builds run as, {project: …}, or provision: true",
        )


def _faults_of_network(ecs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Of a network and load balancer that are made."""
    for key in ("cidr", "test_from"):
        given = ecs.get(key, ())
        for network in [given] if isinstance(given, str) else given:
            if not _is_network(network):
                yield (
                    ("ecs", key),
                    f"{network} is no network, which is as 10.42.0.0/16: no bit is set behind the first 16",
                )
    port = ecs.get("port", SECURE_PORT if ecs.get("certificate") else PLAIN_PORT)
    if port == ecs.get("test_port", TEST_PORT):
        yield (
            ("ecs", "port" if "port" in ecs else "test_port"),
            f"people and tests cannot both be answered on port {port}",
        )
    yield from _faults_of_redirect(ecs, port)


def _faults_of_redirect(ecs: Mapping[str, Any], port: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if REDIRECT not in ecs:
        return
    if not ecs.get("certificate"):
        yield ("ecs", REDIRECT), f"{REDIRECT} says nothing without a certificate: nobody is sent on to HTTPS"
    elif ecs[REDIRECT] in (port, ecs.get("test_port", TEST_PORT)):
        yield ("ecs", REDIRECT), f"on port {ecs[REDIRECT]} others are answered, so nobody is sent on from there"


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
