"""`shipmate audit`: prove that nobody changed the audit trail, and hand it on as lines of JSON or as CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import click
import orjson

from bot import messages
from bot.audit import GENESIS, AuditRecord, Head, Verdict
from bot.cells import harmless
from bot.config import from_environment
from bot.shell.store import with_store
from bot.store.audit import Audit, AuditFilter

DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")
AT_ONCE = 1000


def _noted(_: click.Context, __: click.Parameter, given: str | None) -> Head | None:
    """`NUMBER:HASH`, as `shipmate audit verify` prints it."""
    if given is None:
        return None
    number, _colon, digest = given.partition(":")
    if not number.isdecimal() or len(digest) != len(GENESIS):
        raise click.BadParameter(f"{given!r} is not of the form NUMBER:HASH.")
    return Head(int(number), digest.lower())


@click.group()
def audit() -> None:
    """Who asked for what, and what was decided. Append-only, each record bound to the one before."""


@audit.command("verify")
@click.option("--noted", metavar="NUMBER:HASH", callback=_noted, help="What an earlier verify printed must still hold.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def verify_trail(noted: Head | None, as_json: bool) -> None:
    """Look through all records. Exits with 1, naming the first that does not hold, when one was changed or removed."""
    settings = from_environment()
    verdict = with_store(lambda opened: opened.store.audit.verify(noted))
    click.echo(json.dumps(_told(verdict), indent=2) if as_json else _sentence(verdict, settings.locale))
    sys.exit(0 if verdict.broken is None else 1)


@audit.command("export")
@click.option("--since", type=click.DateTime(DATES), help="From this day, or moment, on (UTC).")
@click.option("--until", type=click.DateTime(DATES), help="Before this day, or moment.")
@click.option("--repository", metavar="OWNER/NAME", help="Of this repository only.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
def export_trail(since: datetime | None, until: datetime | None, repository: str | None, form: str) -> None:
    """Write the records to stdout, oldest first, as they are read."""
    which = AuditFilter(repository, _utc(since), _utc(until))
    write = _write_csv if form == "csv" else _write_lines
    with_store(lambda opened: write(_pages(opened.store.audit, which)))


async def _write_lines(pages: AsyncIterator[list[AuditRecord]]) -> None:
    out = sys.stdout.buffer
    async for page in pages:
        out.writelines(orjson.dumps(record.to_json(), option=orjson.OPT_APPEND_NEWLINE) for record in page)
        out.flush()


async def _write_csv(pages: AsyncIterator[list[AuditRecord]]) -> None:
    writer = csv.writer(sys.stdout)
    is_first = True
    async for page in pages:
        for record in page:
            told = {**record.to_json(), "rules": orjson.dumps(record.entry.rules).decode()}
            if is_first:
                writer.writerow(told)
                is_first = False
            writer.writerow(harmless(value) for value in told.values())
        sys.stdout.flush()


async def _pages(trail: Audit, which: AuditFilter) -> AsyncIterator[list[AuditRecord]]:
    after = 0
    while page := await trail.page(which, after, AT_ONCE):
        yield page
        after = page[-1].number


def _told(verdict: Verdict) -> dict[str, object]:
    return {
        "records": verdict.holds_to.number,
        "newest": f"{verdict.holds_to.number}:{verdict.holds_to.hash}",
        "broken": verdict.broken,
        "why": verdict.why or None,
    }


def _sentence(verdict: Verdict, locale: str) -> str:
    if verdict.broken is not None:
        return messages.say(locale, f"audit.broken.{verdict.why}", number=verdict.broken)
    newest = f"{verdict.holds_to.number}:{verdict.holds_to.hash}"
    return messages.say(locale, "audit.holds", count=verdict.holds_to.number, newest=newest)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)
