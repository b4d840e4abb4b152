"""Patterns of settings are read and tried within a moment, whatever they are made of."""

from __future__ import annotations

import pytest

from bot.repo_config.patterns import fault_in_pattern, fits


@pytest.mark.parametrize(
    ("pattern", "value", "is_allowed"),
    [
        ("[0-9]{1,3}", "12", True),
        ("[0-9]{1,3}", "1234", False),
        ("a|ab", "ab", True),
        ("", "", True),
        ("x", "x\n", False),
    ],
)
def test_a_value_is_allowed_when_all_of_it_is_of_the_form(pattern: str, value: str, is_allowed: bool) -> None:
    assert fits(pattern, value) is is_allowed


@pytest.mark.parametrize(("pattern", "value"), [("(a|aa)+", "a" * 60 + "b"), ("(.*a){30}", "a" * 29 + "b" * 900)])
def test_a_pattern_that_would_go_on_for_years_allows_nothing(pattern: str, value: str) -> None:
    assert not fits(pattern, value)


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{2,1}", "a{99999999999}", "(?P<x>a)(?P=y)"])
def test_what_is_no_regular_expression_is_told_in_words(pattern: str) -> None:
    assert fault_in_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[0-9]+", "(?i)on|off", "(?:x?){4000}", ""])
def test_a_regular_expression_has_no_fault(pattern: str) -> None:
    assert fault_in_pattern(pattern) is None
