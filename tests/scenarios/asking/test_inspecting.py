"""`/inspect`: what a repository is, asked on a pull request or an issue, told with the why."""

from __future__ import annotations

from tests.world import REPO, World

FLASK = {
    "requirements.txt": "flask\ngunicorn\n",
    "main.py": "from flask import Flask\n\napp = Flask(__name__)\n",
    ".python-version": "3.12\n",
}
MANIFEST = '{"dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}'
GUESSES = "acme/guess"


async def _asked(world: World, files: dict[str, str], said: str = "/inspect", by: str = "bob") -> str:
    """The answer to a comment on an issue of a repository with just these files."""
    await world.github.create_repo(GUESSES, files=files)
    world.github.set_permission(GUESSES, "bob", "read")
    number = await world.github.open_issue(GUESSES, "What is it?")
    await world.github.comment(GUESSES, number, said, by=by)
    await world.settle()
    return [one.body for one in world.github.comments(GUESSES)][-1]


async def test_it_says_what_the_repository_is_and_where_it_says_so(world: World) -> None:
    told = await _asked(world, FLASK)
    assert "| framework | `flask` |" in told
    assert "`requirements.txt:1` |" in told
    assert "| runtimeVersion | `3.12` |" in told
    assert "`.python-version:1` |" in told
    assert "not clear" not in told


async def test_it_takes_the_head_of_the_pull_request(world: World) -> None:
    await world.push_files(FLASK, branch="feature")
    pull = await world.github.open_pull(REPO, head="feature", by="alice")
    await world.settle()
    await world.say(pull.number, "/inspect", by="bob")
    assert pull.head_sha[:7] in world.answer(pull.number)
    assert "`flask`" in world.answer(pull.number)


async def test_few_calls_are_made(world: World) -> None:
    await _asked(world, FLASK)
    operations = [str(one.operation) for one in world.github.requests]
    assert operations.count("git/get-tree") == 1
    assert operations.count("graphql") <= 2


async def test_several_applications_are_asked_about_with_the_line_that_answers(world: World) -> None:
    told = await _asked(world, {"api/package.json": MANIFEST, "web/package.json": MANIFEST})
    assert "not clear" in told
    assert 'build:\n  path: "api"\nbuild:\n  path: "web"' in told


async def test_the_settings_of_the_base_branch_answer(world: World) -> None:
    files = {"api/package.json": MANIFEST, "web/package.json": MANIFEST, ".shipmate.yml": "build: {path: web}\n"}
    told = await _asked(world, files)
    assert "not clear" not in told
    assert told.index("**`web`**") < told.index("**`api`**")


async def test_a_broken_manifest_is_a_warning_with_its_line(world: World) -> None:
    told = await _asked(world, {**FLASK, "package.json": '{\n"name": oops}\n'})
    assert "**Warnings**" in told
    assert "`package.json:2`" in told


async def test_nothing_found_says_what_to_write(world: World) -> None:
    assert "`build.start` in `.shipmate.yml`" in await _asked(world, {"notes.txt": "hello\n"})


async def test_what_stands_in_a_repository_has_no_power_in_the_answer(world: World) -> None:
    evil = '{"scripts": {"start": "node `a` | @admin /deploy main <!-- -->"}, "dependencies": {"express": "4"}}'
    told = await _asked(world, {"package.json": evil, "node.js": ""})
    assert "\n/deploy" not in told
    assert told.count("`") % 2 == 0
    assert await world.jobs() == []


async def test_a_ref_that_is_not_there_is_refused(world: World) -> None:
    assert "There is no branch, tag or commit `nowhere`" in await _asked(world, FLASK, "/inspect nowhere")
