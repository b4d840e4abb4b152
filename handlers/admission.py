"""Decides whom a page lets in: who shows a link to it or to the repository around it, or a key that sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web

from bot.api.envelopes import NO_STORE
from bot.clock import Clock
from bot.links import Links
from bot.model import Job
from bot.overview import is_about_one
from bot.store.jobs import Jobs
from bot.store.keys import ApiKey, ApiKeys
from handlers.api.keys import key_of
from handlers.api.reach import opens_job
from handlers.refusals import closed, missing


class Door(Protocol):
    """What letting somebody in takes; the pages' own means have it."""

    @property
    def keys(self) -> ApiKeys: ...

    @property
    def links(self) -> Links: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def locale(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who was let in, by the `link` they showed or else by a key; what they may see ends with it."""

    link: str = field(default="", repr=False)
    key: ApiKey | None = None
    sees_around: bool = True
    """Whether all of the repository is open to them, not this page alone."""

    def sees(self, name: str) -> bool:
        """Whether `owner/name` may be told of."""
        return self.key is None or self.key.sees(name)

    @property
    def let_in(self) -> dict[str, str]:
        """What goes into the query of every link on the page."""
        return {"link": self.link} if self.link else {}

    def to(self, path: str, **chosen: str) -> str:
        """The address of a page, which lets in whoever was let in here."""
        query = urlencode({**self.let_in, **chosen})
        return f"{path}?{query}" if query else path


async def to_overview(request: web.Request, door: Door, name: str) -> Visitor:
    """To all of a repository. Raises HTTPForbidden where neither its link nor a key is shown."""
    link = shown_link(request)
    if door.links.opens_overview(name, link):
        return Visitor(link)
    return Visitor(key=await _key(request, door))


async def to_contributions(request: web.Request, door: Door, name: str) -> Visitor:
    """To who wrote what in a repository: those to whom all of it is open, too. Raises HTTPForbidden."""
    link = shown_link(request)
    if door.links.opens_contributions(name, link):
        return Visitor(link, sees_around=door.links.opens_overview(name, link))
    return Visitor(key=await _key(request, door))


async def require_its_name(request: web.Request, door: Door, jobs: Jobs, name: str, visitor: Visitor) -> str:
    """How a repository's name is written. Raises HTTPFound with the page of its new name where it was renamed."""
    known = await jobs.called(name)
    if known is None or not visitor.sees(known.full_name):
        return name
    if known.full_name.lower() == name.lower():
        return known.full_name
    query = dict(request.query)
    if visitor.link:
        query["link"] = door.links.renamed(visitor.link, known.full_name, all_of_it=visitor.sees_around)
    path = request.path.replace(f"/repos/{name}", f"/repos/{known.full_name}", 1)
    raise web.HTTPFound(str(request.url.with_path(path).with_query(query).relative()), headers=NO_STORE)


async def to_job(request: web.Request, door: Door, jobs: Jobs, job_id: str) -> tuple[Job, Visitor]:
    """To one job: whoever has its link, or sees all repositories it is about.

    Raises HTTPForbidden, by which nobody learns whether it exists; to those whom a link to it or a key let in
    HTTPNotFound.
    """
    link, job = shown_link(request), await jobs.get(job_id)
    if door.links.opens_job(job_id, link):
        visitor = Visitor(link, sees_around=False)
    elif job is not None and await _is_around(door, jobs, job, link):
        visitor = Visitor(link)
    else:
        visitor = Visitor(key=await _key(request, door))
    if job is None or (visitor.key is not None and not await _opens(visitor.key, jobs, job)):
        raise missing(request, door.locale)
    return job, visitor


async def _opens(key: ApiKey, jobs: Jobs, job: Job) -> bool:
    """Whether a key sees all that a job is about, by the name its repository had then or has now."""
    if opens_job(key, job):
        return True
    return is_about_one(job) and key.sees((await jobs.named_now(job.repository)).full_name)


async def _is_around(door: Door, jobs: Jobs, job: Job, link: str) -> bool:
    """Whether the link opens all of the job's repository, by the name it has now, and the job tells of no other."""
    now = await jobs.named_now(job.repository)
    return is_about_one(job) and door.links.opens_overview(now.full_name, link)


def shown_link(request: web.Request) -> str:
    """`link=…`, or the two fields that a job's own link has."""
    query = request.query
    return query.get("link") or f"{query.get('until', '')}.{query.get('sig', '')}"


async def _key(request: web.Request, door: Door) -> ApiKey:
    key = await key_of(request.headers, door.keys, door.clock())
    if key is None:
        raise closed(request, door.locale)
    return key
