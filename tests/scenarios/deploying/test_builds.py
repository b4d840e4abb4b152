"""Builds that fail, hang and talk too much; versions that are sick; trees that are odd."""

from __future__ import annotations

import pytest

from tests.fake_engine import dockerfile
from tests.world import REPO, SETTINGS, World, new_world


async def _blue(world: World) -> None:
    await world.push("blue")
    await world.settle()


async def test_a_failing_step_is_shown_on_its_line(world: World) -> None:
    await _blue(world)
    sha = await world.push("green", "echo begin", "fail")
    await world.settle()
    run = world.check_run(sha)
    assert run.state == "failure"
    assert [(note["path"], note["start_line"]) for note in run.annotations] == [("Dockerfile", 3)]
    assert "could not be built" in (run.summary or "")
    assert world.told()[-1] == "failure"
    assert await world.serves() == "blue"
    assert world.engine.running == ["blue"]


@pytest.mark.parametrize("limit", ["SHIPMATE_STAGE_LIMIT", "SHIPMATE_JOB_LIMIT"])
async def test_a_build_that_hangs_is_stopped_at_its_limit(limit: str) -> None:
    async with new_world(**{limit: "1"}) as world:
        sha = await world.push("one", "hang")
        await world.settle()
        assert await world.states() == ["TIMED_OUT"]
        assert world.checks(sha) == ["shipmate / deploy: timed_out"]
        assert world.told() == ["error"]
        assert world.engine.stopped_builds == 1


async def test_a_log_of_100_mb_is_kept_within_its_limit_and_told_by_its_end(world: World) -> None:
    sha = await world.push("one", "flood 100000")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.database.stat().st_size < 20_000_000
    assert len(world.check_run(sha).text or "") < 65_536
    (job,) = await world.jobs()
    tail = await world.store.jobs.log_tail(job.id, 300)
    assert any("lines left out" in line for line in tail)
    assert tail[-1].startswith("line 99999 ")


async def test_a_version_that_is_never_well_leaves_the_old_one_serving(world: World) -> None:
    await _blue(world)
    sick = {
        "Dockerfile": "FROM scratch\nCMD sick\n",
        ".shipmate.yml": SETTINGS.replace("health_timeout: 5", "health_timeout: 1"),
    }
    sha = await world.push_files(sick)
    await world.settle()
    assert "did not pass its health check at `/`: answered 500" in (world.check_run(sha).summary or "")
    assert world.told()[-1] == "failure"
    assert await world.serves() == "blue"
    assert len(world.engine.copies) == 1


async def test_a_version_that_ends_at_once_is_told_with_its_exit_code(world: World) -> None:
    await _blue(world)
    sha = await world.push_files({"Dockerfile": "FROM scratch\nCMD exit 3\n"})
    await world.settle()
    assert "exit code 3" in (world.check_run(sha).summary or "")
    assert await world.serves() == "blue"


async def test_a_version_that_falls_after_the_switch_is_rolled_back(world: World) -> None:
    await _blue(world)
    sha = await world.push_files({"Dockerfile": "FROM scratch\nCMD fall\n"})
    await world.settle()
    assert (await world.states())[-1] == "ROLLED_BACK"
    assert "the old one serves again" in (world.check_run(sha).summary or "")
    assert world.checks(sha) == ["shipmate / deploy: failure"]
    assert world.told()[-1] == "failure"
    assert await world.serves() == "blue"
    assert world.engine.running == ["blue"]


async def test_a_first_version_that_falls_after_the_switch_leaves_nothing_running(world: World) -> None:
    sha = await world.push_files({"Dockerfile": "FROM scratch\nCMD fall\n"})
    await world.settle()
    assert await world.states() == ["FAILED"]
    assert world.checks(sha) == ["shipmate / deploy: failure"]
    assert world.engine.copies == {}


async def test_a_failing_release_command_starts_nothing(world: World) -> None:
    await _blue(world)
    settings = SETTINGS.replace("branch: main,", "branch: main, release_command: 'false',")
    sha = await world.push_files({"Dockerfile": dockerfile("green"), ".shipmate.yml": settings})
    await world.settle()
    assert "release command ended with exit code 1" in (world.check_run(sha).summary or "")
    assert world.engine.running == ["blue"]


async def test_a_repository_with_nothing_to_build_is_told_what_to_add(world: World) -> None:
    await world.github.create_repo("acme/empty", files={"README.md": "hello\n"})
    await world.github.push("acme/empty", files={"notes.txt": "more\n"})
    await world.settle()
    (run,) = world.github.check_runs("acme/empty")
    assert "Add a `Dockerfile`" in (run.summary or "")


async def test_five_thousand_files_odd_names_links_and_submodules_come_over(world: World) -> None:
    files = {f"d{number % 50}/f{number}.txt": f"{number}\n" for number in range(5000)}
    files |= {"with space/and 'quote'.txt": "x", "한국어/파일.txt": "y", "emoji 🚀.md": "z", "-rf": "w"}
    files |= {"Dockerfile": dockerfile("one"), ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ../sub\n'}
    pushed = await world.github.push(
        REPO, files=files, links={"out": "/etc/passwd", "up": "../../.."}, submodules={"sub": "1" * 40}
    )
    await world.settle()
    assert world.checks(pushed.sha) == ["shipmate / deploy: success"]
    (job,) = await world.jobs()
    assert any("submodules are not fetched" in line for line in await world.store.jobs.log_tail(job.id, 1000))


@pytest.mark.parametrize("link", ["/etc/passwd", "../../../../../../etc/passwd"])
async def test_a_dockerfile_that_is_a_link_out_of_the_tree_is_not_read(world: World, link: str) -> None:
    await world.github.create_repo("acme/linked", files={"README.md": "hello\n"}, links={"Dockerfile": link})
    await world.github.push("acme/linked", files={"notes.txt": "more\n"})
    await world.settle()
    (run,) = world.github.check_runs("acme/linked")
    assert run.state == "failure"
    assert "root:" not in f"{run.summary}{run.text}"
    assert world.engine.built == []
