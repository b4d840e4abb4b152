"""Links to a job's page that hold for a while, for those who have no key: signed, and bound to that one job."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field

LINK_LIFE_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and checks links. `key` is any secret bytes; links made under another key do not hold."""

    public_url: str
    key: bytes = field(repr=False)
    life_s: int = LINK_LIFE_S

    def job(self, job_id: str, now_s: float | None = None) -> str:
        """`PUBLIC_URL/jobs/ID?until=…&sig=…`, the same link for a whole day, so that edits do not change it."""
        now = time.time() if now_s is None else now_s
        until = int(now // 86_400 + 1) * 86_400 + self.life_s
        return f"{self.public_url}/jobs/{job_id}?until={until}&sig={self._signature(job_id, until)}"

    def holds(self, job_id: str, until: str, signature: str, now_s: float | None = None) -> bool:
        """Whether the link was made here for this job and has not expired."""
        if not until.isdecimal() or len(until) > 12:
            return False
        fresh = int(until) > (time.time() if now_s is None else now_s)
        genuine = hmac.compare_digest(self._signature(job_id, int(until)).encode(), signature.encode())
        return fresh and genuine

    def _signature(self, job_id: str, until: int) -> str:
        return hmac.new(self.key, f"job-page\0{job_id}\0{until}".encode(), hashlib.sha256).hexdigest()[:40]
