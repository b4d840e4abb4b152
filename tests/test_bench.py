"""A bench as a program: what it answers to options, before it measures anything."""

from __future__ import annotations

import subprocess
import sys

import pytest


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["refused", "store"])
def test_a_bench_says_its_options_and_measures_nothing(name: str) -> None:
    asked = bench(f"bench.{name}", "--help")
    assert asked.returncode == 0
    assert "usage:" in asked.stdout
    assert asked.stderr == ""


@pytest.mark.parametrize("name", ["refused", "audit"])
def test_an_option_a_bench_does_not_have_is_bad_usage(name: str) -> None:
    asked = bench(f"bench.{name}", "--nonsense")
    assert asked.returncode == 2
    assert "unrecognized arguments: --nonsense" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_a_bench_nobody_knows_is_answered_with_those_there_are() -> None:
    asked = bench("bench", "nonsense")
    assert asked.returncode == 2
    assert "there is no bench 'nonsense'; there are ingress" in asked.stderr
