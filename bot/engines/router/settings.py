"""What a router can be told when it starts: addresses, where its state lives, and its limits."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints


@dataclass(frozen=True)
class PortRange:
    """The ports services may get, both ends included; 0-0 lets the system choose any free one."""

    first: int = 0
    last: int = 0

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read `A-B`, or one port. Raises ValueError for anything else."""
        first, _, last = text.partition("-")
        ports = cls(int(first), int(last or first))
        if not 0 <= ports.first <= ports.last <= 65535 or (ports.first == 0 and ports.last != 0):
            raise ValueError(f"not a range of ports: {text}")
        return ports

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True)
class RouterSettings:
    """Everything the router knows from outside. `shared_port`: -1 is off, 0 is any free port."""

    state_dir: Path
    socket: Path
    host: str = "127.0.0.1"
    public_host: str = ""
    ports: PortRange = PortRange()
    shared_port: int = -1
    trust_forwarded: bool = False
    max_connections: int = 10_000
    head_limit_bytes: int = 64 * 1024
    nothing_to_serve_wait_s: float = 30.0
    connect_s: float = 3.0
    probe_s: float = 5.0
    response_head_s: float = 300.0
    header_read_s: float = 15.0
    keep_alive_s: float = 75.0
    stall_s: float = 75.0
    finish_s: float = 30.0

    @property
    def url_host(self) -> str:
        """The host people see in a service's URL."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104
        return self.public_host or ("127.0.0.1" if everywhere else self.host)


HELP = {
    "state_dir": "folder of the router's state and log",
    "socket": "path of the control socket",
    "host": "address to listen on (%(default)s)",
    "public_host": "host name in the services' URLs, where it is another one",
    "ports": "ports that services get, as A-B (%(default)s; 0-0: any free one)",
    "shared_port": "one more port, where services answer to their host names (%(default)s: none)",
    "trust_forwarded": "believe X-Forwarded-For and -Proto of who connects (%(default)s)",
    "max_connections": "clients at a time (%(default)s)",
    "head_limit_bytes": "size of a request's head (%(default)s)",
    "nothing_to_serve_wait_s": "how long a request waits for a target before 503 (%(default)s)",
    "connect_s": "limit of connecting to a target (%(default)s)",
    "probe_s": "limit of one probe (%(default)s)",
    "response_head_s": "how long a target may think before 504 (%(default)s)",
    "header_read_s": "how long a request's head may take to arrive (%(default)s)",
    "keep_alive_s": "how long a client's idle connection is kept (%(default)s)",
    "stall_s": "how long a body may stand still (%(default)s)",
    "finish_s": "how long requests under way may take when the router leaves (%(default)s)",
}


def to_arguments(settings: RouterSettings) -> list[str]:
    """The command-line options that `parse_arguments` reads back into the same settings."""
    return [f"--{field.name.replace('_', '-')}={getattr(settings, field.name)}" for field in fields(settings)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` one option for each setting."""
    types = get_type_hints(RouterSettings)
    for field in fields(RouterSettings):
        required = field.name in ("state_dir", "socket")
        default = None if required else field.default
        option = f"--{field.name.replace('_', '-')}"
        reader = _reader(types[field.name])
        parser.add_argument(option, type=reader, required=required, default=default, help=HELP[field.name])


def from_namespace(namespace: argparse.Namespace) -> RouterSettings:
    """The settings among parsed options."""
    return RouterSettings(**{field.name: getattr(namespace, field.name) for field in fields(RouterSettings)})


def parse_arguments(argv: Sequence[str]) -> RouterSettings:
    """Read settings from options; a mistake ends the process with usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="shipmate router")
    add_arguments(parser)
    return from_namespace(parser.parse_args(argv))


def _reader(kind: Any) -> Any:
    if kind is PortRange:
        return PortRange.parse
    if kind is bool:
        return lambda text: text.lower() in ("1", "true", "yes")
    return kind
