"""The stage table as its faces show it, whatever events a sudden death left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.clock import utc_now
from bot.model import Event, EventType, Job, JobKind, JobState, Origin, Repository, Stage
from bot.shown import markdown
from bot.shown.view import StageState, see

JOB = Job(
    "dep_aaaaaaaaaa",
    JobKind.DEPLOY,
    JobState.DEPLOYING,
    "deploy acme/api production",
    Repository(1, "acme/api"),
    "a" * 40,
    "main",
    "production",
    Origin("slack", "alice", 1),
    {},
    utc_now(),
)


def story(*told: tuple[EventType, Stage]) -> list[Event]:
    return [Event(JOB.id, number, utc_now(), kind, "", stage, {}) for number, (kind, stage) in enumerate(told, start=1)]


STARTED, FINISHED = EventType.STAGE_STARTED, EventType.STAGE_FINISHED


def states(job: Job, *told: tuple[EventType, Stage]) -> list[StageState]:
    return [row.state for row in see(job, story(*told), "").stages]


def test_a_stage_whose_end_was_not_told_is_done_when_the_next_one_starts() -> None:
    told = states(JOB, (STARTED, Stage.BUILD), (STARTED, Stage.PUSH))
    assert told[:3] == [StageState.DONE, StageState.RUNNING, StageState.WAITING]


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (JobState.COMPLETED, StageState.DONE),
        (JobState.FAILED, StageState.FAILED),
        (JobState.CANCELLED, StageState.STOPPED),
        (JobState.SUPERSEDED, StageState.STOPPED),
    ],
)
def test_a_stage_that_runs_when_the_job_ends_ended_as_the_job_did(end: JobState, shown: StageState) -> None:
    told = states(replace(JOB, state=end), (STARTED, Stage.BUILD), (FINISHED, Stage.BUILD), (STARTED, Stage.PUSH))
    assert told[:3] == [StageState.DONE, shown, StageState.WAITING]


def test_a_stage_that_starts_once_more_runs() -> None:
    told = states(JOB, (STARTED, Stage.BUILD), (FINISHED, Stage.BUILD), (STARTED, Stage.BUILD))
    assert told[0] is StageState.RUNNING


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (JobState.BUILDING, "Rolling back"),
        (JobState.DEPLOYING, "Rolling back"),
        (JobState.VERIFYING, "Verifying"),
        (JobState.COMPLETED, "Rolled production back"),
        (JobState.FAILED, "Failed"),
    ],
)
def test_a_rollback_is_never_called_a_deployment(state: JobState, shown: str) -> None:
    assert markdown.title(see(replace(JOB, kind=JobKind.ROLLBACK, state=state), [], ""), "en") == shown


def test_a_job_that_was_stopped_has_no_stage_that_failed() -> None:
    view = see(replace(JOB, state=JobState.CANCELLED), story((STARTED, Stage.BUILD)), "")
    assert "🚫 stopped | 1 Build" in markdown.stage_table(view, "en")


def test_a_note_that_names_something_of_the_repository_stays_in_its_cell_and_calls_nobody() -> None:
    told = f"[1] Starts with `npx @acme/team start` | tee log <!-- {'x|' * 100}"
    event = Event(JOB.id, 1, utc_now(), EventType.STAGE_PROGRESSED, told, Stage.BUILD, {})
    row = markdown.stage_table(see(JOB, [*story((STARTED, Stage.BUILD)), event], ""), "en").splitlines()[2]
    assert "@acme" not in row
    assert "<" not in row
    assert row.replace("\\|", "").count("|") == 5
    assert not row.removesuffix(" |").endswith("\\")
