"""A real database in a folder of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.store import Store
from storage.opened import OpenStore, open_store
from tests.migrated import put_database
from tests.storage.sample import SECRET_KEY


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shipmate.db"


@pytest.fixture
async def opened(url: str, tmp_path: Path) -> AsyncIterator[OpenStore]:
    assert put_database(tmp_path / "shipmate.db") == url
    opened = await open_store(url, secret_key=SECRET_KEY, max_waiting=1000, busy_timeout_s=0.3)
    yield opened
    await opened.close()


@pytest.fixture
def store(opened: OpenStore) -> Store:
    return opened.store
