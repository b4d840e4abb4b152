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
COMMAND = "/deploy"


async def pushed(stage: Stage, repository: str, sample: str) -> str:
    """Make the repository and push its sample to main; answers the commit."""
    github = stage.sandbox.github
    await github.create_repo(repository, files={"README.md": f"# {repository}\n"})
    github.set_permission(repository, PERSON, "write")
    stage.say(repository, "pushes", "bold", person=PERSON)
    return (await github.push(repository, branch="main", folder=SAMPLES / sample, by=PERSON, message="Say hello")).sha


async def followed(stage: Stage, repository: str, sha: str) -> None:
    """Print a job's events as its page streams them, from its check run's own link, until its end."""
    run = await _check_run(stage, repository, sha)
    address = run.details_url or ""
    stage.shown.links.append((stage.words("label.log", repository=repository, sha=sha[:7]), address))
    page, _, query = address.partition("?")
    timeout = aiohttp.ClientTimeout(total=JOB_LIMIT_S)
    async with stage.http.get(f"{page}/events?{query}", timeout=timeout) as reply:
        async for name, data in _events(reply):
            if name == "stage":
                stage.show(repository, data["message"])
            elif name == "done":
                stage.show(repository, data["message"], "green" if data["tone"] == "good" else "red")
                break
    waited_for = stage.words("wait.check_run", repository=repository)
    await found(lambda: _completed(stage, run.id, repository), ANSWER_LIMIT_S, waited_for)


async def deployed_by_comment(stage: Stage, repository: str) -> None:
    """A second version, asked for with `/deploy` on its pull request while someone uses the first."""
    github, url = stage.sandbox.github, stage.environment_url(repository)
    files = {"VERSION": f"{SECOND_VERSION}\n"}
    made = await github.push(repository, branch="version-2", files=files, by=PERSON, message="Version 2")
    pull = await github.open_pull(repository, head="version-2", by=PERSON, title="Version 2")
    async with used(stage.http, url) as usage:
        stage.say(repository, "comments", "bold", person=PERSON, command=COMMAND, number=pull.number)
        comment = await github.comment(repository, pull.number, COMMAND, by=PERSON)
        await followed(stage, repository, made.sha)
    stage.say(repository, "requests", answered=usage.answered, failed=usage.failed)
    if usage.failed or not usage.answered:
        asked = usage.answered + usage.failed
        stage.shown.wrong.append(stage.words("requests_failed", failed=usage.failed, asked=asked))
    await _look_at_service(stage, repository, url)
    await _show_answers(stage, repository, pull.number, comment.id)


async def _look_at_service(stage: Stage, repository: str, url: str) -> None:
    async with stage.http.get(url) as reply:
        served = await reply.text()
    line = next(iter(served.splitlines()), "")
    stage.say(repository, "serves" if line else "serves_nothing", url=url, line=line)
    if SECOND_VERSION not in served:
        stage.shown.wrong.append(stage.words("serves_other", url=url, version=SECOND_VERSION))


async def _show_answers(stage: Stage, repository: str, number: int, comment_id: int) -> None:
    """What GitHub shows now: the reaction and the sticky comment."""
    asked = await found(
        lambda: _rewarded(stage, repository, number, comment_id), ANSWER_LIMIT_S, stage.words("wait.reaction")
    )
    reactions = ", ".join(one.content for one in asked.reactions)
    stage.say(repository, "reactions", command=COMMAND, reactions=reactions)
    for comment in stage.sandbox.github.comments(repository, number):
        if comment.id != comment_id:
            lines = [line for line in comment.body.splitlines() if line and not line.startswith("<!--")]
            stage.say(repository, "comment", person=comment.user.login, line=lines[0])


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

    run = await found(look, ANSWER_LIMIT_S, stage.words("wait.check_run", repository=repository))
    stage.say(repository, "check_run", name=run.name, sha=sha[:7])
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
