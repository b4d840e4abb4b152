"""GitHub fails in every way on every call of a job: the job ends all the same, and every face shows it once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.world import REPO, World

FAULTS: Mapping[str, dict[str, Any]] = {
    "401": {"effect": "status", "status": 401, "body": {"message": "Bad credentials"}},
    "primary limit": {"effect": "rate_limit", "seconds": 1},
    "secondary limit": {"effect": "secondary_limit", "seconds": 1},
    "404": {"effect": "status", "status": 404, "body": {"message": "Not Found"}},
    "422": {"effect": "status", "status": 422, "body": {"message": "Validation Failed"}},
    "500": {"effect": "status", "status": 500},
    "a cut reply": {"effect": "cut", "after_bytes": 20},
    "acts and the reply is lost": {"effect": "lose_reply", "after_bytes": 20},
    "a hang": {"effect": "hang", "seconds": 1.5},
}
CALLS: Mapping[str, tuple[str, str]] = {
    "mint a token": ("POST", r"/access_tokens$"),
    "read the pull request": ("GET", r"/pulls/\d+$"),
    "read a role": ("GET", r"/collaborators/.*/permission$"),
    "read the settings": ("GET", r"/contents/"),
    "clone: refs": ("GET", r"\.git/info/refs$"),
    "clone: objects": ("POST", r"\.git/git-upload-pack$"),
    "make the check run": ("POST", r"/check-runs$"),
    "change the check run": ("PATCH", r"/check-runs/\d+$"),
    "ask who we are": ("GET", r"/app$"),
    "write the comment": ("POST", r"/issues/\d+/comments$"),
    "edit the comment": ("PATCH", r"/issues/comments/\d+$"),
    "add a reaction": ("POST", r"/issues/comments/\d+/reactions$"),
    "list reactions": ("GET", r"/issues/comments/\d+/reactions$"),
    "take a reaction away": ("DELETE", r"/issues/comments/\d+/reactions/\d+$"),
    "look for the deployment": ("GET", r"/deployments$"),
    "look for its statuses": ("GET", r"/deployments/\d+/statuses$"),
    "make the deployment": ("POST", r"/deployments$"),
    "add a deployment status": ("POST", r"/deployments/\d+/statuses$"),
}
MEANS_NO: Mapping[tuple[str, str], str] = {
    ("read the pull request", "404"): "an issue of that number",
    ("read the pull request", "422"): "a refusal for good",
    ("read a role", "404"): "no role",
    ("read a role", "422"): "an error means no",
    ("read the settings", "422"): "settings that cannot be read",
}
"""Answers that say no, truthfully or not: nothing is deployed, and who asked is told."""


def _kept(method: str, path: str) -> list[str]:
    return [name for name, (verb, pattern) in CALLS.items() if verb == method and re.search(pattern, path)]


async def test_every_call_of_a_job_is_tried(world: World) -> None:
    pull = await world.open_pull("one")
    begin = len(world.github.requests)
    await world.say(pull.number, "/deploy")
    asked = {(one.method, one.path.partition("?")[0]) for one in world.github.requests[begin:]}
    assert [call for call in asked if not _kept(*call)] == []
    assert {name for call in asked for name in _kept(*call)} == set(CALLS)


SAYS_DONE = {("take a reaction away", "404")}
"""Answers that say it is done already: they are believed."""
MAY_END_IT = {("mint a token", "404"), ("mint a token", "422")}
"""Refusals for good: whether they meet a face's token or the clone's is chance, and without the clone's none goes."""
AT_ONCE: Sequence[Sequence[str]] = (
    ("mint a token",),
    ("read the pull request",),
    ("read a role",),
    ("read the settings",),
    ("ask who we are",),
    ("clone: refs", "make the check run", "write the comment", "add a reaction", "look for the deployment"),
    ("clone: objects", "change the check run", "edit the comment", "list reactions", "look for its statuses"),
    ("take a reaction away", "make the deployment"),
    ("add a deployment status",),
)
"""Calls that go wrong in one job: the build and each face make and mend their own, so none is mended by another's."""


def test_every_call_goes_wrong_somewhere() -> None:
    assert sorted(call for calls in AT_ONCE for call in calls) == sorted(CALLS)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("calls", AT_ONCE, ids=", ".join)
async def test_one_fault_at_a_call_of_the_build_and_of_each_face(
    world: World, calls: Sequence[str], fault: str
) -> None:
    pull = await world.open_pull("one")
    planned = [
        world.github.faults.add(**FAULTS[fault], method=CALLS[call][0], path=CALLS[call][1])
        for call in calls
        if (call, fault) not in SAYS_DONE
    ]
    said = await world.say(pull.number, "/deploy")
    assert [one.count for one in planned] == [0] * len(planned)
    if (calls[0], fault) in MEANS_NO:
        assert await world.jobs() == []
        assert (world.reactions(said), len(world.answers(pull.number))) == (["confused"], 1)
        return
    if (calls[0], fault) in MAY_END_IT and await world.states() == ["FAILED"]:
        assert world.checks() == ["shipmate / deploy: failure"]
        assert world.reactions(said) == ["confused"]
        return
    assert await world.states() == ["COMPLETED"]
    await _faces_agree(world, pull.number, said.id)


async def _faces_agree(world: World, number: int, comment_id: int) -> None:
    assert world.checks() == ["shipmate / deploy: success"]
    assert ["Deployed to production" in one.body for one in world.answers(number)] == [True]
    assert world.github.reactions(REPO, comment_id) == ["rocket"]
    assert world.told() == ["success"]
    assert await world.serves() == "one"
