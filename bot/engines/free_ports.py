"""Picks TCP ports for instances that keep them for good, also over a restart of the engine."""

from __future__ import annotations

import random
import socket

from bot.errors import Transient

FIRST, LAST = 20000, 32767
"""Below what systems give to outgoing connections (ip(7), ip_local_port_range): such a port is free again later."""
TRIES = 200


def free_port(host: str) -> int:
    """A port nobody listens on at `host` just now; at random, so that two who ask get different ones.

    Raises Transient("no_free_port").
    """
    for _ in range(TRIES):
        port = random.randint(FIRST, LAST)  # noqa: S311
        if is_free(host, port):
            return port
    raise Transient("no_free_port", host=host)


def is_free(host: str, port: int) -> bool:
    """Whether one could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
