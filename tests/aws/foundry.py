"""The harbour with CodeBuild in it: builds clone the simulated GitHub, and a stand-in for `docker` makes images.

It follows the small language of the fake engine, fails as BuildKit does, and tells the emulator what tasks of the
image do.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws.buildproject import ProjectSettings, project_name
from aws.builds import Build, look_at
from aws.clients import AwsClients
from bot.config import Settings
from bot.model import EventType
from bot.sandbox.github.simulator import GitHubSandbox
from tests.aws.emulator.handle import Emulator
from tests.aws.harbour import Harbour
from tests.world import REPO

BUILDS = {"builder": "codebuild", "codebuild": {"service_role": "arn:aws:iam::123456789012:role/codebuild"}}

_AWS = "#!/bin/sh\necho password\n"
_DOCKER = """\
#!{python}
import hashlib, json, os, sys, time, urllib.request

words = sys.argv[1:]
if words[:2] != ["buildx", "build"]:
    sys.stdin.read() if words[0] == "login" else None
    sys.exit(0)
given = dict(zip(words, words[1:]))
name, (repository, _, tag) = given["--file"], given["--tag"].rpartition(":")
lines = open(name).read().splitlines()
for number, line in enumerate(lines, 1):
    step = line.split()[1:]
    if line.startswith("RUN echo"):
        print(f"#{{number}} 0.100", *step[1:], flush=True)
    if line.startswith("RUN until"):
        while not os.path.exists(step[1]):
            time.sleep(0.05)
    if line.startswith(("RUN fail", {breaks!r})):
        why = f'process "/bin/sh -c {{" ".join(step)}}" did not complete successfully: exit code: 1'
        print(f"{{name}}:{{number}}", "-" * 20, f"   {{number}} | >>> {{line}}", "-" * 20, sep="\\n")
        print(f"ERROR: failed to solve: {{why}}", flush=True)
        sys.exit(1)
(command,) = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
does = " ".join(json.loads(command)) if command.startswith("[") else command
digest = "sha256:" + hashlib.sha256("\\n".join([tag, *lines]).encode()).hexdigest()
body = json.dumps({{f"{{repository}}@{{digest}}": does}}).encode()
told = urllib.request.Request("{emulator}/_emulator/images", data=body, method="POST")
urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(told).read()
json.dump({{"containerimage.digest": digest}}, open(given["--metadata-file"], "w"))
"""


def equip(emulator: Emulator, github: GitHubSandbox, folder: Path, breaks: str = "RUN fail") -> None:
    """Give builds their programs, which stand in `folder`, and the repository to clone."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    docker = _DOCKER.format(python=sys.executable, emulator=emulator.url, breaks=breaks)
    for name, text in (("aws", _AWS), ("docker", docker)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    emulator.has_programs(f"{programs}:/usr/local/bin:/usr/bin:/bin")
    emulator.has_source(f"{github.url}/{REPO}.git", github.hub.repository(REPO).git.path)


async def builds_of(clients: AwsClients, owner: str) -> list[Build]:
    """Every build of the repository in this installation's project, oldest first."""
    names = (await clients.call("codebuild", "ListProjects"))["projects"]
    project = project_name(ProjectSettings("role"), owner, REPO)
    if project not in names:
        return []
    ids = (await clients.call("codebuild", "ListBuildsForProject", projectName=project))["ids"]
    return await look_at(clients, ids[::-1])


class Foundry(Harbour):
    """A harbour whose images CodeBuild makes."""

    stage_limit_s = 600.0

    @property
    def owner(self) -> str:
        """Each harbour's own: a project builds one repository at one address, and that differs from test to test."""
        return self.network.name

    async def found(self, **settings: Any) -> None:
        """From now on production is on ECS and built by CodeBuild; what there is is built and goes there."""
        self.equip()
        await self.sail(**{**settings, "ecs": {**BUILDS, **settings.get("ecs", {})}})

    def equip(self, breaks: str = "RUN fail") -> None:
        """Give builds their programs, and the repository to clone. A line that begins with `breaks` fails."""
        equip(self.emulator, self.github, self.folder, breaks)

    def settings(self) -> Settings:
        """The world's, with this harbour's limit of a stage."""
        return replace(super().settings(), stage_limit_s=self.stage_limit_s)

    async def builds(self) -> list[Build]:
        """Every build of the repository, oldest first."""
        return await builds_of(self.clients, self.owner)

    async def lines(self) -> list[str]:
        """What the newest job's commands wrote in its build, as its log has it."""
        job = (await self.jobs())[-1]
        events = await self.store.jobs.events(job.id)
        written = [line for event in events if event.type is EventType.LOG_WRITTEN for line in event.details["lines"]]
        return [line for line in written if line.startswith("#")]
