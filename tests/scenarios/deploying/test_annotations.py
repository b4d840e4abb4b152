"""A build that fails shows what the tools said on the lines they said it of."""

from __future__ import annotations

from tests.fake_engine import dockerfile
from tests.world import World

SHOP = "from shop import missing\n\nmissing()\n"


async def test_a_compilers_error_is_shown_on_its_line_beside_the_step_that_failed(world: World) -> None:
    said = 'echo #5 0.412 /app/src/shop.py:3: error: Name "missing" is not defined [name-defined]'
    sha = await world.push_files({"Dockerfile": dockerfile("two", said, "fail"), "src/shop.py": SHOP})
    await world.settle()
    step, error = world.check_run(sha).annotations
    assert (step["path"], step["start_line"]) == ("Dockerfile", 3)
    assert (error["path"], error["start_line"], error["end_line"]) == ("src/shop.py", 3, 3)
    assert (error["annotation_level"], error["title"]) == ("failure", "mypy: name-defined")
    assert error["message"] == 'Name "missing" is not defined'


async def test_a_secret_in_a_compilers_error_is_not_shown(world: World) -> None:
    world.masker.register("hunter22")
    steps = ("echo src/shop.py:1: error: hunter22 is unknown", "fail")
    sha = await world.push_files({"Dockerfile": dockerfile("two", *steps), "src/shop.py": SHOP})
    await world.settle()
    assert world.check_run(sha).annotations[1]["message"] == "*** is unknown"
    assert "hunter22 is unknown" not in str(world.check_run(sha))


async def test_warnings_of_a_build_that_went_well_are_not_remarked(world: World) -> None:
    steps = ("echo src/shop.py:1: warning: unused import",)
    sha = await world.push_files({"Dockerfile": dockerfile("two", *steps), "src/shop.py": SHOP})
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.check_run(sha).annotations == []
