"""A world with Slack for each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.slack.world import SlackWorld, new_slack_world


@pytest.fixture
async def world() -> AsyncIterator[SlackWorld]:
    async with new_slack_world() as made:
        yield made
