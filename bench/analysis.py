"""How quick contribution analysis is beside git-fame and `git log --numstat`, its memory, and one-commit pushes.

Run: python -m bench.analysis [REPOSITORY …] [--rounds 3]. It takes any repositories; without one it generates histories
of three sizes (flask's, aiohttp's and mypy's: commits and lines). git-fame is installed beside it, in a cache folder.
All programs run in turns in one go, and medians are compared, so that a busy machine hits all of them alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.figure import CannotMeasure, Figure, quicker
from bench.generated_histories import SIZES, VERSION, Size, generate
from bench.report import main
from bot.jobs.analysis.progress import Progress, Stage
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.run import analyse_here

ROOT = Path(__file__).resolve().parent.parent
BENCH = "analysis"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shipmate" / "bench"
GIT_FAME = "git-fame==4.2.1"
SAMPLE_S = 0.01
BLAME = "blame and series"
NUMSTAT = "git log --numstat"
MOST_OF_NUMSTAT = 0.75


@dataclass
class Subject:
    """One repository and what was measured on it, in seconds."""

    name: str
    bare: Path
    checkout: Path
    factor: float | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory_mib: float = 0.0

    def median(self, program: str) -> float | None:
        """The median time of a program, or None if it was not run."""
        times = self.seconds.get(program)
        return statistics.median(times) if times else None


def measure(arguments: list[str]) -> list[Figure]:
    """How many times quicker than git-fame, for the sizes that have a goal; a table tells the rest."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("repositories", nargs="*", type=Path)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--pushes", type=int, default=9, help="one-commit pushes to a resident worker")
    asked.add_argument("--without-git-fame", action="store_true")
    given = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="shipmate-bench-") as folder:
        subjects = [_given(path, Path(folder)) for path in given.repositories] or [
            _generated(size, Path(folder)) for size in SIZES
        ]
        fame = None if given.without_git_fame else _install_git_fame()
        for subject in subjects:
            _measure(subject, given.rounds, fame)
        pushes = {subject.name: _pushes(subject, given.pushes) for subject in subjects}
    _print(subjects, pushes)
    figures = (figure for subject in subjects for figure in _figures(subject))
    return [figure for figure in figures if figure]


def _figures(subject: Subject) -> tuple[Figure | None, ...]:
    return (
        _beside_git_fame(subject, "shipmate", "the whole report"),
        _beside_git_fame(subject, BLAME, BLAME),
        _beside_numstat(subject),
    )


def _beside_numstat(subject: Subject) -> Figure | None:
    ours_s, theirs_s, ratio = subject.median(BLAME), subject.median(NUMSTAT), _ratio(subject, NUMSTAT, BLAME)
    if not (ours_s and theirs_s):
        return None
    what = f"blame and series, {subject.name}"
    return quicker(BENCH, what, ours_s, NUMSTAT, theirs_s, least=1 / MOST_OF_NUMSTAT, ratio=ratio)


def _beside_git_fame(subject: Subject, program: str, said: str) -> Figure | None:
    ours_s, theirs_s = subject.median(program), subject.median("git-fame")
    if not (subject.factor and ours_s and theirs_s):
        return None
    ratio = _ratio(subject, "git-fame", program)
    return quicker(BENCH, f"{said}, {subject.name}", ours_s, "git-fame", theirs_s, least=subject.factor, ratio=ratio)


def _measure(subject: Subject, rounds: int, fame: Path | None) -> None:
    programs = {"shipmate": _ours(subject), BLAME: _blame(subject), NUMSTAT: _numstat(subject)}
    if fame:
        programs["git-fame"] = [str(fame), "--silent-progress", "--format=json", str(subject.checkout)]
    for turn in range(rounds):
        for name, command in programs.items():
            print(f"{subject.name}: {name}, {turn + 1} of {rounds}", file=sys.stderr)
            subject.seconds.setdefault(name, []).append(_time(command))
    subject.memory_mib = _peak_memory_mib(programs["shipmate"])


def _ours(subject: Subject) -> list[str]:
    return [sys.executable, "-m", "bot", "analyze", str(subject.bare), "--json", "--all-files"]


def _blame(subject: Subject) -> list[str]:
    """The same up to where every line has its commit and every week its figures: no report is made of them."""
    program = (
        "import os, sys; from pathlib import Path; from bot.jobs.analysis.progress import Stage; "
        "from bot.jobs.analysis.request import AnalysisRequest; from bot.jobs.analysis.runs.run import analyse_here; "
        "analyse_here(AnalysisRequest(Path(sys.argv[1]), all_files=True, oracle_files=0, frameworks=False), "
        "lambda progress: os._exit(0) if progress.stage is Stage.REPORTING else None, None, None)"
    )
    return [sys.executable, "-c", program, str(subject.bare)]


def _numstat(subject: Subject) -> list[str]:
    return ["git", "-C", str(subject.bare), "log", "--numstat", "--format=%H"]


def _time(command: Sequence[str]) -> float:
    """Wall-clock seconds of a program whose output nobody reads."""
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _peak_memory_mib(command: Sequence[str]) -> float:
    """The largest sum of resident memory of a program and all its children, shared pages counted once each (PSS)."""
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    done = threading.Event()
    peaks = [0.0]

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            peaks.append(sum(_pss_mib(process) for process in _family(child.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    child.wait()
    done.set()
    watcher.join()
    return max(peaks)


def _family(root: int, program: str = "") -> Iterator[int]:
    """A process and everything below it, as long as they live.

    A child that has not begun its own program yet still shows all its parent's memory, and is not counted twice.
    """
    try:
        running = os.readlink(f"/proc/{root}/exe")
    except OSError:
        return
    if running == program:
        return
    yield root
    with suppress(OSError):  # it has ended meanwhile, or a thread of it
        for thread in os.listdir(f"/proc/{root}/task"):
            for process in Path(f"/proc/{root}/task/{thread}/children").read_text().split():
                yield from _family(int(process), running)


def _pss_mib(process: int) -> float:
    try:
        rolled = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in rolled.splitlines() if line.startswith("Pss:")), 0.0)


def _pushes(subject: Subject, count: int) -> tuple[float, float]:
    """Medians in milliseconds of one-commit pushes in a resident worker: blame and series, and the whole report."""
    told = subprocess.run(
        ["git", "-C", str(subject.bare), "rev-list", "--first-parent", f"-{count + 1}", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    commits = told.stdout.split()[::-1]
    states = States(subject.bare.parent / "states")
    updates, wholes = [], []
    for number, commit in enumerate(commits):
        subprocess.run(["git", "-C", str(subject.bare), "update-ref", "refs/heads/bench", commit], check=True)
        marks: dict[Stage, float] = {}

        def listen(progress: Progress, marks: dict[Stage, float] = marks) -> None:
            marks.setdefault(progress.stage, time.perf_counter())

        request = AnalysisRequest(subject.bare, ref="bench", oracle_files=0, frameworks=False)
        started = time.perf_counter()
        analyse_here(request, listen, None, states)
        if number:
            wholes.append(time.perf_counter() - started)
            updates.append(marks[Stage.REPORTING] - started)
    return statistics.median(updates) * 1000, statistics.median(wholes) * 1000


def _print(subjects: Sequence[Subject], pushes: dict[str, tuple[float, float]]) -> None:
    row = "{:<16}{:>10}{:>10}{:>9}{:>10}{:>10}{:>9}{:>9}{:>10}{:>10}".format
    print(row("", "shipmate", "git-fame", "ratio", "blame", "numstat", "ratio", "MiB", "push ms", "+ report"))
    for subject in subjects:
        update, whole = pushes[subject.name]
        print(
            row(
                subject.name[:15],
                _text(subject.median("shipmate"), "{:.2f} s"),
                _text(subject.median("git-fame"), "{:.2f} s"),
                _text(_ratio(subject, "git-fame"), "{:.1f}x"),
                _text(subject.median(BLAME), "{:.2f} s"),
                _text(subject.median(NUMSTAT), "{:.2f} s"),
                _text(1 / (_ratio(subject, NUMSTAT, BLAME) or 1), "{:.2f}"),
                f"{subject.memory_mib:.0f}",
                f"{update:.0f}",
                f"{whole:.0f}",
            )
        )


def _ratio(subject: Subject, other: str, ours: str = "shipmate") -> float | None:
    """The median of the other program's time over ours, turn by turn."""
    theirs, mine = subject.seconds.get(other, []), subject.seconds[ours]
    ratios = [their / our for their, our in zip(theirs, mine, strict=bool(theirs))] if theirs else []
    return statistics.median(ratios) if ratios else None


def _text(value: float | None, shape: str) -> str:
    return "-" if value is None else shape.format(value)


def _given(path: Path, folder: Path) -> Subject:
    """A repository of the caller's: measured on clones, so that nothing in it changes."""
    name = path.resolve().parent.name if path.name in ("repo", ".git") else path.name
    return _clones(name, str(path.resolve()), folder / name)


def _generated(size: Size, folder: Path) -> Subject:
    made = CACHE / f"{size.name}-v{VERSION}.git"
    if not made.exists():
        print(f"generating {made.name}", file=sys.stderr)
        generate(size, made)
    subject = _clones(size.name, str(made), folder / size.name)
    subject.factor = size.factor
    return subject


def _clones(name: str, source: str, folder: Path) -> Subject:
    bare, checkout = folder / "bare.git", folder / "checkout"
    folder.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--bare", "--shared", source, str(bare)], check=True)
    subprocess.run(["git", "clone", "--quiet", "--shared", source, str(checkout)], check=True)
    return Subject(name, bare, checkout)


def _install_git_fame() -> Path:
    """git-fame in an environment of its own, made once. Raises CannotMeasure."""
    home = CACHE / "git-fame"
    program = home / "bin" / "git-fame"
    if not program.exists():
        venv.create(home, with_pip=True)
        try:
            subprocess.run([home / "bin" / "pip", "install", "--quiet", GIT_FAME, "setuptools<81"], check=True)
        except subprocess.CalledProcessError as error:
            raise CannotMeasure("pip could not install git-fame; --without-git-fame measures the rest") from error
    return program


if __name__ == "__main__":
    main(measure)
