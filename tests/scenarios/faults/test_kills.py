"""`kill -9` of the server and of the router while a client asks without pause: no request fails, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.hammer import hammering
from tests.real_world import REPO, Moment, RealWorld

pytestmark = pytest.mark.docker

When = Callable[[Sequence[Moment]], bool]


def begins(stage: int) -> When:
    """The moment a stage begins."""
    return lambda story: any(moment.type == "StageStarted" and moment.stage == stage for moment in story)


def within(stage: int, words: str = "") -> When:
    """A moment within a stage, when it has told of a step."""
    return lambda story: any(
        moment.type in {"StageProgressed", "TrafficShifted"} and moment.stage == stage and words in moment.message
        for moment in story
    )


def tells(kind: str) -> When:
    """The moment an event of a kind is written."""
    return lambda story: any(moment.type == kind for moment in story)


MOMENTS: dict[str, Sequence[When]] = {
    "before the build": (tells("JobQueued"), begins(1)),
    "building": (within(1, "Cloned"), within(1, "Dockerfile found")),
    "pushing": (begins(2), within(2)),
    "starting": (begins(3), within(3, "release command")),
    "green starting": (begins(4), within(4, "Green starts"), within(4, "Green is well")),
    "switching": (begins(5), within(5, "Check 1/3"), tells("TrafficShifted")),
    "completing": (begins(6), within(6), tells("JobEnded")),
}


@pytest.mark.parametrize("when", MOMENTS)
async def test_a_server_killed_at_any_moment_ends_the_job_after_its_restart(real: RealWorld, when: str) -> None:
    await real.push("blue")
    await real.settle()
    async with hammering(real.url()) as hammer:
        for number, moment in enumerate(MOMENTS[when]):
            sha = await real.push(f"green-{number}", "sleep 0.3")
            await real.until(lambda sha=sha, moment=moment: moment(real.story(sha)))  # type: ignore[misc]
            await real.kill()
            await real.start()
            await real.settle()
            assert real.state(sha) == "COMPLETED"
            assert real.checks(sha) == ["shipmate / deploy: success"]
            assert real.told(sha) == ["success"]
            assert await real.serves() == f"green-{number}"
            assert await real.left_over() == []
    assert hammer.failures == []
    assert hammer.answers["blue"] > 0


async def test_a_server_killed_while_it_is_told_of_a_command_answers_it_after_its_restart(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    await real.github.push(REPO, branch="feature", files={"CHANGES.txt": "more\n"})
    pull = await real.github.open_pull(REPO, head="feature")
    await real.github.settle()
    said = await real.github.comment(REPO, pull.number, "/deploy")
    assert said.delivery is not None
    await said.delivery.done.wait()
    await real.kill()
    await real.start()
    await real.settle()
    ours = [one.body for one in real.github.comments(REPO, pull.number) if one.id != said.id]
    assert len(ours) == 1
    assert "Deployed to production" in ours[0]
    assert real.github.reactions(REPO, said.id) == ["rocket"]
    assert real.checks(pull.head_sha) == ["shipmate / deploy: success"]


async def test_a_killed_router_is_back_with_the_same_targets(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    address = real.url()
    await real.kill_router()

    await real.until_it_serves("blue", within_s=10)
    assert real.url() == address


async def test_requests_go_on_while_the_router_is_replaced_by_a_new_server(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    async with hammering(real.url()) as hammer:
        assert await real.terminate() == 0
        await real.start()
        await real.push("green")
        await real.settle()
    assert hammer.failures == []
    assert set(hammer.answers) == {"blue", "green"}


async def test_a_version_that_dies_with_its_first_visitor_gives_way_to_the_old_one(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    async with hammering(real.url()) as hammer:
        sha = await real.push("green", dies=True)
        await real.settle()
    assert real.state(sha) == "ROLLED_BACK"
    assert real.checks(sha) == ["shipmate / deploy: failure"]
    assert real.told(sha) == ["failure"]
    assert await real.serves() == "blue"
    assert await real.left_over() == []
    assert hammer.failures == []
