"""Puts the parts of the process engine together. For trying out where there is no Docker; never a server's default."""

from __future__ import annotations

from pathlib import Path

from bot.engines.local_registry import LocalRegistry
from bot.engines.process.builder import ProcessBuilder
from bot.engines.process.images import ImageStore
from bot.engines.process.target import ProcessTarget
from bot.ports.engines import Engine
from bot.ports.running import Traffic


def process_engine(workdir: Path, traffic: Traffic, owner: str) -> Engine:
    """Builder, registry and target that keep everything below `workdir`."""
    images = ImageStore(workdir / "images")
    target = ProcessTarget(workdir / "instances", images, owner)
    return Engine("process", ProcessBuilder(images), LocalRegistry(), target, traffic)
