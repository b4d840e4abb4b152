"""Generated Dockerfiles really build, with their dependencies installed, and what they build really answers.

Python and JavaScript take their dependencies from the package indexes. The others' need not be reachable where tests
run: Go, Java, Rust, Ruby and PHP take a published one from Debian's copies, served as a module proxy, a Maven
repository, a crates source, and over HTTP as a mirror of RubyGems and of Packagist; each takes one that lies in the
repository too, through the same package manager.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.inspect.dockerfile import generate
from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import FolderTree
from tests import standin_bases
from tests.inspect.buildable import BUILDABLE, Buildable

pytestmark = pytest.mark.docker
PORT = 9123  # inside the container, other than any default, so that PORT must be honoured
_PATIENCE_S = 60


def _builder() -> tuple[str, bool]:
    """A docker client, and whether it speaks BuildKit: Debian's own has it built in, newer ones need a plugin."""
    for client in ("/usr/bin/docker", shutil.which("docker") or "docker"):
        shown = subprocess.run([client, "version", "--format", "{{.Client.Version}}"], capture_output=True, text=True)
        plugin = subprocess.run([client, "buildx", "version"], capture_output=True)
        if shown.returncode == 0 and (int(shown.stdout.split(".")[0]) < 23 or plugin.returncode == 0):
            return client, True
    return shutil.which("docker") or "docker", False


def _docker(client: str, *words: str, buildkit: bool = False) -> str:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1" if buildkit else "0"}
    done = subprocess.run([client, *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"docker {words[0]}: {(done.stdout + done.stderr)[-4000:]}"
    return done.stdout.strip()


def _build(name: str, folder: Path, tag: str) -> str:
    sample = BUILDABLE[name]
    for base in sample.bases:
        standin_bases.ensure(base)
    _write(sample, folder)
    client, buildkit = _builder()
    with standin_bases.packages_of(sample.bases[0]) as reach:
        if sample.lock:
            within = ("--volume", f"{folder}:/app", "--workdir", "/app")
            _docker(client, "run", "--rm", *reach, *within, standin_bases.BASES[sample.bases[0]].image, *sample.lock)
        _build_image(client, buildkit, folder, tag, reach)
    return client


def _write(sample: Buildable, folder: Path) -> None:
    for file, text in sample.files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _build_image(client: str, buildkit: bool, folder: Path, tag: str, reach: tuple[str, ...]) -> None:
    tree = FolderTree(folder)
    plan = inspect_tree(tree).apps[0]
    made = generate(plan, tree, buildkit=buildkit)
    (folder / "Dockerfile").write_text(made.dockerfile)
    (folder / ".dockerignore").write_text(made.dockerignore)
    argument = f"REGISTRY={standin_bases.REGISTRY}"
    words = ("build", "--build-arg", argument, "--label", f"{standin_bases.LABEL}.test=1", "--tag", tag)
    _docker(client, *words, *reach, str(folder / made.context), buildkit=buildkit)


@contextmanager
def _running(client: str, tag: str) -> Iterator[str]:
    words = ("run", "--detach", "--init", "--cap-drop", "ALL")
    published = ("--env", f"PORT={PORT}", "--publish", f"127.0.0.1::{PORT}")
    container = _docker(client, *words, *published, tag)
    try:
        yield container
    finally:
        subprocess.run([client, "rm", "--force", container], capture_output=True)


def _answer(client: str, container: str) -> str:
    """What the application says once it listens; its log when it never does."""
    shown = json.loads(_docker(client, "inspect", container))[0]
    address = f"http://127.0.0.1:{shown['NetworkSettings']['Ports'][f'{PORT}/tcp'][0]['HostPort']}/"
    last = time.monotonic() + _PATIENCE_S
    while time.monotonic() < last:
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return str(reply.read().decode())
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    log = subprocess.run([client, "logs", container], capture_output=True, text=True)
    return log.stdout + log.stderr


@pytest.fixture
def tag() -> Iterator[str]:
    name = f"shipmate-test-image/{uuid.uuid4().hex}"
    yield name
    subprocess.run(["docker", "rmi", "--force", name], capture_output=True)


@pytest.mark.parametrize("name", BUILDABLE)
def test_the_generated_dockerfile_builds_and_the_image_answers(name: str, tmp_path: Path, tag: str) -> None:
    client = _build(name, tmp_path, tag)
    with _running(client, tag) as container:
        assert BUILDABLE[name].answer in _answer(client, container)
        assert _docker(client, "exec", container, "id", "-u") != "0"
        _docker(client, "stop", "--time", "20", container)
        state = json.loads(_docker(client, "inspect", container))[0]["State"]
        assert state["ExitCode"] != 137, "the program did not end when it was asked to"
