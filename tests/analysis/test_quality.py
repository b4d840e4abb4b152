"""A quality snapshot holds what was asked for; what fails is told and costs only itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.jobs.analysis.quality.snapshot import ModelSettings, QualitySettings, QualitySnapshot, SonarSettings
from bot.jobs.analysis.quality.taking import take_snapshot
from bot.jobs.analysis.request import AnalysisRequest
from tests.analysis.histories import History
from tests.analysis.running import analysed

KNOTTY = (
    b"def knot(a):\n"
    + b"".join(b"    if a == %d:\n        return %d\n" % (n, n) for n in range(20))
    + b"    return 0\n"
)


@dataclass
class Services:
    """A SonarQube and a language model that remember what they were asked."""

    url: str = ""
    status: int = 200
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def measures(self, request: web.Request) -> web.Response:
        """Answer as api/measures/component does."""
        self.asked.append(request)
        return web.json_response({"component": {"measures": [{"metric": "bugs", "value": "3"}]}}, status=self.status)

    async def complete(self, request: web.Request) -> web.Response:
        """Answer as chat/completions does."""
        self.asked.append(request)
        self.bodies.append(await request.json())
        answer = {"choices": [{"message": {"content": " Mostly Python; ghp_" + "a" * 36 + " leaked. "}}]}
        return web.json_response(answer, status=self.status)


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """Both services on one free port."""
    known = Services()
    app = web.Application()
    app.router.add_get("/api/measures/component", known.measures)
    app.router.add_post("/v1/chat/completions", known.complete)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    known.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield known
    await runner.cleanup()


async def snapshot(repository: Path, settings: QualitySettings) -> QualitySnapshot:
    """A report of the repository, and the snapshot that goes with it."""
    report = analysed(repository, all_files=False)
    return await take_snapshot(AnalysisRequest(repository), report, settings)


async def test_nothing_is_asked_for_by_default(history: History) -> None:
    history.commit({"a.py": KNOTTY})
    taken = await snapshot(history.write(), QualitySettings())
    assert taken == QualitySnapshot(warnings=[])


async def test_complexity_names_the_worst_functions_of_many_languages(history: History) -> None:
    javascript = b"function pick(a) {\n  if (a) { return 1; }\n  return 2;\n}\n"
    history.commit({"src/knot.py": KNOTTY, "pick.js": javascript, "node_modules/x.js": javascript})
    taken = await snapshot(history.write(), QualitySettings(complexity=True))
    assert taken.complexity is not None
    worst = [(entry.path, entry.name, entry.complexity, entry.line) for entry in taken.complexity.worst]
    assert worst == [("src/knot.py", "knot", 21, 1), ("pick.js", "pick", 2, 1)]
    assert (taken.complexity.functions, taken.complexity.above_limit) == (2, 1)


async def test_findings_come_from_ruff_whatever_the_repository_configures(history: History) -> None:
    history.commit({"a.py": b"import os\n", "ruff.toml": b'lint.ignore = ["F401"]\n', "broken.py": b"def (:\n"})
    taken = await snapshot(history.write(), QualitySettings(findings=True))
    assert taken.findings is not None
    assert taken.findings.by_rule["F401"] == 1
    assert {finding.path for finding in taken.findings.first} == {"a.py", "broken.py"}


async def test_hostile_names_stay_inside_the_folder(history: History) -> None:
    history.commit({b"nl\nname.py": b"import os\n", b"-rf.py": b"import sys\n", b"x.py\xff": b"import re\n"})
    taken = await snapshot(history.write(), QualitySettings(findings=True))
    assert taken.findings is not None
    assert {finding.path for finding in taken.findings.first} == {"nl\nname.py", "-rf.py"}


async def test_a_tool_that_takes_too_long_is_stopped_and_told(history: History) -> None:
    history.commit({"a.py": KNOTTY})
    taken = await snapshot(history.write(), QualitySettings(complexity=True, limit_s=0.0))
    assert taken.complexity is None
    assert "was stopped" in taken.warnings[0]


async def test_sonarqube_is_asked_with_the_token_in_a_header(history: History, services: Services) -> None:
    history.commit({"a.py": KNOTTY})
    sonar = SonarSettings(services.url, "acme_api", token="sonar-secret")
    taken = await snapshot(history.write(), QualitySettings(sonar=sonar))
    assert taken.sonar == {"bugs": "3"}
    assert services.asked[0].query["component"] == "acme_api"
    assert services.asked[0].headers["Authorization"] == "Bearer sonar-secret"
    assert "sonar-secret" not in str(services.asked[0].rel_url)


async def test_a_summary_says_what_was_sent_and_that_it_is_generated(history: History, services: Services) -> None:
    history.commit({"secret-folder/a.py": KNOTTY})
    model = ModelSettings(f"{services.url}/v1", "small", max_characters_sent=400, max_tokens_answered=50)
    settings = QualitySettings(model=model, mask=lambda text: text.replace("secret", "***").replace("ghp_", "***"))
    taken = await snapshot(history.write(), settings)
    told = taken.to_json()["summary"]
    assert told["generated"] is True
    assert told["sent"] == services.bodies[0]["messages"][1]["content"]
    assert services.bodies[0]["max_tokens"] == 50
    assert len(told["sent"]) <= 400
    assert "secret" not in told["sent"]
    assert "ghp_" not in told["text"]


async def test_neither_code_nor_names_of_people_are_sent(history: History, services: Services) -> None:
    history.commit({"a.py": b"the_code_itself = 1\n"})
    taken = await snapshot(history.write(), QualitySettings(model=ModelSettings(f"{services.url}/v1", "small")))
    assert taken.summary is not None
    assert json.loads(taken.summary.sent)["languages"] == {"Python": 1.0}
    assert "the_code_itself" not in taken.summary.sent
    assert "Ann" not in taken.summary.sent


@pytest.mark.parametrize("status", [401, 500, 302])
async def test_a_service_that_fails_costs_only_its_part(history: History, services: Services, status: int) -> None:
    services.status = status
    history.commit({"a.py": b"import os\n"})
    sonar = SonarSettings(services.url, "acme_api")
    model = ModelSettings(f"{services.url}/v1", "small")
    taken = await snapshot(history.write(), QualitySettings(findings=True, sonar=sonar, model=model))
    assert taken.findings is not None
    assert (taken.sonar, taken.summary) == (None, None)
    assert len(taken.warnings) == 2


async def test_a_service_that_is_not_there_is_told(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    taken = await snapshot(history.write(), QualitySettings(sonar=SonarSettings("http://127.0.0.1:1", "x")))
    assert "SonarQube told nothing" in taken.warnings[0]
