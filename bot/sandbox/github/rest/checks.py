"""Operations on check suites and check runs, with what the published schema doesn't say of them."""

from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.github.acts import checks
from bot.sandbox.github.model import CheckRun, CheckSuite
from bot.sandbox.github.refusals import GitHubError, invalid_request, not_found, validation_failed
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import work

Json = dict[str, Any]
MAX_ANNOTATION_BYTES = 64 * 1024


async def create_run(call: Call) -> Reply:
    """A new check run."""
    _require_coherent(call.body)
    suite = await _suite_on(call, call.body["head_sha"])
    run = checks.create_run(call.hub, call.repository, suite, call.body)
    return Reply(work.check_run(call.base, call.repository, run), 201)


async def update_run(call: Call) -> Reply:
    """Change a check run; only the app that made it may."""
    run = _run(call)
    if run.app is not call.hub.world.app:
        sentence = f"Invalid app_id `{run.app.id}` - check run can only be modified by the GitHub App that created it."
        raise GitHubError(403, sentence)
    _require_coherent(call.body)
    if "output" in call.body and "summary" not in call.body["output"]:
        raise invalid_request("For 'properties/output', \"summary\" wasn't supplied.")
    checks.update_run(call.hub, call.repository, run, call.body)
    return Reply(work.check_run(call.base, call.repository, run))


async def get_run(call: Call) -> Reply:
    """One check run."""
    return Reply(work.check_run(call.base, call.repository, _run(call)))


async def list_annotations(call: Call) -> Reply:
    """All annotations of a check run, in the order they came."""
    run = _run(call)
    return call.listed(run.annotations, lambda one: work.annotation(call.base, call.repository, run, one))


async def list_runs_of_commit(call: Call) -> Reply:
    """Check runs of a commit; of each name only the newest unless `filter=all`."""
    sha = await call.commit(call.path["ref"])
    runs = [one for one in call.repository.check_runs.values() if one.head_sha == sha]
    return _runs(call, [one for one in runs if call.query.get("app_id") in (None, one.app.id)])


async def list_runs_of_suite(call: Call) -> Reply:
    """Check runs of a suite, by the same rules."""
    suite = _suite(call)
    return _runs(call, [one for one in call.repository.check_runs.values() if one.suite is suite])


async def create_suite(call: Call) -> Reply:
    """A suite on a commit: 201, or 200 when it was there."""
    sha = await call.commit(call.body["head_sha"])
    known = {one.id for one in call.repository.suites.values()}
    suite = checks.suite_for(call.hub, call.repository, sha, await _branch_of(call, sha))
    return Reply(await _suite_shape(call, suite), 200 if suite.id in known else 201)


async def get_suite(call: Call) -> Reply:
    """One suite."""
    return Reply(await _suite_shape(call, _suite(call)))


async def list_suites(call: Call) -> Reply:
    """Suites of a commit."""
    sha = await call.commit(call.path["ref"])
    suites = [one for one in call.repository.suites.values() if one.head_sha == sha]
    shapes = [await _suite_shape(call, one) for one in suites]
    return call.counted("check_suites", shapes, lambda one: one)


async def rerequest_run(call: Call) -> Reply:
    """Ask the app for one run again."""
    checks.rerequest_run(call.hub, call.repository, _run(call), call.actor)
    return Reply({}, 201)


async def rerequest_suite(call: Call) -> Reply:
    """Ask the app for all runs of a suite again."""
    await checks.rerequest_suite(call.hub, call.repository, _suite(call), call.actor)
    return Reply({}, 201)


def _runs(call: Call, runs: list[CheckRun]) -> Reply:
    """A page of check runs, newest first, by name, status and newness."""
    query, newest = call.query, list(reversed(runs))
    if query.get("filter", "latest") == "latest":
        newest = list({one.name: one for one in runs}.values())[::-1]
    chosen = [
        one
        for one in newest
        if query.get("check_name") in (None, one.name) and query.get("status") in (None, one.status)
    ]
    return call.counted("check_runs", chosen, lambda one: work.check_run(call.base, call.repository, one))


def _run(call: Call) -> CheckRun:
    found = call.repository.check_runs.get(call.path["check_run_id"])
    if found is None:
        raise not_found()
    return found


async def _suite_on(call: Call, sha: str) -> CheckSuite:
    """The app's suite on a commit, made when there is none. Raises GitHubError 422 for what is no commit."""
    if found := checks.find_suite(call.hub, call.repository, sha):
        return found
    if len(sha) != 40 or await call.repository.git.kind(sha) != "commit":
        raise GitHubError(422, f"No commit found for SHA: {sha}")
    return checks.suite_for(call.hub, call.repository, sha, await _branch_of(call, sha))


def _suite(call: Call) -> CheckSuite:
    found = call.repository.suites.get(call.path["check_suite_id"])
    if found is None:
        raise not_found()
    return found


async def _suite_shape(call: Call, suite: CheckSuite) -> Json:
    commit = await checks.head_commit(call.repository, suite.head_sha)
    return work.check_suite(call.base, call.repository, suite, commit)


async def _branch_of(call: Call, sha: str) -> str | None:
    """A branch whose head this commit is."""
    heads = await call.repository.git.refs("refs/heads/")
    return next((name.removeprefix("refs/heads/") for name, head in heads.items() if head == sha), None)


def _require_coherent(body: Json) -> None:
    """What the published schema doesn't say of a check run. Raises GitHubError 422.

    https://docs.github.com/rest/checks/runs#create-a-check-run
    """
    if body.get("status") == "completed" and "conclusion" not in body:
        raise invalid_request('Missing "conclusion": it is required when the status is "completed".')
    if "completed_at" in body and "conclusion" not in body:
        raise invalid_request('Missing "conclusion": it is required with "completed_at".')
    if "conclusion" in body and body.get("status", "completed") != "completed":
        raise invalid_request('A "conclusion" can only be given with the status "completed".')
    if body.get("conclusion") == "stale":
        raise invalid_request('Only GitHub can set the conclusion "stale".')
    if body.get("status") in ("waiting", "requested", "pending"):
        raise invalid_request(f"Only GitHub Actions can set the status {body['status']!r}.")
    if (url := body.get("details_url")) and urlsplit(url).scheme not in ("http", "https"):
        raise validation_failed("CheckRun", "details_url", "custom", "details_url must use http or https scheme")
    for one in body.get("output", {}).get("annotations", []):
        _require_annotation(one)


def _require_annotation(one: Json) -> None:
    """Lines and columns that make sense, and texts that aren't too long."""
    if one["start_line"] > one["end_line"]:
        raise invalid_request('"end_line" must not be before "start_line".')
    if one["start_line"] != one["end_line"] and ("start_column" in one or "end_column" in one):
        raise invalid_request("Annotations support columns only on one and the same line.")
    if len(one.get("title", "")) > 255:
        raise invalid_request("The maximum size of an annotation's title is 255 characters.")
    for name in ("message", "raw_details"):
        if len(one.get(name, "").encode()) > MAX_ANNOTATION_BYTES:
            raise invalid_request(f"The maximum size of an annotation's {name} is 64 KB.")


HANDLERS: dict[str, Handler] = {
    "checks/create": create_run,
    "checks/update": update_run,
    "checks/get": get_run,
    "checks/list-annotations": list_annotations,
    "checks/list-for-ref": list_runs_of_commit,
    "checks/list-for-suite": list_runs_of_suite,
    "checks/create-suite": create_suite,
    "checks/get-suite": get_suite,
    "checks/list-suites-for-ref": list_suites,
    "checks/rerequest-run": rerequest_run,
    "checks/rerequest-suite": rerequest_suite,
}
