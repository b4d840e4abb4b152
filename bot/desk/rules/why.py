"""`/why`: why a job stands where it stands, or the last thing said here was refused, and by which values."""

from __future__ import annotations

from bot.audit import AuditRecord
from bot.desk.answers.why import Told, job_text, refusal_text
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.line import place_of
from bot.model import Job, JobState, Release, Stage
from bot.shown.view import see

LOOKED_AT = 50
"""The newest entries of the trail that are looked through for something to explain."""
LOG_LINES = 15
RELEASES_LOOKED_AT = 50
ENDED_BADLY = frozenset({JobState.FAILED, JobState.TIMED_OUT, JobState.ROLLED_BACK})


async def why(office: Office, order: Order, facts: Facts) -> Outcome:
    """The job named, else the last thing that happened here. Raises Refused("job_not_found" or "nothing_happened")."""
    if order.command.get("job"):
        text = await _of_job(office, await office.require_job(order))
    else:
        text = await _of_the_last_thing(office, order)
    return Outcome("acted", "why_told", answers=(office.answer(order, text),))


async def _of_the_last_thing(office: Office, order: Order) -> str:
    """A refusal is explained by the rule that decided; what led to a job, or what one came of, by that job."""
    records = await office.records.audit.newest(order.repository.full_name, order.number, LOOKED_AT)
    last = next((record for record in records if not _is_only_a_question(record)), None)
    if last is not None and last.entry.outcome == "refused":
        return refusal_text(last, office.say, office.locale)
    job = await office.records.jobs.get(last.entry.job_id) if last and last.entry.job_id else None
    job = job or await office.job_meant(order, finished_too=True)
    if job is None:
        raise Refused("nothing_happened")
    return await _of_job(office, job)


def _is_only_a_question(record: AuditRecord) -> bool:
    return record.entry.outcome == "acted" and record.entry.reason.endswith("_told")


async def _of_job(office: Office, job: Job) -> str:
    jobs = office.records.jobs
    place = await place_of(jobs, job, office.clock())
    tail = await jobs.log_tail(job.id, LOG_LINES) if job.state in ENDED_BADLY else []
    story = await jobs.story(job.id)
    view = see(job, story, office.links.job(job.id), tail=tail, place=place)
    trail = await office.records.audit.of_job(job.id)
    return job_text(Told(view, tuple(story), tuple(trail), await _before(office, job)), office.say, office.locale)


async def _before(office: Office, job: Job) -> Release | None:
    """The release that served when the job began to change something, else when it was asked for."""
    releases = await office.records.releases.recent(job.repository.id, job.environment, RELEASES_LOOKED_AT)
    known = (await office.records.jobs.facts(job.id)).get(Stage.LIFECYCLE, {}).get("blue")
    by_instance = (one for one in releases if known is not None and one.instance_id == known and one.job_id != job.id)
    by_time = (one for one in releases if one.job_id != job.id and one.live_at <= job.created_at)
    return next(by_instance, None) or next(by_time, None)
