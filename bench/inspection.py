"""How right and how quick inspection is, beside @vercel/fs-detectors and @netlify/build-info.

Run: python -m bench.inspection [--rounds 7]. Both are installed from npm into a cache folder. The peers know JavaScript
frameworks (Vercel's a few more) and answer fewer fields, so each is scored on the fields it answers, over all samples
and over those in JavaScript. All three inspect the same folders on disk, the fastest of several rounds counting. The
second table is what inspection takes when a tree of 1,000 files has been read already.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figure import Figure, at_most, none, under
from bench.inspection_calls import calls_taken
from bench.report import main
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import Inspection
from bot.inspect.tree import FolderTree, ListingTree
from tests.inspect.samples import SAMPLES
from tests.inspect.scoring import prediction, public_samples, wrong_fields

BENCH = "inspection"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shipmate" / "bench-inspect"
PEERS = {
    "vercel": ("@vercel/frameworks@3.34.0", "@vercel/fs-detectors@7.7.3"),
    "netlify": ("@netlify/build-info@10.5.1",),
}
FIELDS = {"vercel": ("framework",), "netlify": ("framework", "package_manager", "static")}
SCORED = ("language", "framework", "package_manager", "runtime", "start", "port", "dockerfile", "static", "apps")
BUDGET_MS = 50.0
# The peers' names for what the samples call otherwise.
_SAME = {"next": "nextjs", "nuxt3": "nuxt", "sveltekit-1": "sveltekit", "svelte-kit": "sveltekit", "gradio": "gradio"}
_JAVASCRIPT = frozenset({"javascript", "typescript"})


@dataclass
class Answers:
    """One program's answers to all samples, in their order, and the milliseconds each took."""

    found: list[dict[str, Any]]
    milliseconds: list[float]


def measure(arguments: list[str]) -> list[Figure]:
    """Time for 1,000 files that were read already, samples answered wrong, and API calls; the peers in the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=7)
    given = asked.parse_args(arguments)
    samples = public_samples()
    with tempfile.TemporaryDirectory(prefix="shipmate-bench-") as place:
        folders = [_written(sample, Path(place) / sample["name"]) for sample in samples]
        answers = {"shipmate": _ours(folders, given.rounds)}
        answers |= {peer: _peer(peer, folders, given.rounds) for peer in PEERS if _install()}
    _print_peers(samples, answers)
    large_ms = _print_large(given.rounds)
    wrong = sum(
        bool(wrong_fields(s["expect"], found)) for s, found in zip(samples, answers["shipmate"].found, strict=True)
    )
    ordinary, most = asyncio.run(calls_taken(samples))
    return [
        at_most(BENCH, "API calls of an ordinary repository", ordinary, "calls", "limit", 3, most=1),
        at_most(BENCH, "API calls of a monorepo or a cut tree", most, "calls", "limit", 60, most=1),
        under(BENCH, "1,000 files that were read already", large_ms, "ms", BUDGET_MS),
        none(BENCH, f"wrong of {len(samples)} public samples", wrong, "samples"),
    ]


def _written(sample: dict[str, Any], folder: Path) -> Path:
    for path in sample["paths"]:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sample["files"].get(path, ""), encoding="utf-8")
    return folder


def _fastest(work: Callable[[], Inspection], rounds: int) -> tuple[Inspection, float]:
    fastest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        answer = work()
        fastest = min(fastest, (time.perf_counter() - start) * 1000)
    return answer, fastest


def _ours(folders: Sequence[Path], rounds: int) -> Answers:
    found, times = [], []
    for folder in folders:
        inspection, fastest = _fastest(lambda folder=folder: inspect_tree(FolderTree(folder)), rounds)  # type: ignore[misc]
        found.append(prediction({"name": folder.name, **inspection.to_json()}))
        times.append(fastest)
    return Answers(found, times)


def _install() -> bool:
    """Have the peers in the cache folder; False, said once, where npm is missing."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        print("npm is missing, so the peers are not measured")
        return False
    if all((CACHE / "node_modules" / p.rpartition("@")[0]).is_dir() for names in PEERS.values() for p in names):
        return True
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    packages = [package for names in PEERS.values() for package in names]
    return subprocess.run(["npm", "install", "--silent", *packages], cwd=CACHE, check=False).returncode == 0


def _peer(peer: str, folders: Sequence[Path], rounds: int) -> Answers:
    script = str(Path(__file__).with_name("inspect_peers.mjs"))
    words = ["node", script, peer, str(rounds), *map(str, folders)]
    done = subprocess.run(words, cwd=CACHE, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return Answers([_translated(row) for row in rows], [row["ms"] for row in rows])


def _translated(row: dict[str, Any]) -> dict[str, Any]:
    blank = dict.fromkeys(("language", "runtime_version", "start_command", "port", "dockerfile", "package_manager"))
    framework = row.get("framework") or ""
    return {**blank, "static_output": None, "apps": [], **row, "framework": _SAME.get(framework, framework) or None}


def _asked(expected: dict[str, Any], field: str) -> bool:
    """Whether a sample says anything of a field that is only scored where it does."""
    names = {"runtime": "runtime_version_major", "package_manager": "package_manager", "port": "port"}
    return field not in names or bool(expected[names[field]])


def _right(
    samples: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]], fields: Sequence[str]
) -> tuple[int, int]:
    right = asked = 0
    for sample, answer in zip(samples, found, strict=True):
        wrong = wrong_fields(sample["expect"], answer)
        for field in fields:
            if _asked(sample["expect"], field):
                asked += 1
                right += field not in wrong
    return right, asked


def _print_peers(samples: Sequence[dict[str, Any]], answers: dict[str, Answers]) -> None:
    chosen = [
        n
        for n, s in enumerate(samples)
        if _JAVASCRIPT & set(s["expect"].get("language_any") or [s["expect"]["language"]])
    ]
    print(f"{'':10} {'fields':32} {'all samples':>12} {'JavaScript':>12} {'median ms':>10} {'times ours':>11}")
    ours = answers["shipmate"]
    for name, answer in answers.items():
        for fields in {FIELDS.get(name, SCORED), FIELDS.get(name, FIELDS["netlify"])}:
            everywhere = _right(samples, answer.found, fields)
            script = _right([samples[n] for n in chosen], [answer.found[n] for n in chosen], fields)
            median, base = (sorted(a.milliseconds)[len(a.milliseconds) // 2] for a in (answer, ours))
            shown = ", ".join(fields) if len(fields) < 5 else "all nine"
            counts = f"{everywhere[0]}/{everywhere[1]:<6} {script[0]:>9}/{script[1]}"
            print(f"{name:10} {shown:32} {counts:>25} {median:>9.2f} {median / base:>10.2f}x")


def _large_tree(files: int) -> ListingTree:
    """A monorepo of one application per kind of sample, filled up with sources to a number of files."""
    names = ("nextjs", "fastapi", "gin", "spring-boot", "rails", "laravel", "axum", "phoenix", "vite", "express")
    content = {f"apps/{name}/{path}": text for name in names for path, text in SAMPLES[name].files.items()}
    count = files - len(content)
    sources = [f"apps/{names[n % len(names)]}/src/part{n % 37}/module{n}.ts" for n in range(count)]
    return ListingTree(sources, content)


def _print_large(rounds: int) -> float:
    """Print the table; answers the milliseconds of 1,000 files."""
    print(f"\n{'files read already':>20} {'ms':>8} {'budget':>8}")
    answers = {}
    for files in (100, 1_000, 5_000):
        tree = _large_tree(files)
        inspection, answers[files] = _fastest(lambda tree=tree: inspect_tree(tree), rounds)  # type: ignore[misc]
        budget = f"{BUDGET_MS:.0f} ms" if files == 1_000 else ""
        print(f"{files:>20,} {answers[files]:>8.1f} {budget:>8}   {len(inspection.apps)} applications")
    return answers[1_000]


if __name__ == "__main__":
    main(measure)
