"""The work of an analysis job: each of its repositories, one after another, and none twice."""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.errors import Permanent, Refused, ShipmateError, UserMistake
from bot.jobs.analysis import skipped, summary
from bot.jobs.analysis.change import judge_change
from bot.jobs.analysis.contributions import contribute
from bot.jobs.analysis.plan import AnalysisPlan, Subject
from bot.jobs.analysis.reports.portfolio import add_up
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store, narrowed
from bot.jobs.analysis.tools import Tools
from bot.jobs.context import Ending, Failure, JobContext
from bot.model import JobState

Failed = dict[str, ShipmateError]
"""What went wrong, by repository."""


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
        reports, failed = await self._reports(context, plan)
        await self._tools.forget_token(plan)
        return self._told(plan, reports, failed)

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        """Say why."""
        await self._tools.forget_token(AnalysisPlan.from_json(context.job.spec))
        why = messages.failure(self._tools.locale, failure.code, failure.facts)
        return Ending(failure.state, why, {"reason": failure.code}, failure.code, why)

    async def _reports(self, context: JobContext, plan: AnalysisPlan) -> tuple[list[Report], Failed]:
        """The reports, and why some of several repositories have none.

        Raises what went wrong first where no repository has a report, and what may go well later.
        """
        kept = {one.repository: one for one in await self._tools.analyses.of_job(context.job.id)}
        reports: list[Report] = []
        failed: Failed = {}
        for target in plan.targets:
            known = kept.get(target.name.lower())
            try:
                found = from_store(known.body) if known else await contribute(self._tools, context, plan, target)
                reports.append(found)
            except (Permanent, Refused, UserMistake) as error:
                failed[target.name] = error
        if not reports:
            raise next(iter(failed.values()))
        return reports, failed

    def _told(self, plan: AnalysisPlan, reports: list[Report], failed: Failed) -> Ending:
        locale = self._tools.locale
        chosen = [narrowed(report, plan.within, plan.authors) for report in reports]
        result: dict[str, Any]
        if len(plan.targets) == 1:
            result = {"analysis": summary.of_report(chosen[0], locale)}
        else:
            left_out = skipped.to_keep(failed)
            portfolio = add_up(chosen, skipped.from_kept(left_out))
            result = {"portfolio": summary.of_portfolio(portfolio, locale), "skipped": left_out}
        told = next(iter(result.values()))
        everyone = len(add_up(reports).people)
        message = self._say("analysis.done", lines=told["lines"], files=told["files"], authors=everyone)
        return Ending(JobState.COMPLETED, message, result)

    def _say(self, key: str, **facts: Any) -> str:
        return messages.say(self._tools.locale, key, **facts)
