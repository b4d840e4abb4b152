"""Takes a quality snapshot of a commit: each part for itself, so that one that fails costs only itself."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bot.errors import ShipmateError
from bot.jobs.analysis.blame.headfiles import list_files
from bot.jobs.analysis.quality.services import read_sonar, summarise
from bot.jobs.analysis.quality.snapshot import Complexity, Findings, QualitySettings, QualitySnapshot
from bot.jobs.analysis.quality.sources import Sources, lay_out
from bot.jobs.analysis.quality.tools import find_in_python, measure_complexity
from bot.jobs.analysis.reports.remarks import Remark
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.folders import folder_on_disk
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import open_repository
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.threads import in_a_thread
from bot.jobs.analysis.sentences import remark_on

_Part = TypeVar("_Part")
_TOP = 10
_PYTHON = (".py", ".pyi")


async def take_snapshot(request: AnalysisRequest, report: Report, settings: QualitySettings) -> QualitySnapshot:
    """The parts that `settings` ask for, about the commit of the report. Files the report leaves out are left out."""
    warnings: list[str] = []
    taken = QualitySnapshot()
    if settings.complexity or settings.findings:
        taken = await _run_tools(request, report, settings, warnings)
    if settings.sonar:
        taken = replace(taken, sonar=await _attempt(read_sonar(settings.sonar, settings.limit_s), warnings))
    if settings.model:
        asked = summarise(settings.model, facts(report, taken), settings.mask, settings.limit_s)
        taken = replace(taken, summary=await _attempt(asked, warnings))
    return replace(taken, warnings=warnings)


def facts(report: Report, taken: QualitySnapshot) -> str:
    """What a language model is told: counts, languages, frameworks, findings. No code, and nobody's name."""
    told = taken.to_json()
    return json.dumps(
        {
            "lines": report.lines,
            "files": report.files,
            "authors": len([entry for entry in report.authors if entry.lines]),
            "largestShareOfOneAuthor": max((entry.share for entry in report.authors), default=0),
            "languages": {entry.name: entry.share for entry in report.languages[:_TOP]},
            "frameworks": [entry.name for entry in report.frameworks],
            "folders": {entry.path: entry.lines for entry in report.ownership[:_TOP]},
            "complexity": told["complexity"],
            "findings": told["findings"] and told["findings"]["byRule"],
            "sonar": told["sonar"],
        },
        ensure_ascii=False,
    )


async def _run_tools(
    request: AnalysisRequest, report: Report, settings: QualitySettings, warnings: list[str]
) -> QualitySnapshot:
    async def laid_out(endings: tuple[str, ...]) -> Sources:
        place = Path(tempfile.mkdtemp(dir=folder))
        return await in_a_thread(lambda children: _lay_out(request, report, place, endings, children))

    async def complexity() -> Complexity:
        sources = await laid_out(())
        if sources.left_out:
            warnings.append(Remark("analysis.remark.sources_too_large", {"count": sources.left_out}))
        return await measure_complexity(sources, settings.limit_s)

    async def findings() -> Findings:
        return await find_in_python(await laid_out(_PYTHON), settings.limit_s)

    with folder_on_disk() as folder:
        return QualitySnapshot(
            complexity=await _attempt(complexity(), warnings) if settings.complexity else None,
            findings=await _attempt(findings(), warnings) if settings.findings else None,
        )


def _lay_out(
    request: AnalysisRequest, report: Report, folder: Path, endings: tuple[str, ...], children: Children
) -> Sources:
    opened = open_repository(request.repository)
    left_out = {entry.path for entry in report.excluded}
    with Git(opened.objects, report.head, children, max_blob_bytes=request.max_blob_bytes) as git:
        blobs = {
            path: blob for path, blob in list_files(git).text.items() if path.decode("utf-8", "replace") not in left_out
        }
        return lay_out(git, blobs, folder, endings=endings)


async def _attempt(part: Awaitable[_Part], warnings: list[str]) -> _Part | None:
    """A part, or None with a warning that says why not."""
    try:
        return await part
    except ShipmateError as error:
        warnings.append(remark_on(error))
        return None
