"""The shell: one command a purpose. Exit 0 done, 1 the work failed, 2 bad usage or bad input."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import messages
from bot.config import Settings, from_environment, way_out
from bot.errors import ShipmateError, UserMistake, told_by

if TYPE_CHECKING:
    from bot.masking import Masker

DONE, FAILED, BAD_INPUT = 0, 1, 2
_APART = ("audit", "aws", "connections", "deliveries", "keys", "register", "secrets")
"""Commands with a module of their own in `bot.shell`, loaded once one is asked for."""


class Shell(click.Group):
    """Known failures become one sentence; nothing a person does shows a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *_APART])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _APART:
            return super().get_command(context, name)
        command: click.Command = getattr(importlib.import_module(f"bot.shell.{name}"), name)
        return command

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ShipmateError as error:
            click.echo(f"Error: {messages.failure('en', error.code, error.facts)}", err=True)
            return context.exit(BAD_INPUT if isinstance(error, UserMistake) else FAILED)
        except OSError as error:
            click.echo(f"Error: {told_by(error)}", err=True)
            return context.exit(FAILED)


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shipmate", prog_name="shipmate")
def cli() -> None:
    """Shipmate: a GitHub App you talk to. It builds, ships blue/green, and answers where it was asked."""


# --- servers --------------------------------------------------------------------------------------------------------


@cli.command()
def serve() -> None:
    """Web and worker in one process."""
    _server(serves=True, works=True)


@cli.command()
def web() -> None:
    """Only receive and show; a worker does the work."""
    _server(serves=True, works=False)


@cli.command()
def worker() -> None:
    """Only work."""
    _server(serves=False, works=True)


@cli.command("run-job")
@click.argument("job_id", envvar="SHIPMATE_JOB_ID", required=False)
@click.option("--message", envvar="SQS_MESSAGE_BODY", help="In place of the id: a queue's message that names it.")
@click.option("--queue", envvar="SQS_QUEUE_URL", default="", help="Where that message lies until the job is completed.")
@click.option("--receipt", envvar="SQS_RECEIPT_HANDLE", default="", help="The handle it was received with.")
def run_job(job_id: str | None, message: str | None, queue: str, receipt: str) -> None:
    """Run one waiting job to its end. Exits with 0 when it was completed, else with 1."""
    import asyncio

    from bot.app import run_asked_job, run_one_job
    from bot.process.queued import Message

    if not job_id and not message:
        raise click.UsageError("Name the job, or set SHIPMATE_JOB_ID or SQS_MESSAGE_BODY.")
    settings, masker = _settings_and_logs()
    if job_id:
        state = asyncio.run(run_one_job(settings, masker, job_id))
    else:
        state = asyncio.run(run_asked_job(settings, masker, Message(message or "", queue, receipt)))
    click.echo(state)
    sys.exit(DONE if state == "COMPLETED" else FAILED)


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def router(arguments: tuple[str, ...]) -> None:
    """The embedded traffic router. A process of its own; `serve` starts it. See `shipmate router --help`."""
    from bot.engines.router.settings import to_arguments
    from bot.engines.router.supervisor import main as run

    given = list(arguments) or to_arguments(from_environment().router)
    sys.exit(run(given))


def _server(*, serves: bool, works: bool) -> None:
    from bot.app import run

    settings, masker = _settings_and_logs()

    def ready(address: str) -> None:
        click.echo(f"shipmate is ready{': ' + address if address else ''}", err=True)

    sys.exit(_run_fast(run(settings, masker, serves=serves, works=works, ready=ready)))


def _settings_and_logs() -> tuple[Settings, Masker]:
    from bot.masking import Masker
    from bot.process import logs

    masker = Masker()
    logs.set_up(masker)
    return from_environment(), masker


def _run_fast(main: Coroutine[Any, Any, int]) -> int:
    """On uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        import asyncio

        return asyncio.run(main)
    return uvloop.run(main)


# --- trying it out --------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--once", is_flag=True, help="Run the main job, print the summary, and exit 0 or 1.")
@click.option("--engine", type=click.Choice(["auto", "docker", "process"]), default="auto", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The server's port; 0 is any free one.")
def demo(once: bool, engine: str, port: int) -> None:
    """The main job on a simulated GitHub and Slack. No account, no key."""
    from bot.demo.show import run_demo

    sys.exit(_run_fast(run_demo(once=once, engine=engine, port=port)))


@cli.command()
@click.option("--github-port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option("--slack-port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option("--webhook-url", help="Where webhooks are delivered; it can be set later over the control API.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the app's key and the repositories here.",
)
def sandbox(github_port: int, slack_port: int, webhook_url: str | None, state_dir: Path | None) -> None:
    """The simulated GitHub and Slack alone. They have a control API (docs/sandbox.md)."""
    import asyncio

    from bot.sandbox.sandbox import run_sandbox

    asyncio.run(run_sandbox(github_port, slack_port, webhook_url, state_dir))


# --- looking after it -----------------------------------------------------------------------------------------------


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
def doctor(as_json: bool) -> None:
    """Check the settings and what they lead to, and say what to do."""
    import asyncio
    import json

    from bot.shell.doctor import examine

    findings = asyncio.run(examine())
    if as_json:
        click.echo(json.dumps([finding.to_json() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{'✓' if finding.well else '✗'} {finding.name}: {finding.sentence}")
    sys.exit(DONE if all(finding.well for finding in findings) else FAILED)


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    from storage.engine.migrations import migrate as run

    applied = run(from_environment().database_url)
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


# --- knowing a repository -------------------------------------------------------------------------------------------


@cli.command()
@click.argument("target", required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
@click.option("--write", is_flag=True, help="Write Dockerfile, .dockerignore and .shipmate.yml where there are none.")
@click.option("--listing", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Inspect listed trees.")
def inspect(target: str | None, as_json: bool, write: bool, listing: Path | None) -> None:
    """Say what each application of a repository is, with the why. TARGET is a folder or the URL of a repository."""
    from bot.inspect.shell import run_inspect, run_listing
    from bot.shell.ending import end_orderly

    end_orderly()
    if (target is None) == (listing is None):
        raise click.UsageError("Give a folder or a URL, or --listing FILE.")
    if listing is not None:
        sys.exit(run_listing(listing, sys.stdout))
    sys.exit(run_inspect(str(target), as_json=as_json, write=write, out=sys.stdout, err=sys.stderr))


@cli.command()
@click.argument("target")
@click.argument("more", nargs=-1)
@click.option("--ref", default="HEAD", show_default=True, help="The commit to look at.")
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
@click.option("--csv", "csv_path", type=click.Path(dir_okay=False, path_type=Path), help="Also write a CSV file.")
@click.option("--html", "html_path", type=click.Path(dir_okay=False, path_type=Path), help="Also write one HTML page.")
@click.option("--all-files", is_flag=True, help="Leave out nothing: vendored, generated and lock files count too.")
@click.option("--per-file", is_flag=True, help="With --json: each file's lines by author.")
@click.option("--since", metavar="DATE", help="Count commits from this day on (ISO 8601, UTC).")
@click.option("--until", metavar="DATE", help="Count commits before this day.")
@click.option("--author", "authors", multiple=True, metavar="NAME", help="Show this author only; may be repeated.")
@click.option("--without-bots", is_flag=True, help="Leave bots out.")
@click.option("--merges", is_flag=True, help="Count what merge commits changed too.")
@click.option("--co-authors", is_flag=True, help="Also show who is named in Co-authored-by.")
@click.option("--ignore-revs", is_flag=True, help="Look through the commits in .git-blame-ignore-revs.")
@click.option("--token", envvar="GITHUB_TOKEN", hidden=True)
@click.option("--github-url", envvar="GITHUB_URL", default="https://github.com", hidden=True)
def analyze(target: str, more: tuple[str, ...], token: str | None, github_url: str, **options: Any) -> None:
    """Say who wrote what is there now, exactly. TARGET is a folder or the URL of a repository; of several, the sum.

    Private repositories at GitHub are cloned with the token in GITHUB_TOKEN.
    """
    from bot.jobs.analysis.faces.shell import Access, run_analyze
    from bot.shell.ending import end_orderly

    end_orderly()
    access = Access(github_url, token, way_out())
    sys.exit(run_analyze(target, *more, out=sys.stdout, err=sys.stderr, access=access, **options))


def main() -> None:
    """The program `shipmate`. What is no terminal is given UTF-8, and no sign that a terminal lacks costs an answer."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        cli(prog_name="shipmate")
        return
    except SystemExit as end:
        unwritten = _unwritten()
        if unwritten is None or end.code:
            raise
        fault = unwritten
    except OSError as error:  # of the shell's own answers, such as its help
        fault = error
        _unwritten()
    click.echo(f"Error: {told_by(fault)}", err=True)
    sys.exit(FAILED)


def _unwritten() -> OSError | None:
    """Write what waits to be written, and answer why it cannot be; then nobody tries again, in words of their own."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
