"""Check runs: how a commit shows what Shipmate does with it. https://docs.github.com/en/rest/checks/runs"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import Transient
from bot.github import limits
from bot.github.client.client import Client
from bot.github.times import parsed, written

QUEUED, IN_PROGRESS, COMPLETED = "queued", "in_progress", "completed"


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run as GitHub has it. `app_id` says whose it is; `conclusion` is None until it is completed."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    external_id: str
    html_url: str
    app_id: int | None
    started_at: datetime | None
    completed_at: datetime | None
    annotations: int
    """How many annotations it has."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on lines of a file; `path` is relative to the repository, `level` notice, warning or failure."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A button on a check run. A click comes back as `check_run.requested_action` with the identifier."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """What a check run says, in Markdown."""

    title: str
    summary: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check run shall show; what is None stays as it is. A conclusion completes it."""

    status: str | None = None
    conclusion: str | None = None
    output: CheckOutput | None = None
    buttons: Sequence[Button] | None = None
    details_url: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


async def create_check_run(client: Client, head_sha: str, name: str, external_id: str, report: CheckReport) -> CheckRun:
    """Make a new one. Raises Transient with `maybe_done` when the reply was lost: `ensure_check_run` looks then."""
    body = {"name": name, "head_sha": head_sha, "external_id": external_id, **_report_body(report)}
    return await client.call("POST /repos/{owner}/{repo}/check-runs", _check_run, body=body)


async def ensure_check_run(
    client: Client, head_sha: str, name: str, external_id: str, report: CheckReport, *, look_first: bool = True
) -> CheckRun:
    """The check run with this external id, made with `report` when there is none. May be repeated.

    `look_first=False` saves a request when it is known to be new.
    """
    return await client.once(
        lambda: find_check_run(client, head_sha, name, external_id),
        lambda: create_check_run(client, head_sha, name, external_id, report),
        look_first=look_first,
    )


async def update_check_run(client: Client, check_run_id: int, report: CheckReport) -> CheckRun:
    """Show `report`. May be repeated. Annotations are added by `annotate`."""
    return await client.call(
        "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
        _check_run,
        body=_report_body(report),
        check_run_id=check_run_id,
    )


async def annotate(client: Client, check_run_id: int, output: CheckOutput, annotations: Sequence[Annotation]) -> None:
    """Add the annotations the check run does not have yet. May be repeated with the same ones in the same order.

    GitHub takes fifty a request and appends them, so what is there is counted first, and again after a lost reply.
    """
    lost_replies = 0
    have = (await get_check_run(client, check_run_id)).annotations
    while have < len(annotations):
        batch = annotations[have : have + limits.ANNOTATIONS_A_REQUEST]
        try:
            await _append(client, check_run_id, output, batch)
            have += len(batch)
        except Transient as lost:
            lost_replies += 1
            if not lost.facts.get("maybe_done") or lost_replies > len(annotations):
                raise
            have = (await get_check_run(client, check_run_id)).annotations


async def get_check_run(client: Client, check_run_id: int) -> CheckRun:
    """Read one. Raises NotFound."""
    return await client.call(
        "GET /repos/{owner}/{repo}/check-runs/{check_run_id}", _check_run, check_run_id=check_run_id
    )


async def find_check_run(client: Client, head_sha: str, name: str, external_id: str) -> CheckRun | None:
    """The newest check run of this name and external id on a commit."""
    for run in await list_check_runs(client, head_sha, name=name, every=True):
        if run.external_id == external_id:
            return run
    return None


async def list_check_runs(
    client: Client,
    ref: str,
    *,
    name: str | None = None,
    status: str | None = None,
    app_id: int | None = None,
    every: bool = False,
) -> list[CheckRun]:
    """The check runs of a commit, the newest of each name; `every` lists the older ones too.

    For those of this app that still run: `status="in_progress"` and its `app_id`.
    """
    query = {"check_name": name, "status": status, "app_id": app_id, "filter": "all" if every else "latest"}
    operation = "GET /repos/{owner}/{repo}/commits/{ref}/check-runs"
    return await client.listed(operation, _check_run, items="check_runs", query=query, ref=ref)


async def _append(client: Client, check_run_id: int, output: CheckOutput, batch: Sequence[Annotation]) -> None:
    body = {"output": {**_output_body(output), "annotations": [_annotation_body(one) for one in batch]}}
    await client.call(
        "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
        _check_run,
        body=body,
        repeatable=False,
        check_run_id=check_run_id,
    )


def _report_body(report: CheckReport) -> dict[str, Any]:
    """The request GitHub asks for; it refuses `completed` without a conclusion, and a conclusion means completed."""
    body: dict[str, Any] = {
        "status": COMPLETED if report.conclusion else report.status,
        "conclusion": report.conclusion,
        "details_url": report.details_url,
        "started_at": written(report.started_at),
        "completed_at": written(report.completed_at),
    }
    body = {key: value for key, value in body.items() if value is not None}
    if report.output is not None:
        body["output"] = _output_body(report.output)
    if report.buttons is not None:
        body["actions"] = [_button_body(button) for button in report.buttons[: limits.ACTIONS]]
    return body


def _output_body(output: CheckOutput) -> dict[str, Any]:
    body = {
        "title": limits.one_line(output.title, limits.CHECK_TITLE_CHARACTERS),
        "summary": limits.check_text(output.summary),
    }
    return body if output.text is None else {**body, "text": limits.check_text(output.text)}


def _annotation_body(one: Annotation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "path": one.path,
        "start_line": one.start_line,
        "end_line": one.end_line,
        "annotation_level": one.level,
        "message": limits.annotation_message(one.message),
    }
    return (
        body if one.title is None else {**body, "title": limits.one_line(one.title, limits.ANNOTATION_TITLE_CHARACTERS)}
    )


def _button_body(button: Button) -> dict[str, str]:
    """An identifier is never cut: a click on it would mean something else."""
    if len(button.identifier) > limits.ACTION_IDENTIFIER_CHARACTERS:
        raise ValueError(f"the identifier {button.identifier!r} is longer than GitHub takes")
    return {
        "label": limits.one_line(button.label, limits.ACTION_LABEL_CHARACTERS),
        "description": limits.one_line(button.description, limits.ACTION_DESCRIPTION_CHARACTERS),
        "identifier": button.identifier,
    }


def _check_run(data: Any) -> CheckRun:
    return CheckRun(
        id=int(data["id"]),
        name=str(data["name"]),
        head_sha=str(data["head_sha"]),
        status=str(data["status"]),
        conclusion=data["conclusion"],
        external_id=data.get("external_id") or "",
        html_url=data.get("html_url") or "",
        app_id=(data.get("app") or {}).get("id"),
        started_at=parsed(data.get("started_at")),
        completed_at=parsed(data.get("completed_at")),
        annotations=int((data.get("output") or {}).get("annotations_count") or 0),
    )
