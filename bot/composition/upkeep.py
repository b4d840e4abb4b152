"""What is looked at again and again."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import utc_now
from bot.composition.desks import program_desk, records_of
from bot.composition.house import House
from bot.desk.asked import AskedDesk
from bot.jobs.deploy.rollout.drift import Drift
from bot.jobs.deploy.rollout.leftovers import Leftovers
from bot.jobs.deploy.upkeep import Upkeep
from bot.reconcile.dangling import DanglingChecks
from bot.reconcile.expired_locks import ExpiredLocks
from bot.reconcile.held import HeldJobs
from bot.reconcile.lent_tokens import LentTokens
from bot.reconcile.missed import MissedDeliveries
from bot.reconcile.places import KeptPlaces
from bot.reconcile.previews import PreviewKeeper
from bot.reconcile.previews import Records as PreviewRecords
from bot.reconcile.rounds import Round, Rounds

DELIVERIES_KEPT = timedelta(days=30)
"""Settled ones; GitHub itself keeps them for three days."""


def rounds(house: House) -> Rounds:
    """What is looked at again and again."""
    store = house.opened.store
    missed = MissedDeliveries(house.github.app, store.deliveries, utc_now)
    upkeep = Upkeep(house.own_engines, store.jobs, store.releases)
    leftovers = Leftovers(house.engines, house.accounts, store.jobs, store.releases)
    drift = Drift(house.engines, house.accounts, store.jobs, store.releases, store.audit, utc_now)
    held = HeldJobs(house.github, records_of(store), utc_now, house.settings.locale)
    kept = PreviewRecords(store.previews, store.jobs, store.releases)
    previews = PreviewKeeper(house.github, house.login, kept, house.engines, utc_now, house.settings.locale)
    expired = ExpiredLocks(store.locks, store.slack_links, utc_now, house.settings.locale)
    dangling = DanglingChecks(house.github, store.jobs, store.reports, utc_now)
    return Rounds(
        [
            Round("missed deliveries", missed.look, 60.0),
            Round("upkeep", upkeep.look, 15.0),
            Round("previews", previews.look, 5.0),
            Round("held jobs", held.look, 15.0),
            Round("expired locks", expired.look, 5.0),
            Round("leftovers", leftovers.look, 300.0),
            Round("drift", drift.look, 300.0),
            Round("dangling check runs", dangling.look, 900.0),
            *_of_tables(house),
            Round("expired tickets", lambda: store.slack_links.prune(utc_now()), 3600.0),
            Round("lent tokens", LentTokens(store.secrets, store.jobs, utc_now).look, 3600.0),
            Round("old deliveries", lambda: store.deliveries.prune(utc_now() - DELIVERIES_KEPT), 86_400.0),
        ]
    )


def _of_tables(house: House) -> list[Round]:
    """What is asked for away from the server, and what those who take it there have to know."""
    if house.tables is None:
        return []
    store = house.opened.store
    asked = AskedDesk(house.tables, program_desk(house), store.jobs, store.audit, utc_now)
    places = KeptPlaces(house.github.app, house.tables.places)
    return [Round("deployments asked for", asked.look, 5.0), Round("installations", places.look, 300.0)]
