"""Runs the statements of one step of a schema."""

from __future__ import annotations

from sqlite_utils import Database as Schema


def run(schema: Schema, *statements: str) -> None:
    """Each statement in order; the caller holds the transaction."""
    for statement in statements:
        schema.execute(statement)
