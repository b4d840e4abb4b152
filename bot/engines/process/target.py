"""Runs instances as local processes that outlive the server. For trying out only: nothing keeps them apart.

There is no limit to memory, processors or processes, no user of its own and no network of its own; an instance sees
what the server's user sees. What the Docker engine promises of an instance is not promised here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bot
from bot.engines.free_ports import free_port, is_free
from bot.engines.labels import OWNER, SPEC, labels, spec_hash
from bot.engines.process import keeper
from bot.engines.process.children import plain_environment, run_child
from bot.engines.process.images import Image, ImageStore
from bot.errors import Permanent
from bot.ports.images import LogSink
from bot.ports.running import Instance, InstanceSpec

HOST = "127.0.0.1"
LOOK_AGAIN_S = 0.02
KILL_WITHIN_S = 5.0
OUTPUT_BYTES = 256 * 1024
STOPPED_HARD = 137


@dataclass(frozen=True, slots=True)
class _Home:
    """One instance's folder: how it is launched, what runs, how it ended, what it wrote."""

    folder: Path

    @property
    def launch(self) -> Mapping[str, Any] | None:
        return self._read(keeper.LAUNCH)

    @property
    def running_pid(self) -> int | None:
        """The process, if it is still the one that was started; until its end is written down, while someone will."""
        running = self._read(keeper.RUNNING)
        if running is None or self.exit_code is not None:
            return None
        is_there = _is_still(running["pid"], running["started"])
        is_kept = _is_still(running["keeper"], running["keeper_started"])
        return int(running["pid"]) if is_there or is_kept else None

    @property
    def exit_code(self) -> int | None:
        ended = self._read(keeper.ENDED)
        return int(ended["exit_code"]) if ended else None

    def write_launch(self, launch: Mapping[str, Any]) -> None:
        """Readable by the server's user alone: the environment stands in it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / "launch.draft"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(launch), encoding="utf-8")
        draft.rename(self.folder / keeper.LAUNCH)

    def _read(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found


class ProcessTarget:
    """A `ports.Target`. An instance's id is its name."""

    name = "process"

    def __init__(self, folder: Path, images: ImageStore, owner: str) -> None:
        self._folder, self._images, self._owner = folder, images, owner

    async def start(self, spec: InstanceSpec) -> Instance:
        """Start, or find what an earlier attempt with the same spec started; a different one is replaced.

        Raises Permanent("image_gone", image), Permanent("start_failed", message).
        """
        launch = self._home(spec.name).launch
        if launch is not None and launch["labels"].get(SPEC) == spec_hash(spec):
            return await self.wake(spec.name)
        await self.remove(spec.name)
        self._home(spec.name).write_launch({**self._launch(spec), "port": free_port(HOST)})
        return await self.wake(spec.name)

    async def wake(self, instance_id: str) -> Instance:
        """Start a stopped instance again, at its own port if that is free. Raises Permanent("instance_gone")."""
        home = self._home(instance_id)
        launch = home.launch
        if launch is None:
            raise Permanent("instance_gone", instance=instance_id)
        if home.running_pid is None:
            port = launch["port"] if is_free(HOST, launch["port"]) else free_port(HOST)
            home.write_launch({**launch, "port": port, "env": {**launch["env"], "PORT": str(port)}})
            await _keep(home)
        return _instance(home, launch["name"]) or _gone(instance_id)

    async def look(self, instance_id: str) -> Instance | None:
        """What it is now; None when there is none, or when it is not ours."""
        return _instance(self._home(instance_id), instance_id)

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """SIGTERM to its process group, SIGKILL after `grace_s` seconds."""
        home = self._home(instance_id)
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILL_WITHIN_S)):
            pid = home.running_pid
            if pid is None:
                return
            with suppress(ProcessLookupError):
                os.killpg(pid, number)
            await _until_ended(home, patience_s)

    async def remove(self, instance_id: str) -> None:
        """End it at once and forget it."""
        await self.stop(instance_id, 0.0)
        await asyncio.to_thread(shutil.rmtree, self._home(instance_id).folder, ignore_errors=True)

    async def output(self, instance_id: str, lines: int) -> list[str]:
        """The last lines of its log."""
        path = self._home(instance_id).folder / keeper.OUTPUT
        return await asyncio.to_thread(_last_lines, path, lines)

    async def owned(self) -> list[Instance]:
        """Every instance of this installation, running or not."""
        names = sorted(path.name for path in self._folder.iterdir()) if self._folder.is_dir() else []
        found = [await self.look(name) for name in names]
        return [one for one in found if one is not None and one.labels.get(OWNER) == self._owner]

    async def run_once(self, spec: InstanceSpec, log: LogSink) -> int:
        """Run to its end; cancelling kills it and what it started. Raises Permanent("image_gone", image)."""
        launch = self._launch(spec)
        return await run_child(launch["words"], Path(launch["folder"]), launch["env"], log)

    async def remove_image(self, image: str) -> None:
        """Forget an image, unless an instance was made from it."""
        launches = [self._home(one.name).launch for one in await self.owned()]
        if not any(launch is not None and launch["image"] == image for launch in launches):
            await asyncio.to_thread(self._images.remove, image)

    def _home(self, name: str) -> _Home:
        if "/" in name or name in ("", ".", ".."):
            raise Permanent("start_failed", message=f"{name!r} cannot be the name of an instance")
        return _Home(self._folder / name)

    def _launch(self, spec: InstanceSpec) -> dict[str, Any]:
        image = self._images.get(spec.image)
        if image is None:
            raise Permanent("image_gone", image=spec.image)
        return {
            "name": spec.name,
            "image": image.id,
            "labels": labels(spec, self._owner),
            "words": ["/bin/sh", "-c", spec.command or image.recipe.command],
            "folder": str(image.tree / image.recipe.folder),
            "env": {**_environment(image), **image.recipe.env, **spec.env, "PORT": str(spec.port)},
        }


def _environment(image: Image) -> dict[str, str]:
    modules = image.tree / image.recipe.folder / "node_modules" / ".bin"
    return plain_environment(image.folder, [image.venv / "bin", modules])


async def _keep(home: _Home) -> None:
    """Start the keeper and wait until the application is on its way."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-E", "-S", "-m", keeper.__name__, str(home.folder)),
        cwd=Path(bot.__file__).parent.parent,
        env={},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0 or (home.running_pid is None and home.exit_code is None):
        raise Permanent("start_failed", message="its process could not be started")


def _instance(home: _Home, name: str) -> Instance | None:
    launch = home.launch
    if launch is None:
        return None
    is_running = home.running_pid is not None
    return Instance(
        id=name,
        name=name,
        running=is_running,
        host=HOST if is_running else None,
        port=launch["port"] if is_running else None,
        exit_code=None if is_running else _ended_with(home),
        labels=launch["labels"],
    )


def _ended_with(home: _Home) -> int | None:
    """Its exit code; one whose keeper was killed as well left none, and was not asked."""
    if not (home.folder / keeper.RUNNING).is_file():
        return None
    code = home.exit_code
    return STOPPED_HARD if code is None else code


def _gone(name: str) -> Instance:
    raise Permanent("instance_gone", instance=name)


def _is_still(pid: int, started: str) -> bool:
    return started != "" and keeper.started(pid) == started


async def _until_ended(home: _Home, patience_s: float) -> None:
    """Wait until the process is gone and its end is written down, or patience is over."""
    give_up_at = time.monotonic() + patience_s
    while home.running_pid is not None and time.monotonic() < give_up_at:  # noqa: ASYNC110 - another's process
        await asyncio.sleep(LOOK_AGAIN_S)


def _last_lines(path: Path, count: int) -> list[str]:
    if not path.is_file() or count <= 0:
        return []
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - OUTPUT_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return text.splitlines()[-count:]
