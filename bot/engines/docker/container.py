"""Decides what a container of ours is: its limits, its rights, its labels, its address. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.engines.docker.errors import EngineRefusal
from bot.engines.labels import PORT, labels
from bot.ports.running import Instance, InstanceSpec

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID")
"""What an image that starts as root needs to become its own user, and no more: prepare folders that others own (CHOWN,
DAC_OVERRIDE, FOWNER), change user (SETGID, SETUID), end workers that run as it (KILL), listen below 1024
(NET_BIND_SERVICE). Left out of Docker's default: raw sockets, device nodes, chroot, audit, more capabilities."""

STABLE = {"Name": "unless-stopped"}
"""A live container comes back with the engine; one that was stopped stays stopped."""
ONCE = {"Name": "no"}

_SHELLS_OWN = re.compile(r"[$`|&;<>(){}*?~#!\\\"'\n]|^\w+=|^(?:cd|exec|exit|export|set|ulimit|umask)\s")
"""Characters and words that only a shell understands."""
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where a container's port is published: on this address of the engine's machine, at this port."""

    host: str
    port: int


def container_config(spec: InstanceSpec, owner: str) -> dict[str, Any]:
    """The body of `POST /containers/create` for one that runs once and is not reached from outside."""
    memory = spec.memory_mb * _MEBIBYTE
    config: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in {**spec.env, "PORT": str(spec.port)}.items()],
        "Labels": labels(spec, owner),
        "ExposedPorts": {f"{spec.port}/tcp": {}},
        "HostConfig": {
            "RestartPolicy": ONCE,
            "Memory": memory,
            "MemorySwap": memory,
            "NanoCpus": round(spec.cpus * 1e9),
            "PidsLimit": spec.pids,
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": spec.read_only,
            "Tmpfs": {"/tmp": "rw,nosuid,nodev,mode=1777,size=256m"} if spec.read_only else {},  # noqa: S108
            "Init": True,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
    }
    if spec.command is not None:
        config["Cmd"] = command_words(spec.command)
    return config


def served_at(config: Mapping[str, Any], address: Address) -> dict[str, Any]:
    """The same container, long-lived and reached at this address."""
    inside = f"{config['Labels'][PORT]}/tcp"
    bindings = {inside: [{"HostIp": address.host, "HostPort": str(address.port)}]}
    host_config = {**config["HostConfig"], "PortBindings": bindings, "RestartPolicy": STABLE}
    return {**config, "HostConfig": host_config}


def config_again(details: Mapping[str, Any]) -> dict[str, Any]:
    """The body that would make a container again, from `GET /containers/{id}/json`."""
    kept = {name: value for name, value in details["Config"].items() if name != "Hostname"}
    return {**kept, "HostConfig": details["HostConfig"]}


def command_words(command: str) -> list[str]:
    """Plain words run as they are, so that an image needs no shell for them; the rest is a shell's to read.

    The image's ENTRYPOINT stays, as with `docker run IMAGE COMMAND`.
    """
    if not _SHELLS_OWN.search(command) and command.strip():
        return shlex.split(command)
    return ["/bin/sh", "-c", command]


def read_instance(details: Mapping[str, Any]) -> Instance:
    """An instance, from `GET /containers/{id}/json`. One that waits to be restarted does not run."""
    state, own = details["State"], details["Config"].get("Labels") or {}
    running = bool(state.get("Running")) and not state.get("Restarting")
    address = _published(details, own.get(PORT, "")) if running else None
    has_ended = not running and state.get("Status") != "created"
    return Instance(
        id=details["Id"],
        name=details["Name"].removeprefix("/"),
        running=running,
        host=address.host if address else None,
        port=address.port if address else None,
        exit_code=state.get("ExitCode") if has_ended else None,
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(details.get("RestartCount") or 0),
        labels=own,
    )


def _published(details: Mapping[str, Any], port: str) -> Address | None:
    ports: Mapping[str, Sequence[Mapping[str, str]] | None] = details["NetworkSettings"].get("Ports") or {}
    for binding in ports.get(f"{port}/tcp") or ():
        host = binding["HostIp"]
        return Address("127.0.0.1" if host in ("", "0.0.0.0", "::") else host, int(binding["HostPort"]))  # noqa: S104
    return None


def port_is_taken(refusal: EngineRefusal) -> bool:
    """Whether the engine could not start a container because someone has its port already."""
    return "port is already allocated" in refusal.message or "address already in use" in refusal.message
