"""`/unlock`: one's own lock ends; another's with a reason, and they are told."""

from __future__ import annotations

from collections.abc import Sequence

from bot.desk.notices import covered
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.lock import environment_meant, reason_of, told_all
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.locks import Lock, locked
from bot.store.changes import ReleaseLocks


async def unlock(office: Office, order: Order, facts: Facts) -> Outcome:
    """Raises Refused where nothing is locked, or another's would end without a reason."""
    environment = await environment_meant(office, order, facts)
    standing = await office.records.locks.of(order.repository.id, office.clock())
    ended = _meant(standing, environment, order)
    foreign = [one for one in ended if not one.is_of(order.origin.actor, order.actor_id)]
    names = ", ".join(covered(one, office.say) for one in ended)
    text = office.say("lock.unlocked", environments=names)
    notices = await told_all(office, order, foreign, "lock.told_unlocked")
    return Outcome(
        "acted",
        "lock_broken" if foreign else "unlocked",
        answers=(office.answer(order, text, "+1"),),
        changes=(ReleaseLocks(tuple(ended), notices),),
        rules={"unlocked": [one.facts() for one in ended], "reason": reason_of(order)},
    )


def _meant(standing: Sequence[Lock], environment: str | None, order: Order) -> list[Lock]:
    """The lock of that environment; for all, every one of the asker's, and with a reason everybody's."""
    if environment is not None:
        return [_one(standing, environment, order)]
    mine = [one for one in standing if one.is_of(order.origin.actor, order.actor_id)]
    if reason_of(order) is not None:
        mine = list(standing)
    if not mine and standing:
        raise locked(standing[0])
    if not mine:
        raise Refused("nothing_locked")
    return mine


def _one(standing: Sequence[Lock], environment: str, order: Order) -> Lock:
    found = next((one for one in standing if one.environment == environment), None)
    whole = next((one for one in standing if one.environment is None), None)
    if found is None and whole is not None:
        raise Refused("all_locked", **whole.facts(environment))
    if found is None:
        raise Refused("not_locked", environment=environment)
    if reason_of(order) is None and not found.is_of(order.origin.actor, order.actor_id):
        raise locked(found)
    return found
