"""Images are built on CodeBuild: one build a job at its very commit, told as it runs, stopped when nobody wants it."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import builds
from aws.buildproject import project_name, settings_of
from aws.clients import AwsClients
from aws.codebuild import CodeBuild
from bot.errors import Permanent, ShipmateError, Transient
from bot.inspect.buildspec import buildspec
from bot.inspect.model import AppPlan
from bot.ports.images import BuildNews, BuildPhase, LogSink, RemoteOrder
from bot.ports.rollouts import Pace
from tests.aws.emulator.handle import Emulator
from tests.patience import ENOUGH_S

ROLE = "arn:aws:iam::123456789012:role/codebuild"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/api"
DIGEST = "sha256:" + "ab" * 32
QUICK = Pace(first_s=0.05, longest_s=0.1)
SETTINGS = {"service_role": ROLE}


async def ready(repository: str, log: LogSink) -> str:
    """The image's repository is there."""
    return IMAGE


def spec(**phases: Any) -> str:
    """A buildspec of these phases; lists are commands."""
    told = {name: {"commands": given} if isinstance(given, list) else given for name, given in phases.items()}
    env = {"shell": "bash", "exported-variables": ["IMAGE_DIGEST"]}
    return yaml.safe_dump({"version": 0.2, "env": env, "phases": told}, sort_keys=False)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it; a test that waits in vain fails."""
    async with asyncio.timeout(ENOUGH_S):
        for _ in itertools.count():
            if holds():
                return
            await asyncio.sleep(0.02)


@dataclass
class Told:
    """Keeps what it is told, and how far that goes, as a store does in one step."""

    lines: list[str] = field(default_factory=list)
    phases: list[BuildPhase] = field(default_factory=list)
    mark: dict[str, Any] = field(default_factory=dict)
    dies_after: int | None = None

    async def __call__(self, news: BuildNews) -> None:
        self.lines += news.lines
        self.phases += news.phases
        self.mark = dict(news.mark)
        if self.dies_after is not None and len(self.lines) >= self.dies_after:
            raise Transient("worker_died")

    @property
    def said(self) -> list[str]:
        """What the commands wrote."""
        return [line for line in self.lines if not line.startswith("[Container] ")]

    async def hears(self, line: str) -> None:
        """Until a command wrote this."""
        await until(lambda: line in self.lines)


@dataclass
class Yard:
    """A repository with two commits, and CodeBuild to build it."""

    clients: AwsClients
    emulator: Emulator
    folder: Path
    name: str
    shas: list[str]
    codebuild: CodeBuild

    def order(self, buildspec: str, **other: Any) -> RemoteOrder:
        """A new job at the first commit, which is not the head."""
        job_id, source = f"dep_{uuid.uuid4().hex[:10]}", f"https://github.com/{self.name}.git"
        order = RemoteOrder(job_id, self.name, source, self.shas[0], buildspec, "acme-api", "acme-api-main-1", SETTINGS)
        return replace(order, **other)

    async def started(self) -> list[builds.Build]:
        """Every build there is of the repository."""
        project = project_name(settings_of(self.order("")), "tests", self.name)
        reply = await self.clients.call("codebuild", "ListBuildsForProject", projectName=project)
        return await builds.look_at(self.clients, reply["ids"])

    async def uri(self, order: RemoteOrder, told: Told) -> str:
        """As a worker does: what may pass is tried again, from where it was."""
        for _ in range(4):
            try:
                async with asyncio.timeout(ENOUGH_S):
                    return (await self.codebuild.build(order, told, told.mark)).uri
            except Transient:
                told.dies_after = None
        raise AssertionError("it never came to an end")


@pytest.fixture
def yard(clients: AwsClients, emulator: Emulator, tmp_path: Path) -> Yard:
    name = f"acme/api-{uuid.uuid4().hex[:8]}"
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    shas = [commit(folder, version) for version in ("one", "two")]
    emulator.has_source(f"https://github.com/{name}.git", folder)
    codebuild = CodeBuild(clients, "tests", ready, pace=QUICK, first_pause_s=0.02)
    return Yard(clients, emulator, folder, name, shas, codebuild)


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, version: str) -> str:
    (folder / "version").write_text(f"{version}\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", version)
    return git(folder, "rev-parse", "HEAD")


GOOD = spec(build=["cat version"], post_build=[f"IMAGE_DIGEST={DIGEST}"])


async def test_the_pinned_commit_is_built_and_the_image_comes_back_by_digest(yard: Yard) -> None:
    told = Told()
    assert await yard.uri(yard.order(GOOD), told) == f"{IMAGE}@{DIGEST}"
    assert told.said == ["one"]
    assert [phase.name for phase in told.phases] == [
        *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD"),
        *("BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"),
    ]
    assert all(phase.succeeded for phase in told.phases)


async def test_lines_are_told_while_the_build_still_runs(yard: Yard, tmp_path: Path) -> None:
    gate, told = tmp_path / "gate", Told()
    waits = f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; echo ended"
    building = asyncio.create_task(yard.uri(yard.order(spec(build=[waits, f"IMAGE_DIGEST={DIGEST}"])), told))
    await told.hears("begun")
    assert "ended" not in told.lines
    assert not building.done()
    gate.touch()
    assert await building == f"{IMAGE}@{DIGEST}"
    assert told.said == ["begun", "ended"]


async def test_what_the_inspector_writes_builds_and_pushes_what_it_should(yard: Yard, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    metadata = f'{{"containerimage.digest": "{DIGEST}"}}'
    program(programs / "aws", "echo password")
    program(programs / "docker", f'echo docker "$@"; [ "$2" != build ] || echo \'{metadata}\' > image.json')
    yard.emulator.has_programs(f"{programs}:/usr/local/bin:/usr/bin:/bin")
    told = Told()
    plan = AppPlan(path=".", framework="django", dockerfile="Dockerfile")
    assert await yard.uri(yard.order(buildspec(plan), about="django"), told) == f"{IMAGE}@{DIGEST}"
    assert f"docker login --username AWS --password-stdin {IMAGE.partition('/')[0]}" in told.said
    (build,) = [line for line in told.said if line.startswith("docker buildx build")]
    assert f"--tag {IMAGE}:acme-api-main-1" in build
    project = await the_project(yard)
    assert project["description"] == f"{yard.name} · django"
    assert project["environment"]["privilegedMode"] is True


def program(path: Path, does: str) -> None:
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


async def test_a_build_that_fails_says_which_phase_and_which_command(yard: Yard) -> None:
    phases = {
        "build": {"commands": ["cd /", "false", "echo never"], "finally": ["pwd"]},
        "post_build": ["echo succeeding $CODEBUILD_BUILD_SUCCEEDING in $PWD"],
    }
    told = Told()
    with pytest.raises(Permanent, match="codebuild_failed") as failed:
        await yard.codebuild.build(yard.order(spec(**phases)), told, {})
    assert failed.value.facts["phase"] == "BUILD"
    assert "false. Reason: exit status 1" in failed.value.facts["message"]
    assert told.said == ["/", "succeeding 0 in /"]


async def test_nothing_is_built_after_what_comes_before_failed(yard: Yard) -> None:
    told = Told()
    with pytest.raises(Permanent) as failed:
        await yard.codebuild.build(yard.order(spec(pre_build=["exit 7"], build=["echo built"])), told, {})
    assert failed.value.facts["phase"] == "PRE_BUILD"
    assert "exit status 7" in failed.value.facts["message"]
    assert told.said == []


async def test_a_commit_that_is_not_there_fails_in_words(yard: Yard) -> None:
    with pytest.raises(Permanent, match="codebuild_source_failed") as failed:
        await yard.codebuild.build(yard.order(GOOD, sha="f" * 40), Told(), {})
    assert failed.value.facts["phase"] == "DOWNLOAD_SOURCE"


@pytest.mark.parametrize("digest", ["", "latest"])
async def test_a_build_that_names_no_image_is_no_success(yard: Yard, digest: str) -> None:
    with pytest.raises(Permanent, match="codebuild_no_digest"):
        await yard.codebuild.build(yard.order(spec(build=[f"IMAGE_DIGEST={digest}"])), Told(), {})


CALLS = ["BatchGetProjects", "CreateProject", "ListBuildsForProject", "StartBuild", "BatchGetBuilds", "GetLogEvents"]


@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
async def test_calls_that_go_wrong_start_no_second_build_and_say_no_line_twice(yard: Yard, kind: str) -> None:
    yard.emulator.goes_wrong(*({"kind": kind, "operation": operation, "times": 2} for operation in CALLS))
    told = Told()
    assert await yard.uri(yard.order(GOOD), told) == f"{IMAGE}@{DIGEST}"
    assert [fired > 0 for fired in yard.emulator.fired()] == [True] * len(CALLS)
    assert len(await yard.started()) == 1
    assert told.said == ["one"]


async def test_a_worker_that_dies_is_followed_by_one_that_goes_on_from_there(yard: Yard) -> None:
    lines = [f"line {number}" for number in range(20_000)]
    order = yard.order(spec(build=["seq -f 'line %.0f' 0 19999", f"IMAGE_DIGEST={DIGEST}"]))
    told = Told(dies_after=3_000)
    with pytest.raises(Transient, match="worker_died"):
        await yard.codebuild.build(order, told, {})
    assert told.said == lines[: len(told.said)]
    told.dies_after = None
    assert await yard.uri(order, told) == f"{IMAGE}@{DIGEST}"
    assert told.said == lines
    assert len({phase.name for phase in told.phases}) == len(told.phases)
    assert len(await yard.started()) == 1


async def test_a_job_that_comes_back_later_than_tokens_live_finds_its_build(yard: Yard) -> None:
    order = yard.order(GOOD)
    build_id = await yard.codebuild.begin(order, IMAGE)
    yard.emulator.forgets_tokens()
    assert await yard.codebuild.begin(order, IMAGE) == build_id
    assert await yard.uri(order, Told()) == f"{IMAGE}@{DIGEST}"
    assert len(await yard.started()) == 1


async def test_however_many_others_build_meanwhile_a_jobs_build_is_found_again(yard: Yard) -> None:
    order = replace(yard.order(GOOD), asked_at_s=time.time())
    build_id = await yard.codebuild.begin(order, IMAGE)
    yard.emulator.forgets_tokens()
    yard.emulator.has_builds_of_others(250)
    assert await yard.codebuild.begin(order, IMAGE) == build_id


async def test_no_build_is_looked_for_among_those_from_before_the_job_was_asked_for(yard: Yard) -> None:
    await yard.codebuild.begin(yard.order(GOOD), IMAGE)
    yard.emulator.has_builds_of_others(250)
    yard.emulator.goes_wrong()
    await yard.codebuild.begin(replace(yard.order(GOOD), asked_at_s=time.time() + 3600), IMAGE)
    assert yard.emulator.calls().count("codebuild.ListBuildsForProject") == 1


async def test_an_account_that_takes_no_more_builds_is_asked_again_later(yard: Yard) -> None:
    yard.emulator.takes_builds(0)
    with pytest.raises(Transient, match="aws_throttled"):
        await yard.codebuild.build(yard.order(GOOD), Told(), {})
    yard.emulator.takes_builds(1)
    assert await yard.uri(yard.order(GOOD), Told()) == f"{IMAGE}@{DIGEST}"


@pytest.mark.parametrize(
    ("status", "code"),
    [("TIMED_OUT", "codebuild_timed_out"), ("FAULT", "codebuild_failed"), ("STOPPED", "codebuild_stopped")],
)
def test_each_bad_end_has_a_code_of_its_own(status: str, code: str) -> None:
    phases = [{"phaseType": "BUILD", "phaseStatus": status, "startTime": 0}]
    told = {"id": "p:1", "buildStatus": status, "buildComplete": True, "phases": phases}
    with pytest.raises(Permanent, match=code):
        builds.digest_of(builds.read(told))


def test_of_a_long_reason_the_command_and_how_it_ended_are_kept() -> None:
    reason = f"Error while executing command: cat > Dockerfile {'x' * 5000}. Reason: exit status 1"
    phase = {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"statusCode": "E", "message": reason}]}
    told = {"id": "p:1", "buildStatus": "FAILED", "buildComplete": True, "phases": [phase | {"durationInSeconds": 1}]}
    failed = builds.read(told).failed_phase
    assert failed is not None
    assert len(failed.message) < 700
    assert failed.message.startswith("E: Error while executing command: cat > Dockerfile")
    assert failed.message.endswith("Reason: exit status 1")


async def test_each_job_has_a_build_of_its_own(yard: Yard) -> None:
    await yard.uri(yard.order(GOOD), Told())
    second = Told()
    await yard.uri(yard.order(GOOD, sha=yard.shas[1]), second)
    assert second.said == ["two"]
    assert len(await yard.started()) == 2


@dataclass
class Under:
    """A build that is under way."""

    order: RemoteOrder
    following: asyncio.Task[Any]
    told: Told
    late: Path


@asynccontextmanager
async def running(yard: Yard, tmp_path: Path) -> AsyncIterator[Under]:
    """A build in the middle of a command that would take minutes, and leave a file."""
    late, told = tmp_path / "late", Told()
    order = yard.order(spec(build=["echo begun", "sleep 300", f"touch {late}"], post_build=[f"touch {late}"]))
    following = asyncio.create_task(yard.codebuild.build(order, told, {}))
    await told.hears("begun")
    yield Under(order, following, told, late)
    await yard.codebuild.stop(order)


async def given_up(following: asyncio.Task[Any]) -> None:
    """As a worker that is stopped."""
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


@pytest.mark.parametrize("kind", [None, "throttle", "reset", "cut"])
async def test_a_build_nobody_wants_any_more_is_really_stopped(yard: Yard, tmp_path: Path, kind: str | None) -> None:
    async with running(yard, tmp_path) as under:
        yard.emulator.goes_wrong(*([{"kind": kind, "operation": "StopBuild"}] if kind else []))
        await given_up(under.following)
        await yard.codebuild.stop(under.order)
        (build,) = await yard.started()
        assert (build.status, build.complete) == ("STOPPED", True)
        assert not under.late.exists()
        await yard.codebuild.stop(under.order)


async def test_a_worker_that_is_only_stopped_leaves_the_build_to_the_next(yard: Yard, tmp_path: Path) -> None:
    gate, told = tmp_path / "gate", Told()
    waits = f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; echo ended"
    order = yard.order(spec(build=[waits, f"IMAGE_DIGEST={DIGEST}"]))
    following = asyncio.create_task(yard.codebuild.build(order, told, {}))
    await told.hears("begun")
    await given_up(following)
    gate.touch()
    assert await yard.uri(order, told) == f"{IMAGE}@{DIGEST}"
    assert told.said == ["begun", "ended"]


async def test_a_build_given_up_while_it_is_asked_for_is_found_and_stopped_too(yard: Yard) -> None:
    yard.emulator.goes_wrong({"kind": "wait", "operation": "StartBuild", "wait_s": 0.5})
    order = yard.order(spec(build=["sleep 300"]))
    following = asyncio.create_task(yard.codebuild.build(order, Told(), {}))
    await until(lambda: "codebuild.StartBuild" in yard.emulator.calls())
    await given_up(following)
    await yard.codebuild.stop(order)
    assert [build.status for build in await yard.started()] == ["STOPPED"]


async def test_there_is_nothing_to_stop_where_nothing_began(yard: Yard) -> None:
    await yard.codebuild.stop(yard.order(GOOD))
    assert "codebuild.StopBuild" not in yard.emulator.calls()


async def test_a_build_that_somebody_else_stops_says_so(yard: Yard, tmp_path: Path) -> None:
    async with running(yard, tmp_path) as under:
        await yard.codebuild.stop(under.order)
        with pytest.raises(Permanent, match="codebuild_stopped"):
            await under.following


async def test_a_log_that_may_not_be_read_is_told_with_the_action_that_is_missing(yard: Yard) -> None:
    yard.emulator.goes_wrong({"kind": "deny", "operation": "GetLogEvents"})
    order = yard.order(spec(build=["sleep 300"]))
    with pytest.raises(Permanent, match="aws_denied") as denied:
        await yard.codebuild.build(order, Told(), {})
    assert denied.value.facts["action"] == "logs:GetLogEvents"
    await yard.codebuild.stop(order)


async def test_a_project_that_several_ask_for_at_once_is_one_and_bears_our_tags(yard: Yard) -> None:
    await asyncio.gather(*(yard.uri(yard.order(GOOD), Told()) for _ in range(3)))
    told = {tag["key"]: tag["value"] for tag in (await the_project(yard))["tags"]}
    assert told == {"shipmate:owner": "tests", "shipmate:repository": yard.name}
    assert len(await yard.started()) == 3


async def test_a_project_given_by_name_is_taken_as_it_is(yard: Yard) -> None:
    name = await foreign_project(yard, f"theirs-{uuid.uuid4().hex[:8]}")
    given = yard.codebuild
    yard.emulator.goes_wrong()
    assert (await given.build(yard.order(GOOD, settings={"project": name}), Told(), {})).uri == f"{IMAGE}@{DIGEST}"
    assert "codebuild.CreateProject" not in yard.emulator.calls()


@pytest.mark.parametrize("code", ["codebuild_project_missing", "codebuild_other_source", "codebuild_project_taken"])
async def test_a_project_that_is_not_the_right_one_is_left_alone(yard: Yard, code: str) -> None:
    name, order = f"theirs-{uuid.uuid4().hex[:8]}", yard.order(GOOD)
    if code == "codebuild_project_taken":
        await foreign_project(yard, project_name(settings_of(order), "tests", yard.name))
    else:
        order = replace(order, settings={"project": name})
    if code == "codebuild_other_source":
        await foreign_project(yard, name)
        order = replace(order, source="https://github.com/acme/other.git")
    yard.emulator.goes_wrong()
    with pytest.raises(ShipmateError, match=code):
        await yard.codebuild.build(order, Told(), {})
    assert not {"codebuild.CreateProject", "codebuild.StartBuild"} & set(yard.emulator.calls())


async def test_a_project_of_ours_needs_a_role_and_says_so_before_anything_is_asked(yard: Yard) -> None:
    with pytest.raises(Permanent, match="ecs_setting_missing") as missing:
        await yard.codebuild.build(yard.order(GOOD, settings={}), Told(), {})
    assert missing.value.facts["names"] == ["codebuild.service_role"]
    assert yard.emulator.calls() == []


async def foreign_project(yard: Yard, name: str) -> str:
    """A project somebody else made of the same repository."""
    await yard.clients.call(
        "codebuild",
        "CreateProject",
        name=name,
        source={"type": "GITHUB", "location": f"https://github.com/{yard.name}", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=ROLE,
    )
    yard.emulator.has_source(f"https://github.com/{yard.name}", yard.folder)
    return name


async def the_project(yard: Yard) -> dict[str, Any]:
    name = project_name(settings_of(yard.order("")), "tests", yard.name)
    (project,) = (await yard.clients.call("codebuild", "BatchGetProjects", names=[name]))["projects"]
    return dict(project)
