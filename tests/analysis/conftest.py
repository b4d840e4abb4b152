"""A history in the making, for every test that needs a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.histories import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    """An empty history; `history.write()` makes it a repository."""
    return History(tmp_path / "repository.git")
