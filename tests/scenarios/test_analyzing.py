"""`/analyze` is answered where it was said; pull requests and pushes are analysed by themselves where that is set."""

from __future__ import annotations

import pytest

from bot.clock import utc_now
from bot.commands import read_comment
from bot.model import JobKind
from bot.sandbox.github.people import Opened
from tests.scenarios.test_analysis_jobs import PYTHON, Gate
from tests.world import REPO, World


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


SETTINGS = "environments:\n  production: {branch: never}\nanalysis: "


async def automatic(world: World, settings: str) -> None:
    """The default branch asks for these analyses from now on."""
    await world.push_files({".shipmate.yml": f"{SETTINGS}{settings}\n"})
    await world.settle()


async def opened(world: World, branch: str, by: str = "alice") -> Opened:
    """A pull request, and all that comes of it is over."""
    pull = await world.github.open_pull(REPO, head=branch, by=by)
    await world.settle()
    return pull


async def analyses(world: World) -> list[str]:
    """Face and ref of the analyses, oldest first."""
    return [f"{job.origin.face} {job.ref}" for job in await world.jobs() if job.kind is JobKind.ANALYSIS]


async def test_a_comment_is_answered_with_a_table_bars_and_a_picture(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    pull = await world.github.open_pull(REPO, head="topic", by="bob")
    said = await world.say(pull.number, "/analyze", by="bob")
    answer = world.answer(pull.number)
    assert "Who wrote what" in answer
    assert "exactly as `git blame` says" in answer
    (row,) = [line for line in answer.splitlines() if "bob" in line and line.startswith("|")]
    assert " 30 |" in row
    assert "█" in row
    assert f"![Languages over time and lines by author]({world.house.links.public_url}/jobs/dep_" in answer
    assert f"/repos/{REPO}?link=" in answer
    assert world.reactions(said) == ["rocket"]
    assert await world.states() == ["COMPLETED"]
    assert world.deployments() == []
    assert world.checks() == []


async def test_a_comment_tells_code_apart_from_data_as_githubs_own_bar_does(world: World) -> None:
    await world.push_files({"app.py": PYTHON, "data.json": "[\n]\n" * 50}, branch="topic", by="bob")
    number = await world.github.open_issue(REPO)
    await world.say(number, "/analyze topic")
    answer = world.answer(number)
    (told,) = [line for line in answer.splitlines() if "**Languages** " in line]
    languages, _, code = told.partition("**Code alone, as GitHub counts** ")
    assert "JSON" in languages
    assert code.startswith("Python ")
    assert "JSON" not in code


async def test_a_ref_people_and_dates_can_be_named(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    number = await world.github.open_issue(REPO)
    await world.say(number, "/analyze topic @bob --since 2001-01-01")
    answer = world.answer(number)
    rows = [line for line in answer.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 1
    assert "bob" in rows[0]
    assert "`topic`" in answer
    assert "Commits from 2001-01-01 on count; the lines are all that are there." in answer
    assert "&ref=topic&since=2001-01-01&author=bob)" in answer


async def test_a_name_nobody_has_is_answered_with_a_sentence(world: World) -> None:
    number = await world.github.open_issue(REPO)
    await world.say(number, "/analyze @nobody-at-all")
    answer = world.answer(number)
    assert "Nobody there is called that" in answer
    assert "by 1 author" in answer
    assert "|---|" not in answer


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("/analyze", {}),
        ("/analyze @bob", {"authors": "@bob"}),
        ("/analyze @bob @dependabot[bot]", {"authors": "@bob @dependabot[bot]"}),
        ("/analyze v1.2 @bob --until 2026-01-01", {"ref": "v1.2", "authors": "@bob", "until": "2026-01-01"}),
        ("@shipmate analyze --since 2026-01-01 main", {"ref": "main", "since": "2026-01-01"}),
    ],
)
def test_the_words_of_analyze_are_understood(said: str, expected: dict[str, str]) -> None:
    (command,) = read_comment(said).commands
    assert (command.name, dict(command.arguments)) == ("analyze", expected)


@pytest.mark.parametrize("said", ["/analyze --since yesterday", "/analyze main topic", "/analyze --since 2026-06-31"])
async def test_what_is_not_understood_is_answered_with_a_sentence(world: World, said: str) -> None:
    number = await world.github.open_issue(REPO)
    comment = await world.say(number, said)
    assert world.reactions(comment) == ["confused"]
    assert await world.jobs() == []


async def test_a_ref_that_is_not_there_and_a_stranger_are_refused(world: World) -> None:
    world.github.repository(REPO).private = True
    number = await world.github.open_issue(REPO)
    await world.say(number, "/analyze no-such-branch")
    await world.say(number, "/analyze", by="mallory")
    assert await world.jobs() == []
    assert len(world.answers(number)) == 2


async def test_a_pull_request_is_told_whose_lines_it_changes(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, by="bob")
    await automatic(world, "{pull_requests: true}")
    changed = PYTHON.replace("line_3 = 3", "line_3 = 33").replace("line_9 = 9\n", "")
    await world.push_files({"app.py": changed}, branch="topic", by="alice")
    pull = await opened(world, "topic", by="alice")
    (run,) = world.github.check_runs(REPO, pull.head_sha)
    assert (run.name, run.conclusion) == ("shipmate / analysis", "success")
    assert run.title == "Who owns the lines this changes"
    today = utc_now().date().isoformat()
    words = run.summary or ""
    assert f"Suggested reviewers:\n\n- **bob**: owner of 2 lines that this changes, last commit here {today}" in words
    assert "@bob" not in words
    assert "| Last commit |" in words
    assert world.answers(pull.number) == []
    assert await analyses(world) == ["pull_request topic"]


async def test_who_made_a_change_is_not_its_reviewer(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, by="alice")
    await automatic(world, "{pull_requests: true}")
    await world.push_files({"app.py": PYTHON.replace("line_3 = 3", "line_3 = 33")}, branch="topic", by="alice")
    pull = await opened(world, "topic", by="alice")
    (run,) = world.github.check_runs(REPO, pull.head_sha)
    assert "Nobody else owns a line" in (run.summary or "")


async def test_pull_requests_and_pushes_are_left_alone_unless_asked_for(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic")
    await opened(world, "topic")
    assert await analyses(world) == []


async def test_each_push_to_the_default_branch_keeps_the_contributions_current(world: World) -> None:
    await automatic(world, "{pushes: true}")
    await world.push_files({"app.py": PYTHON}, by="bob")
    await world.settle()
    await world.push_files({"b.py": PYTHON}, branch="topic")
    await world.settle()
    assert await analyses(world) == ["push main", "push main"]
    newest = await world.store.analyses.newest(REPO)
    assert newest is not None
    assert newest.sha == await world.github.head(REPO)
    older = (await world.jobs())[0]
    assert await world.store.analyses.of_job(older.id) == []


async def test_settings_of_a_pull_request_itself_start_nothing(world: World) -> None:
    await world.push_files({".shipmate.yml": f"{SETTINGS}{{pull_requests: true}}\n"}, branch="topic")
    await opened(world, "topic")
    assert await analyses(world) == []


async def test_a_button_on_a_deployments_check_run_asks_who_wrote_what(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    await world.github.click(world.check_run(sha).id, "analyze", by="bob")
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: success", "shipmate / analysis: success"]
    assert await analyses(world) == [f"check_run {sha}"]
    (again,) = [run for run in world.github.check_runs(REPO, sha) if run.name == "shipmate / analysis"]
    await world.github.click(again.id, "retry", by="bob")
    await world.settle()
    assert await analyses(world) == [f"check_run {sha}"] * 2


async def test_a_forks_pull_request_is_compared_and_analysed_under_its_number(world: World) -> None:
    await world.push_files({"app.py": PYTHON}, by="bob")
    await automatic(world, "{pull_requests: true}")
    await world.github.fork(REPO, "mallory/api")
    changed = PYTHON.replace("line_3 = 3", "line_3 = 33")
    await world.github.push("mallory/api", branch="main", files={"app.py": changed}, by="mallory")
    pull = await world.github.open_pull(REPO, head="main", from_fork="mallory/api", by="mallory")
    await world.settle()
    (run,) = world.github.check_runs(REPO, pull.head_sha)
    assert "- **bob**: owner of" in (run.summary or "")
    await world.say(pull.number, "/analyze")
    assert await analyses(world) == [f"pull_request pull/{pull.number}/head", f"comment pull/{pull.number}/head"]
    assert await world.store.analyses.newest(REPO, "main") is None


async def test_an_analysis_that_fails_says_nothing_against_the_commit(world: World) -> None:
    await automatic(world, "{pushes: true}")
    world.github.faults.add("status", path=r"git-upload-pack$", status=404, count=None)
    sha = await world.push_files({"app.py": PYTHON})
    await world.settle()
    (run,) = world.github.check_runs(REPO, sha)
    assert (run.name, run.conclusion, run.title) == ("shipmate / analysis", "neutral", "The analysis failed")


async def test_who_asks_again_while_it_is_answered_is_led_to_the_same_analysis(world: World, gate: Gate) -> None:
    number = await world.github.open_issue(REPO)
    await world.comment(number, "/analyze")
    await world.until(gate.reached.is_set)
    again = await world.comment(number, "/analyze", by="bob")
    await world.until(lambda: world.reactions(again) == ["+1"])
    gate.opened.set()
    await world.settle()
    (job,) = await world.jobs()
    assert any("under way" in answer.body and job.id in answer.body for answer in world.answers(number))
