"""A command runs as it is where it can, and through a shell where it has what only a shell understands."""

from __future__ import annotations

import pytest

from aws import definition
from bot.engines.docker import container

SHELLS = [
    "exec gunicorn app",
    "cd api && serve",
    "export PORT\nserve",
    "serve | tee log",
    "PORT=80 serve",
    "ulimit -n 9",
]


@pytest.mark.parametrize("platform", [definition, container], ids=["ecs", "docker"])
def test_plain_words_are_run_and_the_shells_own_are_read_by_a_shell(platform: object) -> None:
    words = platform.command_words  # type: ignore[attr-defined]
    assert words("executor --set 1") == ["executor", "--set", "1"]
    assert [words(command) for command in SHELLS] == [["/bin/sh", "-c", command] for command in SHELLS]
