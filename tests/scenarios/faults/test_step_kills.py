"""`kill -9` while two versions share the traffic, with a client that never stops asking: no request fails."""

from __future__ import annotations

import pytest

from tests.hammer import hammering
from tests.real_world import REPO, RealWorld, version

pytestmark = pytest.mark.docker

STEPS = """\
environments:
  production:
    {branch: main, checks: 1, drain: 5, health_timeout: 15, memory: 64,
     traffic: {strategy: canary, percent: 50, every: 4, bake: 3}}
"""


async def _push(real: RealWorld, words: str, *, dies: bool = False) -> str:
    files = {**version(words, dies=dies), ".shipmate.yml": STEPS}
    return (await real.github.push(REPO, files=files)).sha


def _told(real: RealWorld, sha: str, words: str) -> bool:
    return any(moment.type == "TrafficShifted" and words in moment.message for moment in real.story(sha))


async def test_a_server_killed_in_each_step_goes_on_with_what_is_left_of_it(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    async with hammering(real.url()) as hammer:
        sha = await _push(real, "green")
        for words in ("50 % of the traffic", "All traffic"):
            await real.until(lambda words=words: _told(real, sha, words))  # type: ignore[misc]
            await real.kill()
            await real.start()
        await real.settle()
    assert real.state(sha) == "COMPLETED"
    assert hammer.failures == []
    assert min(hammer.answers["blue"], hammer.answers["green"]) > 0
    assert await real.serves() == "green"
    assert await real.left_over() == []


async def test_a_version_that_dies_with_half_of_the_traffic_gives_it_back_over_a_kill(real: RealWorld) -> None:
    await real.push("blue")
    await real.settle()
    async with hammering(real.url()) as hammer:
        sha = await _push(real, "green", dies=True)
        await real.until(lambda: _told(real, sha, "50 % of the traffic"))
        await real.kill()
        await real.start()
        await real.settle()
    assert real.state(sha) == "ROLLED_BACK"
    assert hammer.failures == []
    assert real.told(sha) == ["failure"]
    assert await real.serves() == "blue"
    assert await real.left_over() == []
