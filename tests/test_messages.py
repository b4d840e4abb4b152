"""Everything a person reads exists in both languages, with the same facts in it."""

from __future__ import annotations

import ast
import string
from pathlib import Path
from typing import Any

import pytest

from bot import messages
from bot.wording import english, korean

ROOT = Path(__file__).parents[1]


def facts_of(sentence: str) -> set[str]:
    return {name.partition(":")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_braces_that_are_to_be_read_are_not_taken_for_a_fact(locale: str) -> None:
    assert "`previews: {enabled: true}`" in messages.failure(locale, "previews_off", {})
    formats = {form for s in messages.LOCALES[locale].values() for _, _, form, _ in string.Formatter().parse(s) if form}
    assert [form for form in formats if form not in {",", ".0f", ".1f"} and "|" not in form] == []


def test_both_languages_have_the_same_sentences() -> None:
    assert english.SENTENCES.keys() == korean.SENTENCES.keys()


@pytest.mark.parametrize("key", sorted(english.SENTENCES))
def test_a_sentence_names_the_same_facts_in_both_languages(key: str) -> None:
    assert facts_of(english.SENTENCES[key]) == facts_of(korean.SENTENCES[key])


def codes_raised() -> set[str]:
    """Every code given to Refused, Permanent or UserMistake in the house's own rooms."""
    found: set[str] = set()
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]:
        if {"sandbox", "inspect", "analysis"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in {"Refused", "Permanent"} and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def test_every_reason_has_words() -> None:
    assert {code for code in codes_raised() if f"failed.{code}" not in english.SENTENCES} == set()


@pytest.mark.parametrize("locale", ["en", "ko"])
@pytest.mark.parametrize("facts", [{}, {"limit_s": "soon", "seconds": None}])
def test_no_fact_that_is_missing_or_odd_breaks_a_sentence(locale: str, facts: dict[str, Any]) -> None:
    for key in english.SENTENCES:
        assert messages.say(locale, key, **facts)
    assert "–" in messages.failure(locale, "health_check_failed", facts)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files"), ("–", "– files")]
)
def test_a_count_is_worded_for_one_and_for_many(count: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(messages.LOCALES, "xx", {"counted": "{files:# file|# files}"})
    assert messages.say("xx", "counted", files=count) == said


@pytest.mark.parametrize("text", ["@all /deploy", "<!-- x --> `y`", "a\n/deploy\nb", "|x|"])
def test_what_others_wrote_is_echoed_harmlessly(text: str) -> None:
    shown = messages.neutral(text)
    assert "\n" not in shown
    assert "@all" not in shown
    assert not shown.lstrip().startswith("/deploy")
    assert not {"`", "<", ">", "|"} & set(shown)
