"""Reads the message of a queue that a process was started for: the job it asks for, and what takes it off again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.errors import UserMistake


@dataclass(frozen=True, slots=True)
class Message:
    """As AWS Batch puts it into the environment: `SQS_MESSAGE_BODY`, `SQS_QUEUE_URL` and `SQS_RECEIPT_HANDLE`."""

    body: str
    queue_url: str = ""
    receipt: str = ""

    @property
    def job_id(self) -> str:
        """`job_id` of the body, which is JSON. Raises UserMistake("bad_setting") for one that names no job."""
        try:
            told: Any = json.loads(self.body)
        except ValueError:
            told = None
        job_id = told.get("job_id") if isinstance(told, dict) else None
        if not isinstance(job_id, str) or not job_id:
            raise UserMistake("bad_setting", name="SQS_MESSAGE_BODY", sentence="is no JSON object that names a job_id")
        return job_id

    @property
    def is_to_be_taken_off(self) -> bool:
        """Whether it is known where it lies."""
        return bool(self.queue_url and self.receipt)
