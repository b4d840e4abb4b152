"""What a decision looks up in the house's own memory."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.audit import Audit
from bot.store.connections import Connections
from bot.store.deliveries import Deliveries
from bot.store.jobs import Approvals, Jobs
from bot.store.locks import Locks
from bot.store.previews import Previews
from bot.store.releases import Releases
from bot.store.slack import SlackLinks


@dataclass(frozen=True, slots=True)
class Records:
    """The parts of the store that those who decide may ask."""

    deliveries: Deliveries
    locks: Locks
    slack_links: SlackLinks
    jobs: Jobs
    releases: Releases
    approvals: Approvals
    previews: Previews
    audit: Audit
    connections: Connections
