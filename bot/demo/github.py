"""The demo's acts at GitHub: someone pushes, comments on a pull request, and follows each job to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import orjson

from bot.demo.stage import ANSWER_LIMIT_S, JOB_LIMIT_S, PERSON, Stage, found
from bot.demo.usage import used
from bot.sandbox.github.model import CheckRun, Comment
from bot.sandbox.sandbox import SAMPLES

SECOND_VERSION = "2.0.0"


async def pushed(stage: Stage, repository: str, sample: str) -> str:
    """Make the repository and push its sample to main; answers the commit."""
    github = stage.sandbox.github
    await github.create_repo(repository, files={"README.md": f"# {repository}\n"})
    github.set_permission(repository, PERSON, "write")
    stage.say(repository, f"{PERSON} pushes to main", "bold")
    return (await github.push(repository, branch="main", folder=SAMPLES / sample, by=PERSON, message="Say hello")).sha


async def followed(stage: Stage, repository: str, sha: str) -> None:
    """Print a job's events as its page streams them, from its check run's own link, until its end."""
    run = await _check_run(stage, repository, sha)
    address = run.details_url or ""
    stage.shown.links.append((f"{repository} {sha[:7]} log", address))
    page, _, query = address.partition("?")
    timeout = aiohttp.ClientTimeout(total=JOB_LIMIT_S)
    async with stage.http.get(f"{page}/events?{query}", timeout=timeout) as reply:
        async for name, data in _events(reply):
            if name == "stage":
                stage.say(repository, data["message"])
            elif name == "done":
                stage.say(repository, data["message"], "green" if data["tone"] == "good" else "red")
                break
    await found(lambda: _completed(stage, run.id, repository), ANSWER_LIMIT_S, f"the check run of {repository}")


async def deployed_by_comment(stage: Stage, repository: str) -> None:
    """A second version, asked for with `/deploy` on its pull request while someone uses the first."""
    github, url = stage.sandbox.github, stage.environment_url(repository)
    files = {"VERSION": f"{SECOND_VERSION}\n"}
    made = await github.push(repository, branch="version-2", files=files, by=PERSON, message="Version 2")
    pull = await github.open_pull(repository, head="version-2", by=PERSON, title="Version 2")
    async with used(stage.http, url) as usage:
        doing = f"{PERSON} comments /deploy on #{pull.number}; someone uses the service all the while"
        stage.say(repository, doing, "bold")
        comment = await github.comment(repository, pull.number, "/deploy", by=PERSON)
        await followed(stage, repository, made.sha)
    stage.say(repository, f"requests meanwhile: {usage.answered}, failed: {usage.failed}")
    if usage.failed or not usage.answered:
        stage.shown.wrong.append(f"{usage.failed} of {usage.answered + usage.failed} requests failed during the switch")
    await _look_at_service(stage, repository, url)
    await _show_answers(stage, repository, pull.number, comment.id)


async def _look_at_service(stage: Stage, repository: str, url: str) -> None:
    async with stage.http.get(url) as reply:
        served = await reply.text()
    stage.say(repository, f"{url} serves: {served.splitlines()[0] if served else 'nothing'}")
    if SECOND_VERSION not in served:
        stage.shown.wrong.append(f"{url} does not serve version {SECOND_VERSION}")


async def _show_answers(stage: Stage, repository: str, number: int, comment_id: int) -> None:
    """What GitHub shows now: the reaction and the sticky comment."""
    asked = await found(
        lambda: _rewarded(stage, repository, number, comment_id), ANSWER_LIMIT_S, "the reaction on the comment"
    )
    stage.say(repository, f"reactions on /deploy: {', '.join(one.content for one in asked.reactions)}")
    for comment in stage.sandbox.github.comments(repository, number):
        if comment.id != comment_id:
            lines = [line for line in comment.body.splitlines() if line and not line.startswith("<!--")]
            stage.say(repository, f"comment by {comment.user.login}: {lines[0]}")


def _rewarded(stage: Stage, repository: str, number: int, comment_id: int) -> Comment | None:
    """The comment, once the rocket is all it has: the eyes go when the work is done."""
    return next(
        (
            comment
            for comment in stage.sandbox.github.comments(repository, number)
            if comment.id == comment_id and [one.content for one in comment.reactions] == ["rocket"]
        ),
        None,
    )


async def _check_run(stage: Stage, repository: str, sha: str) -> CheckRun:
    """The newest check run of the commit, once it leads somewhere."""

    def look() -> CheckRun | None:
        linked = [run for run in stage.sandbox.github.check_runs(repository, sha) if run.details_url]
        return linked[-1] if linked else None

    run = await found(look, ANSWER_LIMIT_S, f"the check run of {repository}")
    stage.say(repository, f"check run “{run.name}” on {sha[:7]}")
    return run


def _completed(stage: Stage, run_id: int, repository: str) -> CheckRun | None:
    """The check run, once it is completed and every deployment was told how it ended."""
    github = stage.sandbox.github
    for deployment in github.deployments(repository):
        if not deployment.statuses or deployment.statuses[-1].state in {"queued", "in_progress"}:
            return None
    return next((r for r in github.check_runs(repository) if r.id == run_id and r.status == "completed"), None)


async def _events(reply: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Server-sent events as (name, data)."""
    name = "message"
    async for raw in reply.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, orjson.loads(line.removeprefix("data: "))
