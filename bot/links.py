"""Links that hold for a while, for those who have no key: signed, and bound to one job or to one repository."""

from __future__ import annotations

import dataclasses
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
    ends_s: int | None = None
    """The second since 1970 after which no link made here holds, however long its life."""

    def until(self, ends_s: int) -> Links:
        """Makes links that hold no longer: what is found behind a link ends with it."""
        return dataclasses.replace(self, ends_s=ends_s)

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
        return f"{self.public_url}/repos/{quote(full_name)}?{self._of_repository(full_name, now_s, asked)}"

    def overview(self, full_name: str, now_s: float | None = None, **asked: str) -> str:
        """`PUBLIC_URL/repos/OWNER/NAME/overview?link=…`: what runs and what is locked there."""
        return f"{self.public_url}/repos/{quote(full_name)}/overview?{self._of_repository(full_name, now_s, asked)}"

    def _of_repository(self, full_name: str, now_s: float | None, asked: Mapping[str, str]) -> str:
        """One link opens both pages of a repository."""
        until = self._until(now_s)
        return urlencode({"link": f"{until}.{self._signature(_page_of(full_name), until)}", **asked})

    def holds_repository(self, full_name: str, link: str, now_s: float | None = None) -> bool:
        """Whether the link was made here for this repository's pages and has not expired."""
        until, _, signature = link.partition(".")
        return self.holds(_page_of(full_name), until, signature, now_s)

    def holds(self, job_id: str, until: str, signature: str, now_s: float | None = None) -> bool:
        """Whether the link was made here for this job and has not expired."""
        if not until.isdecimal() or len(until) > 12:
            return False
        fresh = int(until) > (time.time() if now_s is None else now_s)
        genuine = hmac.compare_digest(self._signature(job_id, int(until)).encode(), signature.encode())
        return fresh and genuine

    def _until(self, now_s: float | None) -> int:
        """The end of the link's life, the same for a whole day."""
        now = time.time() if now_s is None else now_s
        until = int(now // 86_400 + 1) * 86_400 + self.life_s
        return until if self.ends_s is None else min(until, self.ends_s)

    def _signature(self, job_id: str, until: int) -> str:
        return hmac.new(self.key, f"job-page\0{job_id}\0{until}".encode(), hashlib.sha256).hexdigest()[:40]


def _page_of(full_name: str) -> str:
    """What is signed: no job's id has a slash."""
    return f"repos/{full_name.lower()}"
