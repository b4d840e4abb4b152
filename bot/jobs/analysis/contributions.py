"""Analyses one repository for a job and keeps its report: clone, blame, releases, logins, quality."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import Permanent
from bot.jobs.analysis.plan import AnalysisPlan, Target
from bot.jobs.analysis.progress import Listener, Progress, Stage
from bot.jobs.analysis.quality.taking import take_snapshot
from bot.jobs.analysis.releases import ReleaseShipped, shipped_by_releases
from bot.jobs.analysis.reports.remarks import to_keep
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import to_store
from bot.jobs.analysis.repositories.addresses import Address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.run import analyse_here
from bot.jobs.analysis.runs.threads import in_a_thread
from bot.jobs.analysis.telling import told
from bot.jobs.analysis.tools import Tools
from bot.jobs.context import JobContext
from bot.model import Release
from bot.store.analyses import StoredAnalysis


@dataclass(frozen=True, slots=True)
class _Found:
    """What one run brought, and where the clone is."""

    report: Report
    clone: Path
    releases: Sequence[ReleaseShipped]


async def contribute(tools: Tools, context: JobContext, plan: AnalysisPlan, target: Target) -> Report:
    """Analyse a target and keep its report. Repeatable: a later try begins with what is cloned and known.

    Raises what cloning and analysing raise.
    """
    releases = await _releases(tools, target)
    async with told(context, target.name, tools.locale) as listener:

        async def run(token: str | None) -> _Found:
            return await in_a_thread(_Run(tools, plan, target, token, releases, listener).surely, tools.pool)

        found = await tools.with_token(plan, target, context.masker, run)
    authors = [entry.author for entry in found.report.authors]
    report = dataclasses.replace(found.report, logins=await tools.logins(target, found.report.head, authors))
    body = {
        **to_store(report),
        "releases": [release.to_json() for release in found.releases],
        "quality": None,
        **(await _quality(tools, found) if plan.quality else {}),
    }
    await tools.analyses.put(_record(context, plan, target, report, body))
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    """One analysis in a thread."""

    tools: Tools
    plan: AnalysisPlan
    target: Target
    token: str | None
    releases: Sequence[Release]
    listener: Listener

    def surely(self, children: Children) -> _Found:
        """A clone that proves to be damaged is made anew, once."""
        address = self.tools.address(self.target)
        try:
            return self._once(address, children)
        except Permanent as damaged:
            if damaged.code != "corrupt_repository":
                raise
            self.tools.clones.forget(address, children)
            return self._once(address, children)

    def _once(self, address: Address, children: Children) -> _Found:
        """With the clone locked."""
        self.listener(Progress(Stage.CLONING))
        target, wanted = self.target, self.target.sha or self.target.ref
        fetched = self.tools.clones.fetched(address, wanted, children, token=self.token, called=target.ref)
        with fetched as (clone, local):
            asked = request_of(self.plan, target, clone, local)
            report = analyse_here(asked, self.listener, children, self.tools.states)
            shipped = shipped_by_releases(clone, self.releases, children)
        return _Found(dataclasses.replace(report, ref=target.ref), clone, shipped)


def request_of(plan: AnalysisPlan, target: Target, clone: Path, local: str) -> AnalysisRequest:
    """What is asked of the library: everything there is; dates and authors are chosen from what is kept."""
    return AnalysisRequest(
        clone,
        ref=local,
        name=target.name,
        days=True,
        co_authors=True,
        all_files=plan.all_files,
        merges=plan.merges,
        without_bots=plan.without_bots,
        ignore_revs=plan.ignore_revs,
    )


async def _releases(tools: Tools, target: Target) -> list[Release]:
    """What went live here from this repository, of all environments."""
    if not target.repository_id or not target.is_default:
        return []
    names = await tools.releases.environments(target.repository_id)
    return [release for name in names for release in await tools.releases.recent(target.repository_id, name)]


async def _quality(tools: Tools, found: _Found) -> Mapping[str, Any]:
    request = AnalysisRequest(found.clone, ref=found.report.head)
    snapshot = await take_snapshot(request, found.report, tools.quality.about(found.report.repository))
    return {"quality": snapshot.to_json(), "qualityRemarks": to_keep(snapshot.warnings)}


def _record(
    context: JobContext, plan: AnalysisPlan, target: Target, report: Report, body: Mapping[str, Any]
) -> StoredAnalysis:
    return StoredAnalysis(
        job_id=context.job.id,
        repository=target.name,
        ref=target.ref,
        sha=report.head,
        made_at=context.clock(),
        body=body,
        is_default=target.is_default,
        is_passing=plan.is_passing,
        repository_id=target.repository_id,
    )
