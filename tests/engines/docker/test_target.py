"""Containers on a real engine: what starts, what stays, what may not be touched."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import uuid
from typing import Any

import aiohttp
import pytest

from bot.engines.docker.api import EngineApi
from bot.engines.docker.images import image_details
from bot.engines.docker.target import DockerTarget
from bot.errors import Permanent
from bot.ports.running import Instance, InstanceSpec
from tests.engines.docker.conftest import BASE, REGISTRY, Workshop
from tests.engines.machine import processes_with
from tests.engines.waiting import until, until_told
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.docker


async def answer(instance: Instance | None, path: str = "/") -> int:
    """The status of a request from outside, once something listens."""
    assert instance is not None
    url = f"http://{instance.host}:{instance.port}{path}"
    async with asyncio.timeout(ENOUGH_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as reply:
                    return reply.status
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def inside(api: EngineApi, instance: Instance) -> dict[str, Any]:
    details: dict[str, Any] = await api.ask("GET", f"containers/{instance.id}/json")
    return details


async def test_an_instance_answers_from_outside_on_this_machine_alone(
    api: EngineApi, target: DockerTarget, spec: InstanceSpec
) -> None:
    instance = await target.start(spec)
    assert await answer(instance) == 200
    assert instance.host == "127.0.0.1"
    assert instance.labels["shipmate.job"] == spec.job_id
    assert instance.labels["shipmate.service"] == spec.service
    bindings = (await inside(api, instance))["NetworkSettings"]["Ports"]["8080/tcp"]
    assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]


async def test_starting_the_same_again_finds_what_runs(target: DockerTarget, spec: InstanceSpec) -> None:
    first = await target.start(spec)
    assert await target.start(spec) == first
    assert len(await target.owned()) == 1


async def test_what_a_crash_left_created_but_not_started_is_used(
    api: EngineApi, target: DockerTarget, spec: InstanceSpec
) -> None:
    first = await target.start(spec)
    await target.stop(first.id, 0)
    again = await target.start(spec)
    assert (again.id, again.running) == (first.id, True)


async def test_an_instance_of_another_spec_is_replaced(target: DockerTarget, spec: InstanceSpec) -> None:
    first = await target.start(spec)
    second = await target.start(dataclasses.replace(spec, env={"COLOUR": "green"}))
    assert second.id != first.id
    assert [one.id for one in await target.owned()] == [second.id]


async def test_an_instance_keeps_its_address_when_the_engine_restarts_it(
    target: DockerTarget, spec: InstanceSpec
) -> None:
    word = f"word{uuid.uuid4().hex}"
    spec = dataclasses.replace(spec, command=f"{spec.command} {word}")
    first = await target.start(spec)
    assert await answer(first) == 200
    [pid] = set(processes_with("python\0-c\0")) & set(processes_with(word))
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in processes_with(word) and len(processes_with(word)) > 0)
    assert await answer(first) == 200
    assert await target.look(first.id) == dataclasses.replace(first, restarts=1)


async def test_a_stopped_instance_stays_stopped_until_it_is_woken_at_its_address(
    api: EngineApi, target: DockerTarget, spec: InstanceSpec
) -> None:
    first = await target.start(spec)
    await answer(first)
    await target.stop(first.id, 5)
    await target.stop(first.id, 5)
    stopped = await target.look(spec.name)
    assert stopped is not None
    assert (stopped.running, stopped.host, stopped.port) == (False, None, None)
    assert stopped.exit_code is not None
    policy = (await inside(api, stopped))["HostConfig"]["RestartPolicy"]["Name"]
    assert policy == "unless-stopped"
    woken = await target.wake(first.id)
    assert woken == first
    assert await answer(woken) == 200


async def test_an_instance_whose_port_was_taken_meanwhile_wakes_at_another(
    target: DockerTarget, spec: InstanceSpec
) -> None:
    first = await target.start(spec)
    await target.stop(first.id, 0)
    with socket.create_server((str(first.host), int(first.port or 0))):
        woken = await target.wake(spec.name)
        assert await answer(woken) == 200
    assert woken.port != first.port
    assert woken.labels == first.labels
    assert len(await target.owned()) == 1


async def test_waking_what_is_gone_says_so(target: DockerTarget, spec: InstanceSpec) -> None:
    with pytest.raises(Permanent, match="instance_gone"):
        await target.wake(spec.name)


async def test_an_instance_that_ends_at_once_is_seen_to_have_ended(target: DockerTarget, spec: InstanceSpec) -> None:
    instance = await target.start(dataclasses.replace(spec, command="sh -c 'echo dying; exit 5'"))
    seen: list[Instance] = []

    async def has_ended() -> bool:
        now = await target.look(instance.id)
        assert now is not None
        seen.append(now)
        return not now.running and now.exit_code is not None

    await until_told(has_ended)
    assert seen[-1].exit_code == 5
    assert (await target.output(instance.id, 1)) == ["dying"]


async def test_an_instance_that_uses_too_much_memory_is_ended_and_says_why(
    target: DockerTarget, spec: InstanceSpec
) -> None:
    greedy = dataclasses.replace(spec, command='python -c "x = bytearray(500_000_000)"', memory_mb=32)
    instance = await target.start(greedy)

    async def is_out_of_memory() -> bool:
        now = await target.look(instance.id)
        return now is not None and now.out_of_memory

    await until_told(is_out_of_memory)
    assert await target.run_once(dataclasses.replace(greedy, name=f"{spec.name}-once"), print) == 137


async def test_an_instance_cannot_start_more_processes_than_it_may(target: DockerTarget, spec: InstanceSpec) -> None:
    lines: list[str] = []
    many = "for n in $(seq 60); do sleep 5 & done; wait"
    limited = dataclasses.replace(spec, command=many, pids=20)
    assert await target.run_once(limited, lines.append) != 0
    assert any("fork" in line for line in lines)


async def test_an_instance_has_few_rights_and_cannot_gain_any(target: DockerTarget, spec: InstanceSpec) -> None:
    lines: list[str] = []
    look = "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; touch /x; touch /tmp/x && echo wrote"
    await target.run_once(dataclasses.replace(spec, command=look, read_only=True), lines.append)
    told = dict(line.split(":\t") for line in lines if ":\t" in line)
    allowed = {0: "CHOWN", 1: "DAC_OVERRIDE", 3: "FOWNER", 5: "KILL", 6: "SETGID", 7: "SETUID", 10: "NET_BIND_SERVICE"}
    assert int(told["CapBnd"], 16) == int(told["CapEff"], 16) == sum(1 << number for number in allowed)
    assert told["NoNewPrivs"] == "1"
    assert any("Read-only file system" in line for line in lines)
    assert "wrote" in lines


async def test_the_environment_reaches_the_instance_and_no_error(target: DockerTarget, spec: InstanceSpec) -> None:
    secret, lines = f"s3cret-{uuid.uuid4().hex}", list[str]()
    with_secret = dataclasses.replace(spec, env={"TOKEN": secret, "PORT": "1"})
    assert await target.run_once(dataclasses.replace(with_secret, command="echo $TOKEN $PORT"), lines.append) == 0
    assert lines == [f"{secret} 8080"]
    with pytest.raises(Permanent, match="start_failed") as failed:
        await target.start(dataclasses.replace(with_secret, memory_mb=1))
    assert "memory limit" in failed.value.facts["message"]
    assert secret not in f"{failed.value} {failed.value!r} {with_secret!r}"
    assert await target.owned() == []


async def test_what_another_installation_made_is_not_seen_and_not_touched(
    api: EngineApi, target: DockerTarget, spec: InstanceSpec, owner: str
) -> None:
    made = await target.start(spec)
    other = DockerTarget(api, f"{owner}-other")
    assert await other.owned() == []
    assert await other.look(spec.name) is None
    await other.stop(made.id, 0)
    await other.remove(spec.name)
    with pytest.raises(Permanent, match="start_failed") as failed:
        await other.start(spec)
    assert "already in use" in failed.value.facts["message"]
    assert await target.look(made.id) == made


async def test_a_command_runs_once_in_its_image_and_leaves_nothing(target: DockerTarget, spec: InstanceSpec) -> None:
    lines: list[str] = []
    once = dataclasses.replace(spec, command="echo migrating; echo failing >&2; exit 7")
    assert await target.run_once(once, lines.append) == 7
    assert sorted(lines) == ["failing", "migrating"]
    assert await target.owned() == []


async def test_what_an_interrupted_run_left_does_not_stop_the_next_one(
    target: DockerTarget, spec: InstanceSpec
) -> None:
    await target.start(spec)
    assert await target.run_once(dataclasses.replace(spec, command="true"), print) == 0


async def test_cancelling_a_run_ends_it_and_leaves_nothing(target: DockerTarget, spec: InstanceSpec) -> None:
    lines: list[str] = []
    running = asyncio.create_task(
        target.run_once(dataclasses.replace(spec, command="echo begun; exec sleep 1000"), lines.append)
    )
    await until(lambda: lines == ["begun"])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await target.owned() == []


async def test_the_last_lines_are_shown_whatever_was_written(target: DockerTarget, spec: InstanceSpec) -> None:
    noisy = "seq 1000; head -c 1000000 /dev/zero | tr '\\0' x; echo; printf '\\377 last\\n'; sleep 1000"
    instance = await target.start(dataclasses.replace(spec, command=noisy))

    async def has_written() -> bool:
        return any("last" in line for line in await target.output(instance.id, 3))

    await until_told(has_written)
    lines = await target.output(instance.id, 100_000)
    assert lines[:2] == ["1", "2"]
    assert max(map(len, lines)) < 5000
    assert await target.output(f"{spec.name}-none", 5) == []


async def test_an_image_that_is_gone_is_named(target: DockerTarget, spec: InstanceSpec) -> None:
    image = f"sha256:{'0' * 64}"
    with pytest.raises(Permanent, match="image_gone") as failed:
        await target.start(dataclasses.replace(spec, image=image))
    assert failed.value.facts["image"] == image


async def test_an_image_is_kept_while_a_container_was_made_from_it(
    api: EngineApi, target: DockerTarget, spec: InstanceSpec, buildkit: Workshop
) -> None:
    buildkit.dockerfile("RUN true")
    built = await buildkit.build()
    await api.ask("POST", f"images/{built.id}/tag", params={"repo": f"{REGISTRY}/more", "tag": buildkit.owner})
    instance = await target.start(dataclasses.replace(spec, image=built.id))
    await target.stop(instance.id, 0)
    await target.remove_image(built.id)
    assert await image_details(api, built.id) is not None
    await target.remove(instance.id)
    await target.remove_image(built.id)
    await target.remove_image(built.id)
    assert await image_details(api, built.id) is None
    assert await image_details(api, BASE) is not None


async def test_many_starts_at_once_get_addresses_of_their_own(target: DockerTarget, spec: InstanceSpec) -> None:
    specs = [dataclasses.replace(spec, name=f"{spec.name}-{number}", command="sleep 1000") for number in range(6)]
    started = await asyncio.gather(*map(target.start, specs))
    assert len({one.port for one in started}) == 6
    assert {one.name for one in await target.owned()} == {one.name for one in specs}
    await asyncio.gather(*(target.remove(one.id) for one in started))
    await asyncio.gather(*(target.remove(one.id) for one in started))
    assert await target.owned() == []


async def test_labels_of_ours_cannot_be_taken_over(target: DockerTarget, spec: InstanceSpec, owner: str) -> None:
    made = await target.start(dataclasses.replace(spec, labels={"shipmate.owner": "me", "team": "core"}))
    assert (made.labels["shipmate.owner"], made.labels["team"]) == (owner, "core")


async def test_every_byte_a_command_writes_is_told_even_without_a_line_end(
    target: DockerTarget, spec: InstanceSpec
) -> None:
    for number in range(5):
        lines: list[str] = []
        once = dataclasses.replace(spec, name=f"{spec.name}-{number}", command="env -0", env={"A": "x=y\n'z'", "B": ""})
        assert await target.run_once(once, lines.append) == 0
        written = "\n".join(lines).split("\0")
        assert {"A=x=y\n'z'", "B=", "PORT=8080", ""} <= set(written)


async def test_plain_words_need_no_shell_in_the_image(target: DockerTarget, spec: InstanceSpec) -> None:
    lines: list[str] = []
    assert await target.run_once(dataclasses.replace(spec, command="cat /proc/1/cmdline"), lines.append) == 0
    assert "sh" not in lines[0].split("\0")
