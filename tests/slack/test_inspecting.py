"""`/shipmate inspect`: the same answer as at GitHub, in Slack's markup."""

from __future__ import annotations

from tests.slack.world import BORA, SlackWorld
from tests.world import REPO


async def test_a_repository_is_inspected_at_a_ref(world: SlackWorld) -> None:
    files = {"svc/requirements.txt": "flask\n", "svc/main.py": "from flask import Flask\napp = Flask(__name__)\n"}
    sha = await world.push_files(files, branch="feature")
    await world.settle()
    await world.type(f"inspect {REPO}@feature")
    told = world.whispers()[-1]
    assert f"*{REPO}* at `{sha[:7]}`" in told
    assert "• framework — `flask` — " in told
    assert "`svc/requirements.txt:1`" in told


async def test_without_a_ref_it_is_the_default_branch(world: SlackWorld) -> None:
    sha = await world.push("one")
    await world.settle()
    await world.type(f"inspect {REPO}")
    assert sha[:7] in world.whispers()[-1]


async def test_who_may_not_read_learns_nothing(world: SlackWorld) -> None:
    await world.github.create_repo("acme/secret", files={"Dockerfile": "FROM scratch\n"}, private=True)
    await world.type("inspect acme/secret", user=BORA)
    assert "I see no repository `acme/secret`" in world.whispers(BORA)[-1]
