"""The shell face: `shipmate analyze PATH|URL`. Progress goes to `err`, the answer to `out`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from bot.errors import Refused, ShipmateError, UserMistake, told_by
from bot.jobs.analysis.progress import Listener
from bot.jobs.analysis.repositories.addresses import check_address, is_url
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into
from bot.jobs.analysis.repositories.naming import names_of
from bot.jobs.analysis.request import AnalysisRequest, Window
from bot.jobs.analysis.runs.run import analyse_here
from bot.jobs.analysis.sentences import explain

if TYPE_CHECKING:
    from bot.jobs.analysis.reports.report import Report

DONE, FAILED, BAD_INPUT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Access:
    """A token of the person's own, if they gave one, and the one server it is for: it goes nowhere else.

    `way_out` is what git needs of their environment to leave through a proxy.
    """

    server: str
    token: str | None = field(repr=False)
    way_out: Mapping[str, str] = field(default_factory=dict, repr=False)

    def token_for(self, url: str) -> str | None:
        """The token, where the address is on that server over https."""
        ours, theirs = urlsplit(self.server), urlsplit(url)
        is_ours = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc.rpartition("@")[2])
        return self.token if is_ours else None


def run_analyze(
    target: str,
    *more: str,
    out: TextIO,
    err: TextIO,
    ref: str = "HEAD",
    as_json: bool = False,
    csv_path: Path | None = None,
    html_path: Path | None = None,
    per_file: bool = False,
    all_files: bool = False,
    since: str | None = None,
    until: str | None = None,
    authors: tuple[str, ...] = (),
    without_bots: bool = False,
    merges: bool = False,
    co_authors: bool = False,
    ignore_revs: bool = False,
    access: Access | None = None,
) -> int:
    """Analyse a folder or a URL and show the report; `as_json` prints the published JSON alone. With `more` of them,
    their sum is shown; one of them that cannot be analysed costs the others nothing.

    Dates are ISO 8601 (`2026-01-31`, or with a time; UTC unless they say otherwise). Returns the exit code: 0 done,
    1 the work failed, 2 bad usage or bad input.
    """
    try:
        for path in (csv_path, html_path):
            _check_place(path)
        request = AnalysisRequest(
            Path(target),
            ref=ref,
            per_file=per_file,
            all_files=all_files,
            window=Window(_seconds(since), _seconds(until)),
            authors=authors,
            without_bots=without_bots,
            merges=merges,
            co_authors=co_authors,
            ignore_revs=ignore_revs,
            days=html_path is not None and not (more or since or until),  # the page draws who committed when
        )
        with _progress(err) as listener:
            reports, failed = _analyse_all(names_of([target, *more]), request, listener, access)
        if not reports:
            return _told(failed, err)
        from bot.jobs.analysis.faces.answers import (  # its imports take longer than a small run needs to begin
            Found,
            show,
            write,
        )
        from bot.jobs.analysis.skipped import skip

        found = Found(reports, skip(failed))
        show(found, out, as_json=as_json)
        write(found, csv_path, html_path)
    except ShipmateError as error:
        return _told({"": error}, err)
    except OSError as error:
        err.write(f"The report could not be written: {told_by(error)}\n")
        return FAILED
    return FAILED if _told(failed, err) else DONE


def _told(failed: Mapping[str, ShipmateError], err: TextIO) -> int:
    """Say what went wrong, with the name where there are several; the exit code where that is all there is."""
    for name, error in failed.items():
        err.write(f"{name}: {explain(error)}\n" if name else f"{explain(error)}\n")
    if not failed:
        return DONE
    return BAD_INPUT if all(isinstance(error, UserMistake | Refused) for error in failed.values()) else FAILED


def _analyse_all(
    named: Mapping[str, str], request: AnalysisRequest, listener: Listener, access: Access | None
) -> tuple[list[Report], dict[str, ShipmateError]]:
    """Each repository's report, and by name what went wrong with others. Raises what went wrong with a single one."""
    reports, failed = [], {}
    for target, name in named.items():
        try:
            reports.append(_analyse(target, name, request, listener, access))
        except ShipmateError as error:
            if len(named) == 1:
                raise
            failed[name] = error
    return reports, failed


def _analyse(target: str, name: str, request: AnalysisRequest, listener: Listener, access: Access | None) -> Report:
    """Analyse where the repository is, or a clone that is removed afterwards."""
    asked = replace(request, repository=Path(target), name=name)
    if not is_url(target):
        return analyse_here(asked, listener)
    with tempfile.TemporaryDirectory(prefix="shipmate-") as folder:
        repository = Path(folder) / "clone.git"
        address = check_address(target, allow_local=True, way_out=access.way_out if access else {})
        token = access.token_for(target) if access else None
        local = fetch_into(repository, address, asked.ref, Children(), token=token)
        report = analyse_here(asked.at(repository, local), listener)
        return replace(report, ref=asked.ref)


def _progress(err: TextIO) -> AbstractContextManager[Listener]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not err.isatty():
        return nullcontext(lambda _: None)
    from bot.jobs.analysis.faces.progressbar import (
        progress_bar,  # rich takes longer to import than a small run to finish
    )

    return progress_bar(err)


def _check_place(path: Path | None) -> None:
    """Look before the work whether a file can be written. Raises UserMistake where it cannot."""
    if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserMistake("cannot_write", path=str(path))


def _seconds(given: str | None) -> int | None:
    """A date or time as seconds since 1970. Raises UserMistake for anything else."""
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise UserMistake("bad_date", given=given) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
