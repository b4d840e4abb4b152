"""How soon somebody who may not is told so: from the webhook's arrival to the answer on the pull request at GitHub.

Run: python -m bench.refused [--comments 30]. The server is a real process; GitHub is simulated in the bench's own
process, where somebody who may only read says `/deploy`. The clock starts when the webhook is sent, and ends when the
simulated GitHub has the answer. Neither a commit nor an engine is needed for it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from statistics import median, quantiles

from bench.figure import Figure, under
from bench.report import main
from bench.world import END_LIMIT_S, LOOK_S, new_folder
from bot.demo.server import Server, server_environment, serving
from bot.sandbox.github.simulator import GitHubSandbox
from bot.sandbox.sandbox import Sandbox

BENCH = "refused"
LIMIT_MS = 1000.0
COMMENTS = 30
REPOSITORY = "acme/refused"
READER = "bob"


def measure(arguments: list[str]) -> list[Figure]:
    """The median is held to the limit, and so is the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=COMMENTS)
    times_ms = asyncio.run(_times_ms(parser.parse_args(arguments).comments))
    p95_ms = quantiles(times_ms, n=20, method="inclusive")[-1]
    print(f"{len(times_ms)} comments: fastest {min(times_ms):.0f} ms, slowest {max(times_ms):.0f} ms")
    return [
        under(BENCH, "webhook to the answer, median", median(times_ms), "ms", LIMIT_MS),
        under(BENCH, "webhook to the answer, p95", p95_ms, "ms", LIMIT_MS),
    ]


async def _times_ms(comments: int) -> list[float]:
    with new_folder() as folder:
        async with Sandbox(state_dir=folder / "github") as sandbox:
            environment = server_environment(folder, sandbox, owner=folder.name)
            async with serving(environment, folder / "server.log", look_s=LOOK_S) as server:
                return await _asked(sandbox.github, server, comments)


async def _asked(github: GitHubSandbox, server: Server, comments: int) -> list[float]:
    github.limits.settings.secondary = False
    github.webhook_url = f"{server.address}/webhook/github"
    await github.create_repo(REPOSITORY, files={"README.md": "# refused\n"})
    github.set_permission(REPOSITORY, READER, "read")
    issue = await github.open_issue(REPOSITORY)
    return [await _one_ms(github, issue, count) for count in range(comments)]


async def _one_ms(github: GitHubSandbox, issue: int, before: int) -> float:
    """One refusal; `before` is how many there were already."""
    await github.comment(REPOSITORY, issue, "/deploy main", by=READER)
    sent_at = next(one for one in reversed(github.deliveries) if one.event == "issue_comment").delivered_at
    until = time.monotonic() + END_LIMIT_S
    while time.monotonic() < until:
        if len([one for one in github.comments(REPOSITORY, issue) if one.user.login != READER]) > before:
            return (time.time() - sent_at) * 1000
        await asyncio.sleep(LOOK_S)
    raise RuntimeError("the refusal was not told")


if __name__ == "__main__":
    main(measure)
