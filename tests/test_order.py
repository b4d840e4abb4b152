"""What takes long is begun first, by every worker."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.order import LONG, longest_first

ROOT = Path(__file__).parents[1]


class Item(NamedTuple):
    nodeid: str


@pytest.mark.parametrize("workers", [1, 2, 6, 7])
def test_each_workers_part_begins_with_what_takes_long_and_nothing_is_left_out(workers: int) -> None:
    quick = [Item(f"tests/test_quick.py::test_{number}") for number in range(1000)]
    long = [Item(name if "::" in name else f"{name}::test_it") for name in LONG]
    ordered = longest_first([*quick, *long], workers)
    assert sorted(ordered) == sorted([*quick, *long])
    begins = 0
    for part in range(workers):  # as pytest-xdist cuts them
        assert ordered[begins] in long
        begins += (len(ordered) - begins) // (workers - part)
        assert ordered[begins - 1] in quick


def test_a_few_tests_stay_a_few() -> None:
    assert longest_first([Item("tests/test_quick.py::test_1")], 6) == [Item("tests/test_quick.py::test_1")]
    assert longest_first([], 6) == []


@pytest.mark.parametrize("name", LONG)
def test_what_is_said_to_take_long_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8")
