"""The Dockerfiles of all samples as files; `python -m tests.inspect.snapshots` writes them anew."""

from __future__ import annotations

from pathlib import Path

from bot.inspect.dockerfile import generate
from bot.inspect.inspection import inspect_tree
from tests.inspect.samples import SAMPLES

FOLDER = Path(__file__).parent / "data" / "dockerfiles"


def generated(name: str, *, buildkit: bool = True) -> str:
    """The Dockerfile that a sample's framework gets."""
    tree = SAMPLES[name].tree()
    return generate(inspect_tree(tree).apps[0], tree, buildkit=buildkit).dockerfile


def snapshot(name: str) -> Path:
    """Where a framework's Dockerfile is kept."""
    return FOLDER / f"{name}.Dockerfile"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        snapshot(sample).write_text(generated(sample), encoding="utf-8")
