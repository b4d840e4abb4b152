"""The work of an analysis job: each of its repositories, one after another, and none twice."""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.jobs.analysis import summary
from bot.jobs.analysis.change import judge_change
from bot.jobs.analysis.contributions import contribute
from bot.jobs.analysis.plan import AnalysisPlan, Subject, Target
from bot.jobs.analysis.reports.portfolio import add_up
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store, narrowed
from bot.jobs.analysis.tools import Tools
from bot.jobs.context import Ending, Failure, JobContext
from bot.model import JobState


class Analysis:
    """`bot.jobs.context.Work` for analysis jobs. There is nothing to undo: what was cloned and learned is kept."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def run(self, context: JobContext) -> Ending:
        """Answer the question of the plan; the result holds what faces show, the store the whole report."""
        plan = AnalysisPlan.from_json(context.job.spec)
        if plan.subject is Subject.CHANGE:
            change = await judge_change(self._tools, context, plan)
            message = self._say("analysis.change_done", owners=change["ownerCount"], lines=change["lines"])
            return Ending(JobState.COMPLETED, message, {"change": change})
        reports = await self._reports(context, plan)
        await self._tools.forget_token(plan)
        return self._told(plan, reports)

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        """Say why."""
        await self._tools.forget_token(AnalysisPlan.from_json(context.job.spec))
        why = messages.failure(self._tools.locale, failure.code, failure.facts)
        return Ending(failure.state, why, {"reason": failure.code}, failure.code, why)

    async def _reports(self, context: JobContext, plan: AnalysisPlan) -> list[Report]:
        kept = {one.repository: one for one in await self._tools.analyses.of_job(context.job.id)}

        async def report(target: Target) -> Report:
            known = kept.get(target.name.lower())
            return from_store(known.body) if known else await contribute(self._tools, context, plan, target)

        return [await report(target) for target in plan.targets]

    def _told(self, plan: AnalysisPlan, reports: list[Report]) -> Ending:
        chosen = [narrowed(report, plan.within, plan.authors) for report in reports]
        result: dict[str, Any]
        if len(chosen) == 1:
            result, everyone = {"analysis": summary.of_report(chosen[0], self._tools.locale)}, len(reports[0].authors)
        else:
            result, everyone = {"portfolio": summary.of_portfolio(add_up(chosen))}, len(add_up(reports).people)
        told = next(iter(result.values()))
        message = self._say("analysis.done", lines=told["lines"], files=told["files"], authors=everyone)
        return Ending(JobState.COMPLETED, message, result)

    def _say(self, key: str, **facts: Any) -> str:
        return messages.say(self._tools.locale, key, **facts)
