"""Says whether a server has anything left to do, by one look at its database from the side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from storage.engine.connection import connect_reader

LEFT = """
    SELECT EXISTS (SELECT 1 FROM jobs WHERE ended_us IS NULL AND held = 0)
        OR EXISTS (SELECT 1 FROM deliveries WHERE outcome IS NULL)
        OR EXISTS (SELECT 1 FROM answers WHERE sent = 0)
        OR EXISTS (
            SELECT 1 FROM json_each(?) AS name
            WHERE EXISTS (SELECT 1 FROM reports WHERE face = name.value AND behind = 1)
               OR (SELECT COALESCE(MAX(number), 0) FROM jobs)
                > (SELECT COALESCE(MAX(enrolled), 0) FROM faces WHERE face = name.value))
"""


class Quiet:
    """Looks at the database at `path`, in the thread that asks: one statement, a fraction of a millisecond."""

    def __init__(self, path: Path) -> None:
        self._connection = connect_reader(path)

    def is_quiet(self, faces: Sequence[str]) -> bool:
        """No job that is not held, no delivery, no answer, and no report to one of these faces, due now or later."""
        [(left,)] = self._connection.execute(LEFT, (json.dumps(faces),)).fetchall()
        return not left

    def close(self) -> None:
        """Look no more."""
        self._connection.close()
