"""Decides whether a pull request's own event makes, renews or ends its preview."""

from __future__ import annotations

from bot.deliveries.wishes import FollowPull
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.preview import BY_ITSELF
from bot.errors import Transient
from bot.gates.facts import Facts
from bot.grammar import Command
from bot.model import Delivery, Origin
from bot.previews import preview_environment
from bot.store.changes import EndPreview

ENDING_S = 5.0
"""How soon it is looked again whether a preview that ends is down."""


async def why_not(office: Office, wish: FollowPull, facts: Facts) -> str | None:
    """Why the event asks for no preview, as a stable code; None: it does. Raises Transient, Refused for bad settings.

    One that was stopped by somebody stays so until it is asked for again, or the pull request is opened again.
    """
    if wish.from_fork:
        return "fork"
    known = await office.records.previews.of(wish.repository.id, wish.number)
    if known is not None and known.ending is not None and not known.down:
        raise Transient("preview_ending", retry_after_s=ENDING_S)
    if known is not None and known.ending == "stopped" and wish.action != "reopened":
        return "preview_stopped"
    previews = (await facts.config(await facts.default_branch())).previews
    is_open = known is not None and known.ending is None
    if not previews.enabled or not (previews.automatic or is_open):
        return "previews_off"
    return None if (await facts.pull(wish.number)).head_sha == wish.sha else "newer_head_comes"


def order_of(wish: FollowPull, facts: Facts, delivery: Delivery) -> Order:
    """The event as the order it stands for, of the person who pushed or opened."""
    origin = Origin(BY_ITSELF, wish.actor, facts.installation_id, wish.number, actor_id=wish.actor_id)
    command = Command("preview", f"pull request {wish.action}")
    key = f"preview-{wish.number}-{wish.sha[:12]}-{delivery.seq}"
    return Order(command, wish.repository, origin, wish.actor_id, wish.number, True, delivery.seq, key, wish.sha)


async def ended(office: Office, wish: FollowPull) -> Outcome:
    """A closed pull request needs no preview: what is under way for it stops, and it goes."""
    known = await office.records.previews.of(wish.repository.id, wish.number)
    if known is None:
        return Outcome("ignored", "no_preview")
    environment = preview_environment(wish.number)
    unfinished = await office.records.jobs.unfinished_in(wish.repository.id, environment)
    return Outcome(
        "acted",
        "preview_ended",
        cancels=tuple((job_id, wish.actor) for job_id in unfinished),
        changes=(EndPreview(wish.repository.id, wish.number, "closed", wish.actor),),
    )
