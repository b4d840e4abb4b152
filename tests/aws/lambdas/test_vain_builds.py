"""A deployment that ends badly ends the build that was begun for it: the Lambda that began it reads so in the table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aws.lambdas.finding import Subject
from bot.asked import Asked
from bot.clock import utc_now
from bot.model import FINAL_STATES, JobState
from tests.aws.lambdas.doomed import Death, Fate
from tests.aws.lambdas.quay import Quay
from tests.aws.lambdas.stream import Record, doubled, reversed_order
from tests.aws.lambdas.test_work import doomed

BAD_ENDS = sorted(FINAL_STATES - {JobState.COMPLETED})


async def begun(quay: Quay) -> str:
    """A deployment whose build goes on until somebody ends it."""
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    await quay.works()
    return reply.id


async def goes_to(quay: Quay, deployment: str, state: JobState) -> Asked:
    """The server writes that its job went there."""
    asked = await quay.asked(deployment)
    written = await quay.table.change(asked, asked.gone_to(state, utc_now(), None))
    assert written is not None
    return written


async def status(quay: Quay, deployment: str) -> str:
    return (await quay.built(deployment)).status


async def test_whatever_the_bad_end_the_build_ends_too(quay: Quay) -> None:
    ended = {state: await goes_to(quay, await begun(quay), state) for state in BAD_ENDS}
    await quay.works()
    assert [await status(quay, asked.id) for asked in ended.values()] == ["STOPPED"] * len(BAD_ENDS)
    assert [await quay.asked(asked.id) for asked in ended.values()] == list(ended.values())


async def test_a_deployment_that_goes_on_or_went_live_lets_the_build_be(quay: Quay) -> None:
    for state in (JobState.BUILDING, JobState.COMPLETED):
        await goes_to(quay, await begun(quay), state)
    await quay.works()
    assert [build.complete for build in await quay.builds()] == [False, False]


@pytest.mark.parametrize("arrange", [doubled, lambda records: [*reversed_order(records), *records]])
async def test_ends_that_come_twice_or_in_another_order_end_each_its_own_build(
    quay: Quay, arrange: Callable[[list[Record]], list[Record]]
) -> None:
    deployments = [await begun(quay) for _ in range(3)]
    for deployment in deployments[:2]:
        await goes_to(quay, deployment, JobState.CANCELLED)
    quay.pump.arrange = arrange
    await quay.works()
    assert [await status(quay, one) for one in deployments[:2]] == ["STOPPED"] * 2
    assert [build.job_id for build in await quay.builds() if not build.complete] == deployments[2:]


async def test_an_end_that_is_told_sooner_than_the_request_leaves_nothing_running(quay: Quay) -> None:
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    requests = (await quay.pump.new()).values()
    await quay.works()
    await goes_to(quay, reply.id, JobState.CANCELLED)
    async with quay.bench() as bench:
        for records in [*(await quay.pump.new()).values(), *requests]:
            await quay.pump.deliver(records, bench.settle)
    assert await status(quay, reply.id) == "STOPPED"


async def test_a_death_after_any_step_leaves_the_end_to_the_next_delivery(quay: Quay) -> None:
    for last_step in range(1, 10):
        deployment = await begun(quay)
        await goes_to(quay, deployment, JobState.CANCELLED)
        records = [record for batch in (await quay.pump.new()).values() for record in batch]
        fate = Fate(last_step)
        try:
            async with quay.bench() as bench:
                await quay.pump.deliver(records, doomed(bench, fate).settle)
        except Death:
            async with quay.bench() as bench:
                await quay.pump.deliver(records, bench.settle)
        else:
            assert last_step > 2
            return
        assert await status(quay, deployment) == "STOPPED"
    raise AssertionError("it never came to an end")


async def test_a_call_that_goes_wrong_is_made_again(quay: Quay) -> None:
    for kind in ("throttle", "reset", "cut", "fault"):
        deployment = await begun(quay)
        await goes_to(quay, deployment, JobState.CANCELLED)
        quay.emulator.goes_wrong({"kind": kind, "service": "codebuild", "operation": "StopBuild"})
        await quay.works()
        assert quay.emulator.fired() == [1]
        assert await status(quay, deployment) == "STOPPED"
    assert quay.pump.aside == []


async def test_a_build_that_nobody_may_stop_holds_up_no_other_record(quay: Quay) -> None:
    deployment = await begun(quay)
    await goes_to(quay, deployment, JobState.CANCELLED)
    quay.emulator.goes_wrong({"kind": "deny", "service": "codebuild", "operation": "StopBuild", "times": 99})
    other = await begun(quay)
    assert (await quay.asked(other)).build_id is not None
    assert quay.pump.aside == []


async def test_a_build_that_is_over_is_let_be(quay: Quay) -> None:
    await quay.push("one", "fail tests")
    reply = await quay.ask()
    await quay.works()
    before = await quay.built(reply.id)
    await goes_to(quay, reply.id, JobState.FAILED)
    await quay.works()
    assert await quay.built(reply.id) == before


async def test_a_build_that_began_while_the_server_refused_is_known_and_ends(quay: Quay) -> None:
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    begins = quay.new_builds()

    async def begins_late(asked: Asked, subject: Subject) -> str | None:
        await goes_to(quay, asked.id, JobState.FAILED)
        return await begins(asked, subject)

    await quay.works(build=begins_late)
    assert await quay.walked(reply.id) == ["PENDING", "PROCESSING", "FAILED"]
    await quay.works()
    assert (await quay.asked(reply.id)).build_id == (await quay.built(reply.id)).id
    assert await status(quay, reply.id) == "STOPPED"


async def dies_before_it_notes_the_build(quay: Quay) -> str:
    """A deployment whose build goes on, begun by a Lambda that could not write so any more."""
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    begins = quay.new_builds()

    async def begins_and_dies(asked: Asked, subject: Subject) -> str | None:
        await begins(asked, subject)
        raise Death

    with pytest.raises(Death):
        await quay.works(build=begins_and_dies)
    assert (await quay.asked(reply.id)).build_id is None
    return reply.id


async def test_a_build_whose_lambda_died_before_it_noted_it_is_known_by_its_own_event(quay: Quay) -> None:
    deployment = await dies_before_it_notes_the_build(quay)
    await quay.hears(deployment)
    assert await quay.walked(deployment) == ["PENDING", "PROCESSING", "BUILDING"]
    await goes_to(quay, deployment, JobState.CANCELLED)
    await quay.works()
    assert await status(quay, deployment) == "STOPPED"


async def test_a_build_that_nobody_noted_before_the_deployment_ended_ends_too(quay: Quay) -> None:
    deployment = await dies_before_it_notes_the_build(quay)
    ended = await goes_to(quay, deployment, JobState.FAILED)
    await quay.hears(deployment)
    assert (await quay.asked(deployment)).steps == ended.steps
    await quay.works()
    assert await status(quay, deployment) == "STOPPED"
