"""The one thread that writes: it takes all that waits, runs each as its own unit, and commits them together."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bot.errors import Transient
from storage.engine.connection import connect
from storage.engine.faults import breaks_connection, is_fault, translated

GROUP = 256
"""The most submissions that share one commit."""
SWITCH_S = 0.0005
"""A commit gives up the interpreter's lock a few times to reach the disk; under load each return would wait for the
interpreter's usual 5 ms. https://docs.python.org/3/library/sys.html#sys.setswitchinterval"""


@dataclass(slots=True, eq=False)
class _Submission:
    """What waits for the writer: a unit, an item for `many` to fold, or something to run outside a transaction."""

    future: asyncio.Future[Any]
    unit: Callable[[sqlite3.Connection], Any] | None = None
    many: Callable[[sqlite3.Connection, list[Any]], Sequence[Any]] | None = None
    item: Any = None
    outside: Callable[[sqlite3.Connection], Any] | None = None


@dataclass(slots=True, eq=False)
class _Unit:
    """What runs and fails as one: a single submission, or all the items that fold into one call."""

    run: Callable[[sqlite3.Connection], Sequence[Any]]
    futures: list[asyncio.Future[Any]]


Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]


class Writer:
    """Owns the writing connection. `committed` is called in the loop after each commit that changed something."""

    def __init__(self, path: Path, busy_timeout_s: float, committed: Callable[[], None]) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Submission] = []
        self._queue: SimpleQueue[list[_Submission] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.fault: BaseException | None = None
        """What the database failed with when it was last written to; None where that went well."""
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        self._thread = threading.Thread(target=self._run, name="shipmate-writer", daemon=True)
        self._thread.start()

    def write(self, unit: Callable[[sqlite3.Connection], Any]) -> asyncio.Future[Any]:
        """Run a unit in the next commit; its result stands when the future is done."""
        return self._submit(_Submission(self._loop.create_future(), unit=unit))

    def write_folded(self, many: Callable[[sqlite3.Connection, list[Any]], Sequence[Any]], item: Any) -> Any:
        """Hand one item to `many`, which is called once for all items of a commit and answers one result each."""
        return self._submit(_Submission(self._loop.create_future(), many=many, item=item))

    def outside(self, unit: Callable[[sqlite3.Connection], Any]) -> asyncio.Future[Any]:
        """Run on the writing connection, in no transaction."""
        return self._submit(_Submission(self._loop.create_future(), outside=unit))

    async def close(self) -> None:
        """Write what waits, then end the thread. Repeatable; what is submitted later is refused."""
        self._closed = True
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(self, submission: _Submission) -> asyncio.Future[Any]:
        if self._closed:
            raise Transient("store_closed")
        if not self._waiting:
            # One hand-over for each turn of the loop: waking the thread is what costs, not the rows.
            self._loop.call_soon(self._hand_over)
        self._waiting.append(submission)
        return submission.future

    def _hand_over(self) -> None:
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    def _run(self) -> None:
        open_ = True
        while open_:
            group, open_ = self._next_group()
            if group:
                self._answer(*self._written(group))
        self._disconnect()

    def _next_group(self) -> tuple[list[_Submission], bool]:
        """Wait for work, then take all that is there. False with it when it is the last."""
        group: list[_Submission] = []
        while not group or (len(group) < GROUP and not self._queue.empty()):
            handed = self._queue.get()
            if handed is None:
                return group, False
            group += handed
        return [each for each in group if not each.future.cancelled()], True

    def _written(self, group: list[_Submission]) -> tuple[list[Outcome], bool]:
        """Outcomes of a group, and whether it changed the file."""
        outcomes: list[Outcome] = []
        try:
            connection = self._connected()
            changes = connection.total_changes
            outcomes += [(each.future, each.outside(connection), None) for each in group if each.outside]
            units = _units(group)
            if units:
                outcomes += self._commit(connection, units)
                self.fault = None
            return outcomes, connection.total_changes != changes
        except Exception as error:  # noqa: BLE001  crosses to the loop: whoever waits for the group gets it
            self._undo(error)
            self.fault = error if is_fault(error) else None
            done = {id(future) for future, _, _ in outcomes}
            told = translated(error)
            return outcomes + [(each.future, None, told) for each in group if id(each.future) not in done], False

    def _commit(self, connection: sqlite3.Connection, units: list[_Unit]) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        alone = len(units) == 1
        outcomes = [outcome for unit in units for outcome in _ran(connection, unit, alone)]
        connection.execute("COMMIT")
        return outcomes

    def _undo(self, error: BaseException) -> None:
        """Leave no transaction behind; after a failure of the file itself begin with a new connection."""
        if self._connection is None:
            return
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        if breaks_connection(error):
            self._disconnect()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, busy_timeout_s=self._busy_timeout_s)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _answer(self, outcomes: list[Outcome], changed: bool) -> None:
        # The loop may have ended without `close`: what was committed stays committed, nobody waits for it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve, outcomes, changed)

    def _resolve(self, outcomes: list[Outcome], changed: bool) -> None:
        for future, result, error in outcomes:
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        if changed:
            self._committed()


def _units(group: list[_Submission]) -> list[_Unit]:
    """The submissions of a group as units, those that fold gathered by what they fold into."""
    units: list[_Unit] = []
    folded: dict[Any, tuple[list[Any], list[asyncio.Future[Any]]]] = {}
    for each in group:
        if each.many is not None:
            items, futures = folded.setdefault(each.many, ([], []))
            items.append(each.item)
            futures.append(each.future)
        elif each.unit is not None:
            units.append(_single(each.unit, each.future))
    return [_several(many, items, futures) for many, (items, futures) in folded.items()] + units


def _single(unit: Callable[[sqlite3.Connection], Any], future: asyncio.Future[Any]) -> _Unit:
    return _Unit(lambda connection: (unit(connection),), [future])


def _several(
    many: Callable[[sqlite3.Connection, list[Any]], Sequence[Any]], items: list[Any], futures: list[asyncio.Future[Any]]
) -> _Unit:
    return _Unit(lambda connection: many(connection, items), futures)


def _ran(connection: sqlite3.Connection, unit: _Unit, alone: bool) -> list[Outcome]:
    """Run one unit in a savepoint of its own (the transaction itself, when it is alone in it).

    Its own failure is its own outcome; a failure of the database is raised, because it ends the transaction.
    """
    if not alone:
        connection.execute("SAVEPOINT unit")
    try:
        results = unit.run(connection)
    except Exception as error:
        if alone or is_fault(error):
            raise
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return [(future, None, error) for future in unit.futures]
    if not alone:
        connection.execute("RELEASE unit")
    return [(future, result, None) for future, result in zip(unit.futures, results, strict=True)]
