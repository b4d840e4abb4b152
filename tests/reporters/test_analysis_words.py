"""What an analysis says at GitHub and in Slack, in both languages, and that names in it do nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len

from bot.jobs.analysis.plan import AnalysisPlan, Target
from bot.model import Event, EventType, Job, JobKind, JobState, Origin, Repository
from bot.reporters.slack import analysis as slack_analysis
from bot.shown import analysis
from bot.shown.view import JobView, see
from bot.web.analysis_part import render_findings
from bot.wording.analysis_english import SENTENCES

NOW = datetime(2026, 1, 2, tzinfo=UTC)
STATES = [JobState[key.rpartition(".")[2]] for key in SENTENCES if key.startswith("analysis.title.")]
"""Those an analysis can be in."""
HOSTILE = "@all ](http://evil) | `x` <img src=x> <!channel> ``` /deploy\n/deploy"
ADDRESSES = {"report": "http://s.test/repos/a/b", "svg": "http://s.test/p.svg", "png": "http://s.test/p.png"}


def person(name: str, lines: int = 5, **more: Any) -> dict[str, Any]:
    known = {"name": name, "email": "a@b", "login": None, "bot": False, "lines": lines, "share": 0.5}
    known["lastCommit"] = "2026-01-01"
    return {**known, "commits": 1, "added": 1, "deleted": 0, "languages": ["C"], "files": 1, **more}


def found(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"lines": 10, "files": 2, "exact": True, "warnings": [], "authorCount": len(people), "authors": people}
    return {**told, "languages": [{"name": "C", "lines": 10, "share": 1.0}], "frameworks": [], **more}


def seen(state: JobState = JobState.COMPLETED, result: dict[str, Any] | None = None, *events: Event) -> JobView:
    plan = AnalysisPlan((Target("a/b", ref="main"),))
    job = Job(
        "dep_abcdefghij",
        JobKind.ANALYSIS,
        state,
        "lane",
        Repository(1, "a/b"),
        "a" * 40,
        "main",
        "",
        Origin("comment", HOSTILE, 1, 1, 1),
        plan.to_json(),
        NOW,
        result=result or {},
    )
    return see(job, events, "http://s.test/jobs/x", addresses=ADDRESSES)


@pytest.mark.parametrize(
    "result",
    [
        {"analysis": found(person(HOSTILE, login=HOSTILE), frameworks=[HOSTILE])},
        {"portfolio": found(person(HOSTILE), repositories=["a/b"], skipped=[{"repository": HOSTILE, "why": HOSTILE}])},
        {
            "change": {
                "owners": [person(HOSTILE)],
                "reviewers": [person(HOSTILE)],
                "lines": 5,
                "skipped": 3,
                "ownerCount": 1,
            }
        },
    ],
    ids=["analysis", "portfolio", "change"],
)
def test_names_are_only_text(result: dict[str, Any]) -> None:
    told = analysis.summary(seen(JobState.COMPLETED, result), "en")
    for live in ("@all", "`x`", "<img", "<!channel>", "\n/deploy"):
        assert live not in told
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    said = slack_analysis.head(seen(JobState.COMPLETED, result), "en")
    words = str(said.blocks) + said.text
    assert "<!channel>" not in words
    assert "<img" not in words
    assert words.count("```") in {0, 2}


@pytest.mark.parametrize("locale", ["en", "ko"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words(locale: str, state: JobState) -> None:
    view = seen(state)
    assert analysis.title(view, locale)
    assert slack_analysis.head(view, locale).text


def changed(*reviewers: dict[str, Any]) -> JobView:
    change = {"owners": reviewers, "reviewers": reviewers, "lines": 9, "skipped": 0, "ownerCount": len(reviewers)}
    change |= {"otherOwners": len(reviewers)}
    return seen(JobState.COMPLETED, {"change": change})


def test_each_reviewer_is_called_by_login_with_the_reason_why() -> None:
    told = analysis.summary(changed(person("Bob Smith", 4, login="bob"), person("Ann", 1, lastCommit=None)), "en")
    assert "- **bob (Bob Smith)**: owner of 4 lines that this changes, last commit here 2026-01-01" in told
    assert "- **Ann**: owner of 1 line that this changes; no commit here for over a year" in told
    assert "| over a year before |" in told


def test_nobody_who_left_is_suggested_and_why_is_said() -> None:
    view = changed(person("Ann", lastCommit=None))
    view.result["change"]["reviewers"] = []
    assert "Nobody else who owns a line that this changes has committed here" in analysis.summary(view, "en")
    assert "모두 1년 넘게 커밋하지 않았습니다" in render_findings(view, "ko", "")


def test_a_jobs_page_says_why_somebody_may_review() -> None:
    shown = render_findings(changed(person("Bob <b>", 4, login="bob")), "ko", "")
    assert "bob (Bob &lt;b&gt;): 바뀌는 줄 4개의 주인, 마지막 커밋 2026-01-01" in shown


def test_a_change_kept_before_there_were_reasons_is_told_without_them() -> None:
    older = {"name": "Ann", "email": "ann@example.org", "login": "ann", "bot": False}
    owners = [{**older, "lines": 3, "files": 1}]
    for reviewers in ([older], []):
        change = {"lines": 3, "skipped": 0, "ownerCount": 1, "owners": owners, "reviewers": reviewers}
        view = seen(JobState.COMPLETED, {"change": change})
        for told in (analysis.summary(view, "en"), render_findings(view, "en", "")):
            assert ("Suggested reviewers" in told) is bool(reviewers)
            assert ("Nobody else owns a line" in told) is (not reviewers)
            assert "owner of" not in told
            assert "year" not in told


def test_how_far_it_is_shows_while_it_runs() -> None:
    event = Event("dep_x", 3, NOW, EventType.STAGE_PROGRESSED, "Reading the history: 1,200 commits", None, {})
    assert "1,200 commits" in analysis.summary(seen(JobState.PROCESSING, {}, event), "en")


def test_what_is_not_exact_is_said() -> None:
    result = {"analysis": found(person("Ann"), exact=False, warnings=["too large"])}
    assert "not exact: too large" in analysis.summary(seen(JobState.COMPLETED, result), "en")


def test_who_has_several_addresses_stands_once_and_that_is_said() -> None:
    view = seen(JobState.COMPLETED, {"analysis": found(person("Ann"), addresses=3)})
    for words in (analysis.summary(view, "en"), str(slack_analysis.head(view, "en").blocks)):
        assert "Who has several addresses stands here once" in words
    one = seen(JobState.COMPLETED, {"analysis": found(person("Ann"), addresses=1)})
    assert "several addresses" not in analysis.summary(one, "en")


def test_people_beyond_the_table_are_counted() -> None:
    result = {"analysis": found(person("Ann"), authorCount=1235)}
    assert "and 1,234 more" in analysis.summary(seen(JobState.COMPLETED, result), "en")


@pytest.mark.parametrize(("people", "said"), [(1, "1 person owns more than half"), (3, "3 people own more than half")])
def test_how_few_people_it_rests_on_is_said(people: int, said: str) -> None:
    view = seen(JobState.COMPLETED, {"analysis": found(person("Ann"), busFactor=people)})
    assert said in analysis.summary(view, "en")
    assert said in str(slack_analysis.head(view, "en").blocks)
    assert "Bus factor" not in analysis.summary(seen(JobState.COMPLETED, {"analysis": found(person("Ann"))}), "en")


def test_a_language_nobody_knows_is_not_called_other() -> None:
    unknown = {"languages": [{"name": "Other", "lines": 10, "share": 1.0}]}
    view = seen(JobState.COMPLETED, {"analysis": found(person("Ann", languages=["Other"]), **unknown)})
    for words in (analysis.summary(view, "en"), str(slack_analysis.head(view, "en").blocks)):
        assert "no known language 100.0%" in words
        assert "Other" not in words


def test_code_is_told_apart_from_data_and_prose_in_a_comment_and_in_slack() -> None:
    shares = {"code": [{"name": "Go", "lines": 9, "share": 0.9}, {"name": "CSS", "lines": 1, "share": 0.1}]}
    view = seen(JobState.COMPLETED, {"analysis": found(person("Ann"), **shares)})
    assert "**Code alone, as GitHub counts** Go 90.0%, CSS 10.0%" in analysis.summary(view, "en")
    assert "Code alone, as GitHub counts: Go 90.0%, CSS 10.0%" in str(slack_analysis.head(view, "en").blocks)
    plain = seen(JobState.COMPLETED, {"analysis": found(person("Ann"))})
    for words in (analysis.summary(plain, "en"), str(slack_analysis.head(plain, "en").blocks)):
        assert "Code alone" not in words


def test_columns_stand_in_line_whatever_letters_a_name_has() -> None:
    people = [person("Ann"), person("김철수"), person("a name that is longer than its column by far")]
    said = slack_analysis.head(seen(JobState.COMPLETED, {"analysis": found(*people)}), "en")
    rows = [line for line in str(said.blocks[1]["text"]["text"]).splitlines() if "50.0%" in line]
    assert len(rows) == 3
    assert len({cell_len(row) for row in rows}) == 1


def test_nobody_is_no_empty_table() -> None:
    view = seen(JobState.COMPLETED, {"analysis": found()})
    for words in (analysis.summary(view, "en"), str(slack_analysis.head(view, "en").blocks)):
        assert "Nobody there is called that" in words
        assert "```" not in words
        assert "|---|" not in words
