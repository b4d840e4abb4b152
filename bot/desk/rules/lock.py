"""`/lock`: an environment, or all, is one person's; another's is taken over with a reason, and its holder is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import messages
from bot.desk.notices import covered, told_holder
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.durations import duration
from bot.errors import Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.locks import Lock, locked, others
from bot.store.answers import Answer
from bot.store.changes import TakeLock

LONGEST = timedelta(days=90)


async def lock(office: Office, order: Order, facts: Facts) -> Outcome:
    """Claimed as the settlement is written: of two at the same instant one is refused there. Raises Refused."""
    environment = await environment_meant(office, order, facts)
    now, actor = office.clock(), order.origin.actor
    reason = reason_of(order)
    wanted = Lock(order.repository, environment, now, _until(order, now), reason, order.origin)
    standing = await office.records.locks.of(order.repository.id, now)
    taken_over = others(standing, environment, actor, order.actor_id)
    _require_leave(taken_over, environment, reason)
    said = "lock.taken_over" if taken_over else "lock.locked"
    holders = ", ".join(dict.fromkeys(f"`{one.holder}`" for one in taken_over))
    text = office.say(said, **spoken(office, wanted), before=holders)
    change = TakeLock(wanted, tuple(taken_over), await _notices(office, order, taken_over))
    return Outcome(
        "acted",
        "lock_taken_over" if taken_over else "locked",
        answers=(office.answer(order, text, "+1"),),
        changes=(change,),
        rules={**wanted.facts(), "taken_over_from": [one.facts() for one in taken_over]},
    )


async def environment_meant(office: Office, order: Order, facts: Facts) -> str | None:
    """The one that was named, None for all, else the default one. Raises Refused."""
    named = order.command.get("environment")
    if order.command.has("all"):
        if named is not None:
            raise Refused("one_or_all", environment=named)
        return None
    return policy.pick_environment(await office.base_config(order, facts), named).name


def reason_of(order: Order) -> str | None:
    """Why, as it can be shown to others."""
    given = order.command.get("reason")
    return messages.neutral(given) if given else None


def spoken(office: Office, one: Lock) -> dict[str, str]:
    """The facts of a lock in words."""
    return {
        "lock": one.name,
        "what": covered(one, office.say),
        "holder": one.holder,
        "until": one.facts()["until"] or office.say("lock.no_end"),
        "reason": one.reason or office.say("lock.no_reason"),
    }


def _require_leave(taken_over: Sequence[Lock], environment: str | None, reason: str | None) -> None:
    """Another's lock needs a reason; one environment cannot be taken out of a lock of all. Raises Refused."""
    whole = next((one for one in taken_over if one.environment is None), None)
    if taken_over and reason is None:
        raise locked(taken_over[0], environment)
    if whole is not None and environment is not None:
        raise Refused("all_locked", **whole.facts(environment))


def _until(order: Order, now: datetime) -> datetime | None:
    given = order.command.get("for")
    if given is None:
        return None
    length = duration(given)
    if not timedelta() < length <= LONGEST:
        raise Refused("lock_length", given=given, days=LONGEST.days)
    return now + length


async def _notices(office: Office, order: Order, taken_over: Sequence[Lock]) -> tuple[Answer, ...]:
    return await told_all(office, order, taken_over, "lock.told_taken_over")


async def told_all(office: Office, order: Order, ended: Sequence[Lock], sentence: str) -> tuple[Answer, ...]:
    """Each holder, of what the order did to their lock."""
    found: list[Answer] = []
    for number, one in enumerate(ended):

        def worded(called: str, one: Lock = one) -> str:
            by, reason = order.origin.actor, reason_of(order) or office.say("lock.no_reason")
            repository = one.repository.full_name
            what = covered(one, office.say)
            return office.say(sentence, called=called, by=by, what=what, repository=repository, reason=reason)

        found += await told_holder(office.records.slack_links, one, f"{order.key}-told-{number}", worded)
    return tuple(found)
