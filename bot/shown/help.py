"""The grammar in words: all commands as a table, or one with who may say it and how its options are written."""

from __future__ import annotations

from bot import messages
from bot.commands import COMMANDS
from bot.grammar import CommandSpec, Takes


def help_text(locale: str) -> str:
    """The commands that work, as a table made from the grammar."""
    language = _language(locale)
    head = f"| {messages.say(locale, 'help.command')} | {messages.say(locale, 'help.does')} |\n|---|---|"
    rows = [f"| `{spec.usage_in_a_table}` | {spec.help[language]} |" for spec in COMMANDS.values()]
    return "\n".join([messages.say(locale, "help.title"), "", head, *rows])


def help_with(locale: str, spec: CommandSpec) -> str:
    """One command: how it is said, what it does, who may say it, how its options are written, and what people say."""
    key = "help.needs_nothing" if spec.needs == "none" else "help.needs"
    parts = [f"`{spec.usage}`", spec.help[_language(locale)], messages.say(locale, key, role=spec.needs)]
    if options := option_lines(locale, spec):
        parts.append(options)
    if spec.examples:
        examples = "\n".join(f"- `/{example}`" for example in spec.examples)
        parts.append(f"{messages.say(locale, 'help.examples')}\n{examples}")
    return "\n\n".join(parts)


def option_lines(locale: str, spec: CommandSpec) -> str:
    """How those options are written of which the usage does not say it."""
    explained = [one for one in spec.parameters if one.takes not in {Takes.WORD, Takes.NOTHING}]
    words = (messages.say(locale, f"help.parameter.{one.takes.name}", said=one.said) for one in explained)
    return "\n".join(f"- {line}" for line in words)


def _language(locale: str) -> str:
    return "ko" if locale == "ko" else "en"
