"""Decides in which order tests run: what takes long is begun first, for who begins it last keeps all others waiting.

pytest-xdist cuts the collection into one part for each worker, and whoever is done takes from the ends of the others'.
So each part begins with its share of the long ones, and ends with tests of milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Protocol, TypeVar

LONG = (
    "tests/aws/ground/test_provision.py",
    "tests/scenarios/faults/test_kills.py",
    "tests/test_demo.py",
    "tests/aws/builds/test_codebuild_shipping.py",
    "tests/aws/accounts/test_lent_accounts.py",
    "tests/aws/rollouts/test_kills.py",
    "tests/aws/builds/test_codebuild_kills.py",
    "tests/scenarios/faults/test_step_kills.py",
    "tests/aws/lambdas/test_work.py",
    "tests/test_cli.py::test_a_push_is_received",
    "tests/inspect/test_hostile_input.py::test_a_million_paths",
    "tests/aws/test_queue.py",
    "tests/aws/ground/test_ground_shell.py",
    "tests/aws/ground/test_provisioned_shipping.py",
    "tests/aws/lambdas/test_voyage.py",
    "tests/engines/docker/test_builder.py",
    "tests/aws/infra/test_template.py",
    "tests/test_cli.py::test_what_was_told_to_stop",
)
"""How the names of tests begin that take ten seconds and more, or of files that take half a minute; longest first."""


class Named(Protocol):
    """What pytest calls an item."""

    @property
    def nodeid(self) -> str: ...


Item = TypeVar("Item", bound=Named)


def longest_first(items: Sequence[Item], workers: int) -> list[Item]:
    """The same items, in as many parts of one size as there are workers, each with its share of the long ones first."""
    parts: list[list[Item]] = [[] for _ in range(workers)]
    for beginning, part in zip(LONG, cycle(parts), strict=False):
        part += [item for item in items if item.nodeid.startswith(beginning)]
    rest = [item for item in items if not item.nodeid.startswith(LONG)]
    for place, part in enumerate(parts):
        left = sum(map(len, parts[place:])) + len(rest)
        more = max(left // (workers - place) - len(part), 0)
        part += rest[:more]
        del rest[:more]
    return [item for part in parts for item in part] + rest
