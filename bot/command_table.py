"""Writes the README's table of commands from the grammar: `python -m bot.command_table README.md`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bot.commands import COMMANDS

_PLACE = re.compile(r"(<!-- commands:[^\n]*-->\n).*?(<!-- end of commands -->)", re.DOTALL)


def command_table() -> str:
    """One row a command: usage, the permission it needs, what it does."""
    rows = [f"| `{spec.usage_in_a_table}` | {spec.needs} | {spec.help['en']} |" for spec in COMMANDS.values()]
    return "\n".join(["| command | needs | what it does |", "|---|---|---|", *rows]) + "\n"


def with_table(text: str) -> str:
    """The text with the table between its marks made anew. Raises ValueError when the marks are not there."""
    made, count = _PLACE.subn(lambda found: f"{found[1]}\n{command_table()}\n{found[2]}", text)
    if count != 1:
        raise ValueError("the marks for the table of commands are not there")
    return made


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
