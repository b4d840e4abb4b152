"""What happens to check suites and check runs: asked for, changed by the app, clicked by people."""

from typing import Any

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, App, CheckRun, CheckSuite, Repository, iso
from bot.sandbox.github.shapes import code, work

Json = dict[str, Any]
PLAIN = ("name", "external_id", "details_url", "started_at")
OUTPUT = ("title", "summary", "text")
STATUSES = ("queued", "in_progress")


def find_suite(hub: Hub, repository: Repository, sha: str) -> CheckSuite | None:
    """The app's suite on a commit, if there is one."""
    mine = (one for one in repository.suites.values() if one.head_sha == sha and one.app is hub.world.app)
    return next(mine, None)


def suite_for(hub: Hub, repository: Repository, sha: str, branch: str | None, before: str | None = None) -> CheckSuite:
    """The app's suite on a commit, made when there is none."""
    if found := find_suite(hub, repository, sha):
        return found
    now = hub.world.now()
    suite = CheckSuite(hub.world.next_id(), sha, branch, hub.world.app, now, now, before)
    repository.suites[suite.id] = suite
    return suite


async def request_suite(
    hub: Hub, repository: Repository, sha: str, branch: str, before: str, by: Account
) -> Delivery | None:
    """What a push does for an app that may write checks: a suite, and `check_suite.requested`."""
    installation = hub.world.installation_on(repository)
    if installation is None or installation.permissions.get("checks") != "write":
        return None
    suite = suite_for(hub, repository, sha, branch, before)
    return await _tell_suite(hub, repository, suite, "requested", by)


async def head_commit(repository: Repository, sha: str) -> Json:
    """The commit of a suite, in its short form."""
    commit = await repository.git.commit(sha)
    if commit is None:
        raise Impossible(f"{repository.full_name} has no commit {sha}")
    return code.simple_commit(commit)


def create_run(hub: Hub, repository: Repository, suite: CheckSuite, body: Json) -> CheckRun:
    """A new check run from a request that was checked before."""
    run = CheckRun(hub.world.next_id(), suite, suite.app, body["name"], suite.head_sha)
    repository.check_runs[run.id] = run
    run.started_at = body.get("started_at") or iso(hub.world.now())
    _change(hub, run, body)
    _tell_run(hub, repository, run, "created", suite.app.bot)
    if run.status == "completed":
        _tell_run(hub, repository, run, "completed", suite.app.bot)
    return run


def update_run(hub: Hub, repository: Repository, run: CheckRun, body: Json) -> None:
    """Change a check run; annotations are added to those it has."""
    done = run.status == "completed"
    _change(hub, run, body)
    run.suite.updated_at = hub.world.now()
    if run.status == "completed" and not done:
        _tell_run(hub, repository, run, "completed", run.app.bot)


def click(hub: Hub, repository: Repository, run: CheckRun, identifier: str, by: Account) -> Delivery | None:
    """A person presses one of the run's buttons. Raises Impossible when there is no such button."""
    shown = [action["identifier"] for action in run.actions]
    if identifier not in shown:
        raise Impossible(f"check run {run.id} has no button {identifier!r}; it has: {', '.join(shown) or 'none'}")
    return _tell_run(hub, repository, run, "requested_action", by, requested_action={"identifier": identifier})


def rerequest_run(hub: Hub, repository: Repository, run: CheckRun, by: Account) -> Delivery | None:
    """A person asks for one run again; it stands as it is until the app acts."""
    return _tell_run(hub, repository, run, "rerequested", by)


async def rerequest_suite(hub: Hub, repository: Repository, suite: CheckSuite, by: Account) -> Delivery | None:
    """A person asks for all runs of a suite again, which changes the suite and not yet its runs."""
    suite.updated_at = hub.world.now()
    return await _tell_suite(hub, repository, suite, "rerequested", by)


def others_run(hub: Hub, repository: Repository, app: App, sha: str, name: str, state: str) -> CheckRun:
    """A check run of another app, newly made or moved on: `state` is a status, or the conclusion that completes it."""
    body = {"status": state} if state in STATUSES else {"conclusion": state}
    mine = [run for run in repository.check_runs.values() if run.app.id == app.id and run.head_sha == sha]
    found = next((run for run in reversed(mine) if run.name == name), None)
    if found is not None:
        update_run(hub, repository, found, body)
        return found
    suite = next((run.suite for run in mine), None)
    if suite is None:
        now = hub.world.now()
        suite = CheckSuite(hub.world.next_id(), sha, None, app, now, now)
        repository.suites[suite.id] = suite
    return create_run(hub, repository, suite, {"name": name, **body})


def _change(hub: Hub, run: CheckRun, body: Json) -> None:
    """Take over what a request says."""
    for name in PLAIN:
        if name in body:
            setattr(run, name, body[name])
    for name in OUTPUT:
        if name in body.get("output", {}):
            setattr(run, name, body["output"][name])
    run.annotations += body.get("output", {}).get("annotations", [])
    run.actions = body.get("actions", run.actions)
    _move(hub, run, body)


def _move(hub: Hub, run: CheckRun, body: Json) -> None:
    """Status and conclusion: a conclusion completes, and a run put back to work has none."""
    run.status = "completed" if "conclusion" in body else body.get("status", run.status)
    if run.status == "completed":
        run.conclusion = body.get("conclusion", run.conclusion)
        run.completed_at = body.get("completed_at") or run.completed_at or iso(hub.world.now())
    else:
        run.conclusion = run.completed_at = None
    state = f"completed: {run.conclusion}" if run.conclusion else run.status
    if run.history[-1:] != [state]:
        run.history.append(state)


def _tell_run(
    hub: Hub, repository: Repository, run: CheckRun, action: str, by: Account, **more: Any
) -> Delivery | None:
    """A `check_run` event."""
    shape = work.check_run_in_delivery(hub.base, repository, run)
    return hub.tell(repository, "check_run", by, action=action, check_run=shape, **more)


async def _tell_suite(hub: Hub, repository: Repository, suite: CheckSuite, action: str, by: Account) -> Delivery | None:
    """A `check_suite` event."""
    commit = await head_commit(repository, suite.head_sha)
    shape = work.suite_in_delivery(hub.base, repository, suite, commit)
    return hub.tell(repository, "check_suite", by, action=action, check_suite=shape)
