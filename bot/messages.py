"""Everything a person reads, in English and Korean, by key; codes of failures and refusals are keys too."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from bot.wording import english, korean

UNKNOWN = "–"
LOCALES: Mapping[str, Mapping[str, str]] = {"en": english.SENTENCES, "ko": korean.SENTENCES}


class _Wording(string.Formatter):
    """A fact that is not known shows as a dash, and one of another kind as it is: a sentence never fails to be said.

    `{files:# file|# files}` words a count, for one and for any other number of them.
    """

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = kwargs.get(str(key))
        return UNKNOWN if value is None else value

    def format_field(self, value: Any, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        if bar:
            return (one if value == 1 else many).replace("#", self.format_field(value, ","))
        try:
            return str(format(value, format_spec))
        except (TypeError, ValueError):
            return str(value)


_WORDING = _Wording()


def say(locale: str, key: str, /, **facts: Any) -> str:
    """The sentence of `key`. Raises KeyError for a key nobody worded: that is our bug."""
    return _WORDING.vformat(LOCALES.get(locale, english.SENTENCES)[key], (), facts)


def failure(locale: str, code: str, facts: Mapping[str, Any]) -> str:
    """Why something failed or was refused, and what to do next; an unworded code is said as it is."""
    key = f"failed.{code}"
    if key not in english.SENTENCES:
        return say(locale, "failed.other", code=code)
    said = say(locale, key, **{**facts, **_derived(locale, code, facts)})
    return f"{said} {_remedy(locale, facts['fix'])}" if isinstance(facts.get("fix"), Mapping) else said


def _remedy(locale: str, fix: Mapping[str, Any]) -> str:
    """Which setting would mend a guess that did not hold, and where the guess came from."""
    if fix.get("value") is None:
        return say(locale, "hint.fix_missing", **fix)
    return say(locale, "hint.fix_read" if fix.get("place") else "hint.fix_assumed", **fix)


def _derived(locale: str, code: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Words made of facts: lists joined, long values cut, a hint where a fact allows one."""
    words: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, list | tuple):
            words[name] = ", ".join("`" + str(item).replace("`", "'") + "`" for item in value) or UNKNOWN
    if code == "aws_name_taken" and facts.get("kind"):
        words["kind"] = say(locale, f"ground.{facts['kind']}")
    if code == "instance_ended" and facts.get("out_of_memory"):
        words["hint"] = say(locale, "hint.out_of_memory")
    elif code == "frozen" and facts.get("until") is None:
        words["until"] = say(locale, "hint.no_end")
    elif code in {"environment_locked", "all_locked"}:
        words["until"] = facts.get("until") or say(locale, "lock.no_end")
        words["reason"] = facts.get("reason") or say(locale, "lock.no_reason")
    elif code == "instance_ended":
        words["hint"] = say(locale, "hint.see_log")
    return words


def harmless(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a refusal with what someone else wrote made safe to echo.

    A ref stands in code, where only its end could act.
    """
    words = {name: value for name, value in facts.items() if isinstance(value, str)}
    echoed = {name: neutral(value) for name, value in words.items() if name in {"given", "command"}}
    return {**facts, **echoed, **({"ref": words["ref"].replace("`", "'")} if "ref" in words else {})}


def neutral(text: str, limit: int = 200) -> str:
    """What someone else wrote, safe to echo: no mention, no live command, no markup, on one line."""
    flat = " ".join(text.split())[:limit]
    for mark, harmless in (("@", "@\u200b"), ("`", "'"), ("<", "‹"), (">", "›"), ("|", "¦"), ("/", "/\u200b")):
        flat = flat.replace(mark, harmless)
    return flat
