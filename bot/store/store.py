"""All that is remembered, over one database."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.analyses import Analyses, CommitLogins
from bot.store.answers import Answers
from bot.store.audit import Audit
from bot.store.connections import Connections
from bot.store.deliveries import Deliveries
from bot.store.jobs import Approvals, Jobs
from bot.store.keys import ApiKeys, Secrets
from bot.store.locks import Locks
from bot.store.previews import Previews
from bot.store.releases import Releases
from bot.store.reports import Reports
from bot.store.slack import SlackChannels, SlackLinks


@dataclass(frozen=True, slots=True)
class Store:
    """All that is remembered, over one database."""

    deliveries: Deliveries
    jobs: Jobs
    releases: Releases
    previews: Previews
    reports: Reports
    answers: Answers
    keys: ApiKeys
    secrets: Secrets
    slack_links: SlackLinks
    slack_channels: SlackChannels
    analyses: Analyses
    commit_logins: CommitLogins
    connections: Connections
    audit: Audit
    locks: Locks
    approvals: Approvals
