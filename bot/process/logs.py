"""Structured logs: one JSON object a line (or plain lines on a terminal), every one masked."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import orjson

from bot.masking import Masker, MaskingFilter

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`{"at", "level", "logger", "message", …extra, "traceback"?}`."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        masked = self._masker.mask_value(line)
        return orjson.dumps(masked, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class PlainFormatter(logging.Formatter):
    """`12:00:01 INFO  shipmate.worker  job ended  job=dep_… state=COMPLETED`."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extra = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in _STANDARD)
        line = f"{at} {record.levelname:<7} {record.name}  {record.getMessage()}  {extra}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._masker.mask(line)


def set_up(masker: Masker, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all logs to `stream` (stderr), as JSON unless it is a terminal."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.addFilter(MaskingFilter(masker))
    handler.setFormatter(PlainFormatter(masker) if out.isatty() else JsonFormatter(masker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
