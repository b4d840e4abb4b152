"""A command that is told to end leaves nothing behind: no process, and no folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import at_work

WAIT_S = 30


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """One that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        yield server


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_an_analysis_told_to_end_stops_git_and_removes_its_clone(
    silent_server: socket.socket, tmp_path: Path, told: signal.Signals
) -> None:
    asked = [sys.executable, "-m", "bot", "analyze", f"http://127.0.0.1:{silent_server.getsockname()[1]}/acme/api"]
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(asked, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        connected, _ = silent_server.accept()
        assert list(tmp_path.glob("shipmate-*/clone.git"))
        assert at_work(os.fsencode(tmp_path))
        running.send_signal(told)
        _, said = running.communicate(timeout=WAIT_S)
    assert running.returncode == (1 if told is signal.SIGINT else 128 + told)
    assert b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert at_work(os.fsencode(tmp_path)) == []
    connected.close()  # what git left to listen to it ends


def test_a_signal_that_is_ignored_stays_so_as_under_nohup() -> None:
    program = """
import signal
from bot.shell.ending import end_orderly
signal.signal(signal.SIGHUP, signal.SIG_IGN)
end_orderly()
signal.raise_signal(signal.SIGHUP)
print("still there")
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
    assert ran.stdout == b"still there\n"
