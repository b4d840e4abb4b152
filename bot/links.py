"""Links that hold for a while, for those who have no key: signed, and bound to what they were made for.

A link to one job opens that job alone, one to who wrote what in a repository that page alone, and one to a repository
all that is told of it: its overview, its jobs, and who wrote what.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

LINK_LIFE_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and checks links. `key` is any secret bytes; links made under another key do not hold."""

    public_url: str
    key: bytes = field(repr=False)
    life_s: int = LINK_LIFE_S

    def job(self, job_id: str, now_s: float | None = None) -> str:
        """`PUBLIC_URL/jobs/ID?until=…&sig=…`, the same link for a whole day, so that edits do not change it."""
        until = self._until(now_s)
        return f"{self.public_url}/jobs/{job_id}?until={until}&sig={self._signature(job_id, until)}"

    def picture(self, job_id: str, form: str, now_s: float | None = None) -> str:
        """Of an analysis, as `svg` or `png`; whoever may see the job may see it."""
        until = self._until(now_s)
        return f"{self.public_url}/jobs/{job_id}/picture.{form}?until={until}&sig={self._signature(job_id, until)}"

    def repository(self, full_name: str, now_s: float | None = None, **asked: str) -> str:
        """`PUBLIC_URL/repos/OWNER/NAME?link=…`: its contribution page, of what is `asked` there."""
        return f"{self.public_url}/repos/{quote(full_name)}?{self._query(_contributions_of(full_name), now_s, asked)}"

    def overview(self, full_name: str, now_s: float | None = None, **asked: str) -> str:
        """`PUBLIC_URL/repos/OWNER/NAME/overview?link=…`: what runs and what is locked there, and all behind it."""
        return f"{self.public_url}/repos/{quote(full_name)}/overview?{self._query(_all_of(full_name), now_s, asked)}"

    def _query(self, subject: str, now_s: float | None, asked: Mapping[str, str]) -> str:
        until = self._until(now_s)
        return urlencode({"link": f"{until}.{self._signature(subject, until)}", **asked})

    def renamed(self, link: str, full_name: str, *, all_of_it: bool) -> str:
        """The link as it would be for the repository's new name, with the same end; the caller knows that it holds."""
        until = int(link.partition(".")[0])
        subject = _all_of(full_name) if all_of_it else _contributions_of(full_name)
        return f"{until}.{self._signature(subject, until)}"

    def opens_job(self, job_id: str, link: str, now_s: float | None = None) -> bool:
        """Whether a link, as `UNTIL.SIGNATURE`, was made here for this job and has not expired."""
        until, _, signature = link.partition(".")
        return self.holds(job_id, until, signature, now_s)

    def opens_contributions(self, full_name: str, link: str, now_s: float | None = None) -> bool:
        """Whether it opens the page of who wrote what in this repository."""
        until, _, signature = link.partition(".")
        own = self.holds(_contributions_of(full_name), until, signature, now_s)
        return own or self.opens_overview(full_name, link, now_s)

    def opens_overview(self, full_name: str, link: str, now_s: float | None = None) -> bool:
        """Whether it opens all of this repository."""
        until, _, signature = link.partition(".")
        return self.holds(_all_of(full_name), until, signature, now_s)

    def holds(self, job_id: str, until: str, signature: str, now_s: float | None = None) -> bool:
        """Whether the link was made here for this job (or whatever is named as no job is) and has not expired."""
        if not until.isdecimal() or len(until) > 12:
            return False
        fresh = int(until) > (time.time() if now_s is None else now_s)
        genuine = hmac.compare_digest(self._signature(job_id, int(until)).encode(), signature.encode())
        return fresh and genuine

    def _until(self, now_s: float | None) -> int:
        """The end of the link's life, the same for a whole day."""
        now = time.time() if now_s is None else now_s
        return int(now // 86_400 + 1) * 86_400 + self.life_s

    def _signature(self, subject: str, until: int) -> str:
        return hmac.new(self.key, f"job-page\0{subject}\0{until}".encode(), hashlib.sha256).hexdigest()[:40]


def _all_of(full_name: str) -> str:
    """What is signed of a repository: no job's id has a slash."""
    return f"repos/{full_name.lower()}"


def _contributions_of(full_name: str) -> str:
    """What is signed of who wrote what."""
    return f"contributions/{full_name.lower()}"
