"""Inspects trees given as lines of JSON, without any of them being checked out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bot.inspect.errors import BadInput
from bot.inspect.inspection import inspect_tree
from bot.inspect.tree import ListingTree


def inspect_lines(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One answer `{name, apps, warnings}` for each line `{name, paths, files}`; empty lines are skipped.

    Raises BadInput with the line's number when one is not of that form.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            name, tree = _tree_of(line, number)
            yield {"name": name, **inspect_tree(tree).to_json()}


def _tree_of(line: str, number: int) -> tuple[str, ListingTree]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"line {number} is not JSON.") from error
    paths, files = (row.get("paths"), row.get("files", {})) if isinstance(row, dict) else (None, None)
    if not isinstance(paths, list) or not isinstance(files, dict) or not isinstance(row.get("name"), str):
        raise BadInput(f"line {number} is not of the form {{name, paths, files}}.")
    texts = {str(path): text for path, text in files.items() if isinstance(text, str)}
    truncated = row.get("truncated") is True
    return row["name"], ListingTree([p for p in paths if isinstance(p, str)], texts, truncated=truncated)
