"""How long the commands of a 64 KB comment take to be read: plain prose, and what somebody hostile would write.

Run: python -m bench.parsing [--times 30]. Each comment is as long as GitHub lets one be; the median of the slowest one
is what is held to the limit.
"""

from __future__ import annotations

import argparse
import itertools
import string
import time
from collections.abc import Iterator, Mapping
from statistics import median

from bench.figure import Figure, under
from bench.report import main
from bot.commands import read_comment

BENCH = "parsing"
LIMIT_MS = 2.0
TIMES = 30
LONGEST = 65_536
"""Characters of the longest comment GitHub takes."""
_END = "\n/deploy main to production --reason because"


def measure(arguments: list[str]) -> list[Figure]:
    """Prose as people write it, and the slowest of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=TIMES)
    times = parser.parse_args(arguments).times
    medians = {name: _median_ms(body, times) for name, body in comments().items()}
    for name, took_ms in sorted(medians.items(), key=lambda one: -one[1]):
        print(f"{name:22} {took_ms:6.3f} ms")
    return [
        under(BENCH, "64 KB of prose, median", medians["prose"], "ms", LIMIT_MS),
        under(BENCH, f"the slowest of {len(medians)} hostile ones, median", max(medians.values()), "ms", LIMIT_MS),
    ]


def comments() -> Mapping[str, str]:
    """Comments of the greatest length, by what they are made of; where a command can be heard, it stands at the end."""
    many = {
        "prose": "Lorem ipsum dolor sit amet, consectetur `adipiscing` elit, sed do eiusmod.\r\n\r\n",
        "empty lines": "\n",
        "short lines": "x\n",
        "lines begun by spaces": "\n ",
        "ticks that open nothing": "``\n",
        "fences": "```\n```\n",
        "fences that stay open": "``` a\n",
        "blocks": "<pre>\n</pre>\n",
        "blocks on one line": "<pre></pre>",
        "tags without an end": "<pre ",
        "angle brackets": "<p",
        "HTML comments": "<!---->\n",
        "opened HTML comments": "<!--",
        "commands": "/deploy main to production\n",
        "mistakes": "/deplyo\n",
        "others' commands": "/cc @somebody\n",
        "mentions": "@shipmate\n",
    }
    bodies = {name: _filled(itertools.repeat(piece)) for name, piece in many.items()}
    bodies["different words"] = _filled(
        f"/{''.join(word)}\n" for word in itertools.product(string.ascii_lowercase, repeat=4)
    )
    bodies["one long word"] = "/deploy " + "a" * (LONGEST - 8)
    bodies["one long line"] = _filled(itertools.chain(["/deploy --reason "], itertools.repeat("a ")))
    bodies["a long fence"] = "`" * (LONGEST // 2) + "\n" + "`" * (LONGEST // 2 - 1)
    bodies["commands in a fence"] = "```\n" + _filled(itertools.repeat("/deploy\n"))[4:]
    return bodies


def _filled(pieces: Iterator[str]) -> str:
    """So many pieces as fit, and a command after them."""
    made: list[str] = []
    left = LONGEST - len(_END)
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        made.append(piece)
    return "".join(made) + _END


def _median_ms(body: str, times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        read_comment(body)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


if __name__ == "__main__":
    main(measure)
