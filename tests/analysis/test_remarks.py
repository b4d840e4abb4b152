"""Remarks on a report are published in English, and read in the reader's language, also after they were kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from bot.errors import Permanent, ShipmateError
from bot.jobs.analysis import summary
from bot.jobs.analysis.faces.page import render_page
from bot.jobs.analysis.reports.remarks import Remark, from_kept, say_again, to_keep
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store, to_store
from bot.jobs.analysis.sentences import remark_on
from bot.web.contribution_page import Asked, render
from tests.analysis.histories import History
from tests.analysis.running import analysed

TOO_LARGE = Remark("analysis.remark.too_large", {"count": 1200})
ENGLISH = "1,200 files are, or once were, too large to be blamed and left out."
KOREAN = "파일 1,200개는 너무 크거나"


@pytest.fixture
def report(history: History) -> Report:
    """A report with a remark, out of the store."""
    history.commit({"a.py": b"1\n"})
    found = replace(analysed(history.write(), days=True), warnings=[TOO_LARGE, "A <sentence> of old."])
    return from_store(orjson.loads(orjson.dumps(to_store(found))))


def test_programs_read_sentences_in_english(report: Report) -> None:
    published: dict[str, Any] = json.loads(orjson.dumps(report.to_json()))
    assert published["warnings"] == [ENGLISH, "A <sentence> of old."]


def test_a_page_says_them_in_its_readers_language(report: Report) -> None:
    shown = render_page(report, "ko")
    assert KOREAN in shown
    assert "too large" not in shown
    assert "A &lt;sentence&gt; of old." in shown
    assert ENGLISH in render_page(report)


def test_a_comment_says_them_in_the_servers_language(report: Report) -> None:
    assert summary.of_report(report, "ko")["warnings"][0].startswith(KOREAN)


def test_reports_kept_before_there_were_remarks_are_read_as_they_are(report: Report) -> None:
    body = orjson.loads(orjson.dumps(to_store(report)))
    del body["remarks"]
    assert [say_again(one, "ko") for one in from_store(body).warnings] == [ENGLISH, "A <sentence> of old."]


def test_what_is_worded_no_more_is_still_read() -> None:
    assert from_kept(["It was so."], [["analysis.remark.of_another_time", {}]]) == ["It was so."]


@pytest.mark.parametrize(
    ("error", "in_korean"),
    [
        (Permanent("sonar_failed", detail="it answered 401"), "SonarQube가 답하지 않았습니다: it answered 401."),
        (Permanent("never_worded"), str(Permanent("never_worded"))),
    ],
)
def test_why_a_part_of_the_quality_is_missing_is_said_in_the_readers_language(
    report: Report, error: ShipmateError, in_korean: str
) -> None:
    warnings = [remark_on(error)]
    beside = {"quality": {"warnings": list(map(str, warnings))}, "qualityRemarks": to_keep(warnings)}
    assert in_korean in render(report, report, Asked("/repos/a/b", "a/b"), beside, "ko")
