"""The sample repositories: each starts at once, says its version and stops when told."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.sandbox import SAMPLES

NAMES = sorted(one.name for one in SAMPLES.iterdir() if one.is_dir())


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest, unused_port: int) -> Iterator[tuple[str, subprocess.Popen[bytes], str]]:
    """One running sample: its name, its process, its address."""
    environment = {"PORT": str(unused_port), "PATH": os.environ["PATH"]}
    run = subprocess.Popen([sys.executable, "app.py"], cwd=SAMPLES / request.param, env=environment)
    yield request.param, run, f"http://127.0.0.1:{unused_port}"
    run.kill()
    run.wait()


def read(url: str) -> bytes:
    """A page, tried until the server listens."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                page: bytes = answer.read()
                return page
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.05)
    raise AssertionError(f"{url} never answered")


def test_a_sample_says_hello_its_version_and_that_it_is_well(
    sample: tuple[str, subprocess.Popen[bytes], str],
) -> None:
    name, _, url = sample
    assert read(f"{url}/").decode() == f"Hello from {name}, version 1\n"
    assert json.loads(read(f"{url}/version")) == {"app": name, "version": "1"}
    assert read(f"{url}/healthz") == b"ok\n"


def test_a_sample_exits_cleanly_when_told(sample: tuple[str, subprocess.Popen[bytes], str]) -> None:
    _, run, url = sample
    read(f"{url}/healthz")
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=10) == 0


def test_one_sample_has_a_dockerfile_whose_base_comes_from_a_registry_to_choose() -> None:
    assert NAMES == ["hello-docker", "hello-python"]
    lines = (SAMPLES / "hello-docker" / "Dockerfile").read_text().splitlines()
    assert lines[0] == "ARG REGISTRY=public.ecr.aws/docker/library"
    assert lines[1].startswith("FROM ${REGISTRY}/python:")
    assert not list(Path(SAMPLES / "hello-python").glob("**/Dockerfile*"))
