"""Which release a manifest's words mean."""

from __future__ import annotations

import pytest

from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree
from bot.inspect.versions import choose, exact, satisfying

_NODE = ("24", "22", "20")
_PYTHON = ("3.14", "3.13", "3.12", "3.11", "3.10")


@pytest.mark.parametrize(
    ("text", "supported", "default", "version"),
    [
        ("22.2.0", _NODE, "22", "22.2.0"),
        ("=18.0.0", _NODE, "22", "18.0.0"),
        (">=18", _NODE, "22", "22"),
        (">=23", _NODE, "22", "24"),
        ("^20.10.0", _NODE, "22", "20"),
        ("20.x", _NODE, "22", "20"),
        ("18 || 20", _NODE, "22", "20"),
        (">=20 <22", _NODE, "22", "20"),
        ("16 - 20", _NODE, "22", "20"),
        (">=3.11,<3.13", _PYTHON, "3.13", "3.12"),
        ("~=3.11", _PYTHON, "3.13", "3.13"),
        ("^3.9", _PYTHON, "3.13", "3.13"),
        ("==3.11.*", _PYTHON, "3.13", "3.11"),
        ("~3.11", _PYTHON, "3.13", "3.11"),
        ("!=3.13,>=3.10", _PYTHON, "3.13", "3.14"),
        ("^8.2", ("8.5", "8.4", "8.3"), "8.4", "8.4"),
        ("~8.3.0", ("8.5", "8.4", "8.3"), "8.4", "8.3"),
        ("~> 3.2", ("3.4", "3.3", "3.2"), "3.4", "3.4"),
        ("~> 3.2.0", ("3.4", "3.3", "3.2"), "3.4", "3.2"),
    ],
)
def test_a_text_chooses_a_release(text: str, supported: tuple[str, ...], default: str, version: str) -> None:
    choice = choose(text, supported, default)
    assert choice is not None
    assert choice.version == version


def test_a_range_without_a_supported_release_keeps_its_bound_and_says_so() -> None:
    choice = choose("^14.0.0", _NODE, "22")
    assert choice is not None
    assert (choice.version, choice.supported) == ("14.0.0", False)


@pytest.mark.parametrize("text", ["", "*", "latest", "whatever", "${version}"])
def test_words_without_a_number_choose_nothing(text: str) -> None:
    assert choose(text, (), "22") is None


def test_exact_versions_lose_their_prefix_only() -> None:
    assert [exact(text) for text in ("v1.2.3", "1.2", "1.2.3-rc.1", ">=1", "1.x")] == [
        "1.2.3",
        "1.2",
        "1.2.3",
        None,
        None,
    ]


def test_releases_keep_their_order() -> None:
    assert satisfying(">=22", _NODE) == ["24", "22"]


def test_the_toolchain_that_a_go_module_prefers_contradicts_nothing() -> None:
    inspection = inspect_tree(
        ListingTree([], {"go.mod": "module x\n\ngo 1.24.0\n\ntoolchain go1.25.1\n", "main.go": "package main\n"})
    )
    assert inspection.apps[0].runtime_version == "1.24.0"
    assert "version_conflict" not in {notice.code for notice in inspection.warnings}
