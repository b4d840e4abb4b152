"""Runs benches and says what they found; a missed goal is told, never an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from bench.figure import CannotMeasure, Figure

Measure = Callable[[list[str]], list[Figure]]
"""Measures, printing details as it likes. Takes the command line's options. Raises CannotMeasure."""
BUSY_LOAD = 0.5
"""Load for each processor from which others can be seen in the figures."""


def run(name: str, measure: Measure, arguments: Sequence[str] = ()) -> list[Figure] | None:
    """Run one bench and print its figures; None when it broke. One that cannot be measured here answers none.

    Raises SystemExit for options it does not have.
    """
    print(f"\n== {name} ==", flush=True)
    if busy := busy_sentence():
        print(busy)
    try:
        figures = measure(list(arguments))
    except CannotMeasure as reason:
        print(f"not measured: {reason}")
        return []
    except Exception:  # noqa: BLE001  one broken bench must not hide the others
        traceback.print_exc()
        return None
    for figure in figures:
        print(figure, flush=True)
    return figures


def require_no_options(name: str, arguments: Sequence[str]) -> None:
    """For a bench that has none. Raises SystemExit(2), having said so."""
    argparse.ArgumentParser(prog=f"python -m bench.{name}", description="It has no options.").parse_args(arguments)


def busy_sentence() -> str:
    """A warning when others use the machine; empty when it is quiet."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load / processors < BUSY_LOAD:
        return ""
    return f"The load average is {load:.1f} on {processors} processors: others are at work, repeat when it is quiet."


def main(measure: Measure) -> None:
    """One bench alone, as a program: exit 1 only when it breaks, 2 for options it does not have."""
    found = run(sys.argv[0].rpartition("/")[2].removesuffix(".py"), measure, sys.argv[1:])
    sys.exit(1 if found is None else 0)
