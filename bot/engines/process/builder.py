"""Makes a checkout ready to run as a local process: a copy of it, with its packages installed. For trying out only.

Nothing is isolated: installing and running do what the repository says, with the rights of the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bot.engines.process.children import plain_environment, run_child
from bot.engines.process.images import Image, ImageStore, tree_id
from bot.engines.process.recipe import Recipe, read_recipe
from bot.errors import Permanent
from bot.ports.images import BuildRequest, BuiltImage, LogSink


class ProcessBuilder:
    """A `ports.Builder`. The same tree with the same command is built once."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self._one_at_a_time = asyncio.Lock()

    async def mounts_caches(self) -> bool:
        """No Dockerfile is run here, so any will do."""
        return True

    async def build(self, request: BuildRequest, log: LogSink) -> BuiltImage:
        """Copy the tree and install what it names. Raises Permanent("build_failed", exit_code, step, message)."""
        recipe = await asyncio.to_thread(read_recipe, request)
        image_id = await asyncio.to_thread(tree_id, request.context, recipe)
        async with self._one_at_a_time:
            if self._images.get(image_id) is None:
                await self._make(image_id, request.context, recipe, log)
            else:
                log("nothing changed since it was built before")
        return BuiltImage(image_id, request.tag)

    async def _make(self, image_id: str, context: Path, recipe: Recipe, log: LogSink) -> None:
        log(f"copying the tree; it will be started with: {recipe.command}")
        image = await asyncio.to_thread(self._images.begin, image_id, context, recipe)
        try:
            await _install(image, log)
        except BaseException:
            self._images.remove(image_id)
            raise
        self._images.finish(image)


async def _install(image: Image, log: LogSink) -> None:
    folder = image.tree / image.recipe.folder
    if _names_something(folder / "requirements.txt"):
        python = str(image.venv / "bin" / "python")
        await _step(image, log, sys.executable, "-m", "venv", "--without-pip", str(image.venv))
        pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-input", "--disable-pip-version-check")
        await _step(image, log, *pip, "-r", "requirements.txt")
    if _has_dependencies(folder / "package.json"):
        command = "ci" if (folder / "package-lock.json").is_file() else "install"
        await _step(image, log, "npm", command, "--no-audit", "--no-fund")


async def _step(image: Image, log: LogSink, *words: str) -> None:
    step = " ".join(words).replace(f"{image.folder}/", "").replace(sys.executable, "python")
    log(f"running: {step}")
    env = plain_environment(image.folder)
    try:
        code = await run_child(words, image.tree / image.recipe.folder, env, log)
    except FileNotFoundError as error:
        message = f"`{words[0]}` is not installed here"
        raise Permanent("build_failed", exit_code=None, step=step, message=message) from error
    if code != 0:
        raise Permanent("build_failed", exit_code=code, step=step, message=f"`{step}` ended with exit code {code}")


def _names_something(requirements: Path) -> bool:
    if not requirements.is_file():
        return False
    lines = requirements.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.strip() and not line.strip().startswith("#") for line in lines)


def _has_dependencies(package: Path) -> bool:
    if not package.is_file():
        return False
    try:
        written = json.loads(package.read_text(encoding="utf-8", errors="replace"))
    except ValueError:
        return False
    return isinstance(written, dict) and bool(written.get("dependencies"))
