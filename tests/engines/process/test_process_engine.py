"""Building and running as local processes: what a tree says, and that instances outlive who started them."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.engines.process import keeper
from bot.engines.process.builder import ProcessBuilder
from bot.engines.process.images import ImageStore
from bot.engines.process.recipe import read_recipe
from bot.engines.process.target import ProcessTarget
from bot.errors import Permanent
from bot.ports.images import BuildRequest, BuiltImage
from bot.ports.running import Instance, InstanceSpec
from tests.engines.machine import processes_with
from tests.engines.waiting import until, until_told
from tests.patience import ENOUGH_S

SERVER = (
    "import http.server, os, sys\n"
    "print('listening', os.environ.get('COLOUR'), flush=True)\n"
    "http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])),"
    " http.server.SimpleHTTPRequestHandler).serve_forever()\n"
)


class Workshop:
    """A source folder, and the engine's parts over one work folder."""

    def __init__(self, folder: Path) -> None:
        self.source, self.work = folder / "source", folder / "work"
        self.source.mkdir()
        self.images = ImageStore(self.work / "images")
        self.builder = ProcessBuilder(self.images)
        self.target = ProcessTarget(self.work / "instances", self.images, "test-owner")
        self.log: list[str] = []

    def write(self, name: str, text: str) -> None:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    async def build(self, start: str | None = None) -> BuiltImage:
        return await self.builder.build(self.request(start), self.log.append)

    def request(self, start: str | None = None) -> BuildRequest:
        return BuildRequest(self.source, "Dockerfile", "app:1", start_command=start)


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    workshop = Workshop(tmp_path)
    workshop.write("app.py", SERVER)
    yield workshop
    for instance in await workshop.target.owned():
        await workshop.target.remove(instance.id)


@pytest.fixture
async def spec(workshop: Workshop) -> InstanceSpec:
    image = await workshop.build("exec python3 app.py")
    return InstanceSpec("app-1", image.id, "1/production", "dep_test", 8080)


async def answer(instance: Instance | None) -> int:
    assert instance is not None
    async with asyncio.timeout(ENOUGH_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://{instance.host}:{instance.port}/") as reply:
                    return reply.status
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def test_an_instance_answers_and_starting_it_again_finds_it(workshop: Workshop, spec: InstanceSpec) -> None:
    first = await workshop.target.start(spec)
    assert await answer(first) == 200
    assert await workshop.target.start(spec) == first
    assert [one.labels["shipmate.job"] for one in await workshop.target.owned()] == ["dep_test"]


async def test_an_instance_of_another_spec_is_replaced(workshop: Workshop, spec: InstanceSpec) -> None:
    await workshop.target.start(spec)
    second = await workshop.target.start(dataclasses.replace(spec, env={"COLOUR": "green"}))
    await answer(second)
    assert "listening green" in await workshop.target.output("app-1", 5)


async def test_an_instance_outlives_the_process_that_started_it(workshop: Workshop, spec: InstanceSpec) -> None:
    program = (
        "import asyncio, os, signal\n"
        "from pathlib import Path\n"
        "from bot.engines.process.images import ImageStore\n"
        "from bot.engines.process.target import ProcessTarget\n"
        "from bot.ports.running import InstanceSpec\n"
        f"work = Path({str(workshop.work)!r})\n"
        "target = ProcessTarget(work / 'instances', ImageStore(work / 'images'), 'test-owner')\n"
        f"asyncio.run(target.start(InstanceSpec('app-1', {spec.image!r}, '1/production', 'dep_test', 8080)))\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", program, start_new_session=True)
    assert await starter.wait() == -signal.SIGKILL
    found = await workshop.target.look("app-1")
    assert await answer(found) == 200
    assert await workshop.target.start(spec) == found


async def test_a_stopped_instance_wakes_at_its_address(workshop: Workshop, spec: InstanceSpec) -> None:
    first = await workshop.target.start(spec)
    await answer(first)
    await workshop.target.stop("app-1", 5)
    await workshop.target.stop("app-1", 5)
    stopped = await workshop.target.look("app-1")
    assert stopped is not None
    assert (stopped.running, stopped.port, stopped.exit_code) == (False, None, 128 + signal.SIGTERM)
    woken = await workshop.target.wake("app-1")
    assert woken == first
    assert await answer(woken) == 200


async def test_one_that_does_not_listen_to_reason_is_killed_with_all_it_started(
    workshop: Workshop, spec: InstanceSpec
) -> None:
    stubborn = f"trap '' TERM; sleep 98{os.getpid()}7 & while true; do sleep 98{os.getpid()}8; done"
    await workshop.target.start(dataclasses.replace(spec, command=stubborn))
    await until(lambda: len(processes_with(f"sleep\x0098{os.getpid()}")) == 2)
    await workshop.target.stop("app-1", 0.1)
    await until(lambda: not processes_with(f"sleep\x0098{os.getpid()}"))
    stopped = await workshop.target.look("app-1")
    assert stopped is not None
    assert stopped.exit_code == 128 + signal.SIGKILL


async def test_one_that_ends_tells_its_exit_code_and_last_words(workshop: Workshop, spec: InstanceSpec) -> None:
    await workshop.target.start(dataclasses.replace(spec, command="echo dying; exit 5"))

    async def has_ended() -> bool:
        now = await workshop.target.look("app-1")
        return now is not None and not now.running

    await until_told(has_ended)
    ended = await workshop.target.look("app-1")
    assert ended is not None
    assert ended.exit_code == 5
    assert await workshop.target.output("app-1", 1) == ["dying"]


async def test_another_process_with_the_same_number_is_never_taken_for_it(
    workshop: Workshop, spec: InstanceSpec
) -> None:
    await workshop.target.start(dataclasses.replace(spec, command="exit 0"))
    folder = workshop.work / "instances" / "app-1"
    await until(lambda: (folder / keeper.ENDED).exists())
    (folder / keeper.ENDED).unlink()
    bystander = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    (folder / keeper.RUNNING).write_text(
        f'{{"pid": {bystander.pid}, "started": "1", "keeper": {bystander.pid}, "keeper_started": "1"}}'
    )
    found = await workshop.target.look("app-1")
    assert found is not None
    assert not found.running
    await workshop.target.remove("app-1")
    assert bystander.returncode is None
    bystander.kill()
    await bystander.wait()


async def test_secrets_reach_the_instance_in_a_file_nobody_else_may_read(
    workshop: Workshop, spec: InstanceSpec
) -> None:
    await workshop.target.start(dataclasses.replace(spec, env={"COLOUR": "s3cret"}))
    assert processes_with("s3cret") == []
    holders = [path for path in workshop.work.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert {path.name for path in holders} <= {keeper.LAUNCH, keeper.OUTPUT}
    assert {path.stat().st_mode & 0o077 for path in holders} == {0}


async def test_a_command_runs_once_and_cancelling_ends_it(workshop: Workshop, spec: InstanceSpec) -> None:
    lines: list[str] = []
    once = dataclasses.replace(spec, command="echo $PORT; exit 7", env={"A": "b"})
    assert await workshop.target.run_once(once, lines.append) == 7
    assert lines == ["8080"]
    word = f"97{os.getpid()}7"
    running = asyncio.create_task(workshop.target.run_once(dataclasses.replace(spec, command=f"sleep {word}"), print))
    await until(lambda: bool(processes_with(f"sleep\0{word}")))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not processes_with(f"sleep\0{word}"))


async def test_the_server_s_own_environment_reaches_no_process(
    workshop: Workshop, spec: InstanceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "hidden")
    lines: list[str] = []
    await workshop.target.run_once(dataclasses.replace(spec, command="env"), lines.append)
    assert not any("hidden" in line for line in lines)


async def test_what_is_gone_is_named(workshop: Workshop, spec: InstanceSpec) -> None:
    with pytest.raises(Permanent, match="instance_gone"):
        await workshop.target.wake("app-1")
    with pytest.raises(Permanent, match="image_gone"):
        await workshop.target.start(dataclasses.replace(spec, image="sha256:0"))
    assert await workshop.target.look("app-1") is None
    await workshop.target.remove("app-1")


async def test_an_image_is_kept_while_an_instance_was_made_from_it(workshop: Workshop, spec: InstanceSpec) -> None:
    await workshop.target.start(spec)
    await workshop.target.remove_image(spec.image)
    assert workshop.images.get(spec.image) is not None
    await workshop.target.remove("app-1")
    await workshop.target.remove_image(spec.image)
    assert workshop.images.get(spec.image) is None


async def test_the_same_tree_is_built_once_and_another_one_anew(workshop: Workshop) -> None:
    first = await workshop.build("python3 app.py")
    assert await workshop.build("python3 app.py") == first
    assert workshop.log[-1].startswith("nothing changed")
    assert (await workshop.build("python3 app.py --more")).id != first.id
    (workshop.source / "app.py").chmod(0o755)
    assert (await workshop.build("python3 app.py")).id != first.id


def write_wheel(folder: Path) -> str:
    """The smallest wheel there can be; answers its name."""
    name = "local_thing-1.0-py3-none-any.whl"
    info = "local_thing-1.0.dist-info"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("thing.py", "answer = 42\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: local-thing\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name


async def test_python_packages_are_installed_where_a_tree_names_some(workshop: Workshop) -> None:
    workshop.write("requirements.txt", f"# from the tree itself\n./{write_wheel(workshop.source)}\n")
    image, lines = await workshop.build("python -c 'import thing; print(thing.answer)'"), list[str]()
    spec = InstanceSpec("once", image.id, "1/test", "dep_test", 8080)
    assert await workshop.target.run_once(spec, lines.append) == 0
    assert lines == ["42"]


async def test_packages_that_cannot_be_installed_fail_the_build_and_leave_no_image(workshop: Workshop) -> None:
    workshop.write("requirements.txt", "# nothing but a comment\n")
    image = workshop.images.get((await workshop.build("true")).id)
    assert image is not None
    assert not image.venv.exists()
    workshop.write("requirements.txt", "./no-such-folder\n")
    for _ in range(2):
        with pytest.raises(Permanent, match="build_failed") as failed:
            await workshop.build("true")
        assert failed.value.facts["step"].startswith("python -m pip")
        assert failed.value.facts["exit_code"] == 1


async def test_node_packages_of_the_tree_itself_are_installed(workshop: Workshop) -> None:
    workshop.write("local/package.json", '{"name": "thing", "version": "1.0.0", "main": "index.js"}')
    workshop.write("local/index.js", "module.exports = 42")
    workshop.write("package.json", '{"name": "app", "dependencies": {"thing": "file:./local"}}')
    image = await workshop.build("node -p \"require('thing')\"")
    lines: list[str] = []
    spec = InstanceSpec("once", image.id, "1/test", "dep_test", 8080)
    assert await workshop.target.run_once(spec, lines.append) == 0
    assert lines == ["42"]


@pytest.mark.parametrize(
    ("dockerfile", "command", "folder", "env"),
    [
        ('FROM x\nCMD ["python", "my app.py"]', "python 'my app.py'", ".", {}),
        (
            "FROM x\nENV PORT=8080 A=b\nCMD exec serve --port $PORT",
            "exec serve --port $PORT",
            ".",
            {"PORT": "8080", "A": "b"},
        ),
        ('FROM x\nENTRYPOINT ["run"]\nCMD ["--fast"]', "run --fast", ".", {}),
        ("FROM x AS one\nCMD one\nFROM one\nENV PATH=/venv/bin:$PATH", "one", ".", {}),
        ("FROM x\nWORKDIR /srv\nCOPY app/ .\nCMD serve", "serve", "app", {}),
        ("FROM x\nCOPY --from=build /out /srv\nCOPY . /srv\nCMD serve", "serve", ".", {}),
    ],
)
def test_the_dockerfile_says_how_to_start_where_nothing_else_does(
    workshop: Workshop, dockerfile: str, command: str, folder: str, env: dict[str, str]
) -> None:
    workshop.write("Dockerfile", dockerfile)
    workshop.write("app/x", "")
    recipe = read_recipe(workshop.request())
    assert (recipe.command, recipe.folder, recipe.env) == (command, folder, env)


def test_a_tree_that_says_nothing_about_its_start_is_refused_with_what_to_do(workshop: Workshop) -> None:
    with pytest.raises(Permanent) as failed:
        read_recipe(workshop.request())
    assert "build.start" in failed.value.facts["message"]
