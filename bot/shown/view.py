"""A job as its faces show it: stages with their states and times, the tail of the log, and how it ended."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.api.progress import walk
from bot.line import Place
from bot.model import Event, EventType, Job, JobState, Stage
from bot.shown.gates import judged

TAIL_LINES = 40


class StageState(enum.StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


ENDS: Mapping[JobState, StageState] = {
    JobState.COMPLETED: StageState.DONE,
    JobState.CANCELLED: StageState.STOPPED,
    JobState.SUPERSEDED: StageState.STOPPED,
}
"""How a stage ended that ran when the job came to this end; with all others it failed."""


@dataclass(frozen=True, slots=True)
class StageView:
    """One row of the stage table. `seconds` is None until it has ended."""

    stage: Stage
    state: StageState
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class JobView:
    """What a reporter needs to know of a job. `link` leads to its page."""

    job: Job
    link: str
    stages: tuple[StageView, ...]
    tail: tuple[str, ...] = ()
    url: str | None = None
    message: str = ""
    ahead: int = 0
    wait: timedelta | None = None
    """How long until it starts, while it waits; None: nobody knows."""
    result: Mapping[str, Any] = field(default_factory=dict)
    approved_by: tuple[str, ...] = ()
    note: str = ""
    """How far work without stages is."""
    verdicts: tuple[Event, ...] = ()
    """What the gate said while traffic moved."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Of what else there is to see: an analysis' `report`, its picture as `svg` and as `png`."""
    walked: tuple[tuple[JobState, datetime], ...] = ()
    """Each state it went into, and when."""

    @property
    def state(self) -> JobState:
        return self.job.state

    @property
    def is_rehearsal(self) -> bool:
        """Whether it only builds and looks (`--noop`)."""
        return bool(self.job.spec.get("noop"))


class _Stages:
    """The stage table as the events fill it."""

    def __init__(self) -> None:
        self.states: dict[Stage, StageState] = dict.fromkeys(Stage, StageState.WAITING)
        self.seconds: dict[Stage, float] = {}
        self.notes: dict[Stage, str] = {}

    def take(self, event: Event) -> None:
        """Fold one event in."""
        if event.stage is None:
            return
        if event.type is EventType.STAGE_STARTED:
            self._settle(StageState.DONE, before=event.stage)
            self.states[event.stage] = StageState.RUNNING
        elif event.type is EventType.STAGE_FINISHED:
            self.states[event.stage] = StageState.DONE
            self.seconds[event.stage] = float(event.details.get("durationSeconds", 0))
        elif event.type in {EventType.STAGE_PROGRESSED, EventType.TRAFFIC_SHIFTED}:
            self.notes[event.stage] = event.message.partition("] ")[2] or event.message

    def end(self, state: JobState) -> None:
        """A stage still running when the job ended badly is the one that failed, or where somebody stopped it."""
        if state.is_final:
            self._settle(ENDS.get(state, StageState.FAILED))

    def _settle(self, as_what: StageState, before: Stage = Stage.COMPLETE) -> None:
        """Stages that run no more: a server that dies with one done may have left no event of that."""
        for stage, state in self.states.items():
            if stage <= before and state is StageState.RUNNING:
                self.states[stage] = as_what

    def rows(self) -> tuple[StageView, ...]:
        return tuple(
            StageView(stage, self.states[stage], self.seconds.get(stage), self.notes.get(stage, "")) for stage in Stage
        )


def see(
    job: Job,
    story: Sequence[Event],
    link: str,
    *,
    tail: Sequence[str] = (),
    place: Place | None = None,
    addresses: Mapping[str, str] | None = None,
) -> JobView:
    """The view of a job: its events (the log's may be left out), and the last lines of its log.

    A rehearsal has the first stage alone.
    """
    stages = _Stages()
    url: str | None = None
    message = note = ""
    for event in story:
        stages.take(event)
        url = event.details.get("url") if event.type is EventType.TRAFFIC_SHIFTED else url
        message = event.message if event.type is EventType.JOB_ENDED else message
        note = event.message if event.type is EventType.STAGE_PROGRESSED and event.stage is None else note
    stages.end(job.state)
    return JobView(
        job,
        link,
        stages.rows()[:1] if job.spec.get("noop") else stages.rows(),
        tail=tuple(tail),
        url=job.result.get("url") if job.state.is_final else url,
        message=message,
        ahead=place.ahead if place else 0,
        wait=place.wait if place else None,
        result=job.result,
        approved_by=tuple(str(event.details["by"]) for event in story if event.type is EventType.JOB_APPROVED),
        note=note,
        walked=tuple((state, event.at) for state, event in walk(story)),
        verdicts=judged(story),
        addresses=addresses or {},
    )
