"""Runs the tasks of the emulator's services: processes at loopback addresses of their own, or containers by image."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

LABEL = "shipmate.emulator"
_APPLICATION = Path(__file__).with_name("application.py")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Running(Protocol):
    """One task that was started."""

    address: str

    def exit_code(self) -> int | None: ...

    def stop(self) -> None: ...


@dataclass
class Process:
    """A task as a process of this machine."""

    address: str
    child: subprocess.Popen[bytes]

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.child.poll()

    def stop(self) -> None:
        """End it, gently first."""
        self.child.terminate()
        try:
            self.child.wait(2)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@dataclass
class Container:
    """A task as a container of the engine."""

    address: str
    name: str

    def exit_code(self) -> int | None:
        """None while it runs; 0 for one that was removed."""
        try:
            running, code = _docker("inspect", "-f", "{{.State.Running}} {{.State.ExitCode}}", self.name).split()
        except RuntimeError:
            return 0
        return None if running == "true" else int(code)

    def stop(self) -> None:
        """End and forget it."""
        subprocess.run(["docker", "rm", "-f", self.name], capture_output=True, check=False)


@dataclass
class Machine:
    """Starts tasks. An image in `images` is a process that does what stands there; any other is a container's.

    `network` is the first two bytes of the loopback addresses this emulator may use: `127.83`.
    """

    network: str
    images: dict[str, str] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self, definition: Mapping[str, Any], command: list[str] | None = None) -> Running:
        """Start one task of a container definition."""
        image, environment = definition["image"], {e["name"]: e["value"] for e in definition.get("environment", [])}
        self.started.append(image)
        if image in self.images:
            port = str(definition["portMappings"][0]["containerPort"])
            return self._process(port, shlex.split(self.images[image]), environment)
        return self._container(image, environment, command or definition.get("command") or [])

    def address(self) -> str:
        """A loopback address nobody has yet."""
        number = next(self._numbers)
        return f"{self.network}.{number // 250 + 1}.{number % 250 + 1}"

    def _process(self, port: str, does: list[str], environment: Mapping[str, str]) -> Process:
        address = self.address()
        words = [environment.get(word.removeprefix("$"), word) if word.startswith("$") else word for word in does]
        argv = [sys.executable, "-S", "-E", "-s", str(_APPLICATION), address, port, *words]
        return Process(address, subprocess.Popen(argv, env={"PATH": os.environ["PATH"]}))

    def _container(self, image: str, environment: Mapping[str, str], command: list[str]) -> Container:
        options = [option for item in environment.items() for option in ("-e", "=".join(item))]
        name = _docker("run", "-d", "--label", LABEL, *options, image, *command)
        return Container(_docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name), name)


def answers_well(address: str, port: int, path: str) -> bool | None:
    """One health check as a load balancer makes it; None while nobody answers."""
    request = urllib.request.Request(f"http://{address}:{port}{path}", headers={"User-Agent": "ELB-HealthChecker/2.0"})
    try:
        with _OPENER.open(request, timeout=2) as reply:
            return bool(200 <= reply.status < 400)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return None


def until(deadline: float, seen: Any) -> bool:
    """Wait for something; False when the time (monotonic) was over first."""
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    return done.stdout.strip()
