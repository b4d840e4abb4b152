"""Builds on a real engine: what the log says, what the image holds, and what ends when it must."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import uuid
from collections import Counter

import pytest

from bot.engines.docker.images import forget_images_of, image_details
from bot.engines.docker.target import DockerTarget
from bot.engines.lines import LONGEST_LINE_BYTES
from bot.errors import Permanent, Transient
from tests.engines.docker.conftest import MARK, Workshop
from tests.engines.machine import processes_with
from tests.engines.waiting import until

pytestmark = pytest.mark.docker


async def test_a_build_answers_the_engine_s_own_image_with_the_labels_asked_for(workshop: Workshop) -> None:
    workshop.dockerfile("RUN echo made")
    built = await workshop.build()
    details = await image_details(workshop.api, built.id)
    assert details is not None
    assert details["Id"] == built.id
    assert details["Config"]["Labels"][MARK] == workshop.owner
    assert built.tag in details["RepoTags"]


async def test_a_container_somebody_else_starts_from_an_image_of_ours_is_not_ours(workshop: Workshop) -> None:
    workshop.dockerfile("CMD sleep 1000")
    image = await workshop.build()
    made = await workshop.api.ask("POST", "containers/create", body={"Image": image.id})
    try:
        assert await DockerTarget(workshop.api, workshop.owner).owned() == []
    finally:
        await workshop.api.ask("DELETE", f"containers/{made['Id']}", params={"force": True})


async def test_all_that_an_installation_built_is_forgotten_by_its_name(workshop: Workshop) -> None:
    workshop.dockerfile("RUN touch /made")
    image = await workshop.build()
    await forget_images_of(workshop.api, f"{workshop.owner}-other")
    assert await image_details(workshop.api, image.id)
    await forget_images_of(workshop.api, workshop.owner)
    assert await image_details(workshop.api, image.id) is None


async def test_a_buildkit_log_reads_like_docker_build_s_plain_progress(buildkit: Workshop) -> None:
    buildkit.dockerfile(f"RUN echo {buildkit.owner} && printf 'no line end'")
    await buildkit.build()
    log = "\n".join(buildkit.log)
    assert f"[2/2] RUN echo {buildkit.owner}" in log
    step = next(line for line in buildkit.log if "[2/2]" in line).split()[0]
    said = [line.removeprefix(f"{step} ") for line in buildkit.log if line.startswith(f"{step} ")]
    assert said[1].split()[1] == buildkit.owner
    assert said[2].endswith("no line end")
    assert said[-1].startswith("DONE ")


async def test_what_was_built_before_comes_from_the_cache(workshop: Workshop) -> None:
    workshop.dockerfile(f"RUN echo {workshop.owner}")
    first = await workshop.build()
    workshop.log.clear()
    assert await workshop.build() == first
    assert any("CACHED" in line or "Using cache" in line for line in workshop.log)


async def test_a_step_that_fails_is_named_with_its_exit_code_and_line(workshop: Workshop) -> None:
    workshop.dockerfile("WORKDIR /app", "# a comment", "RUN true", "RUN echo broken && \\", "    exit 3")
    with pytest.raises(Permanent, match="build_failed") as failed:
        await workshop.build()
    facts = failed.value.facts
    assert facts["exit_code"] == 3
    assert facts["step"].startswith("RUN echo broken")
    assert "ended with exit code 3" in facts["message"]
    assert facts["line"] == 6
    assert any("broken" in line for line in workshop.log)


async def test_a_step_is_found_by_its_number_when_its_text_has_variables(buildkit: Workshop) -> None:
    buildkit.dockerfile("ARG CODE", "RUN exit $CODE")
    with pytest.raises(Permanent) as failed:
        await buildkit.build(args={"CODE": "4"})
    assert (failed.value.facts["exit_code"], failed.value.facts["line"]) == (4, 4)


async def test_a_dockerfile_that_cannot_be_read_names_the_line(workshop: Workshop) -> None:
    workshop.dockerfile("MAKE coffee")
    with pytest.raises(Permanent) as failed:
        await workshop.build()
    assert failed.value.facts["line"] == 3
    assert "unknown instruction: MAKE" in failed.value.facts["message"]


async def test_a_base_image_that_cannot_be_fetched_may_be_tried_again(workshop: Workshop) -> None:
    workshop.write("Dockerfile", "FROM 127.0.0.1:1/nothing:1\n")
    with pytest.raises(Transient) as failed:
        await workshop.build()
    assert failed.value.code == "base_image_unavailable"


async def test_cancelling_a_build_ends_the_process_it_runs(workshop: Workshop) -> None:
    word = f"986{uuid.uuid4().int % 10**9}"
    workshop.dockerfile(f"RUN sleep {word}")
    building = asyncio.create_task(workshop.build())
    await until(lambda: bool(processes_with(f"sleep\0{word}")))
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    await until(lambda: not processes_with(f"sleep\0{word}"))


async def test_a_flood_of_output_neither_grows_memory_nor_makes_long_lines(workshop: Workshop) -> None:
    words = f"{workshop.owner} says the same over and over again, to fill the log\\n"
    workshop.dockerfile(
        f"RUN python -c \"import sys; [sys.stdout.write('{words}' * 1000) for _ in range(1200)]\"",
        "RUN head -c 20000000 /dev/zero | tr '\\0' x",
    )
    lengths: Counter[int] = Counter()

    def sink(line: str) -> None:
        lengths[len(line)] += 1

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await workshop.build(sink)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 50_000
    assert lengths.total() > 1000
    assert LONGEST_LINE_BYTES <= max(lengths) < LONGEST_LINE_BYTES + 50


async def test_the_context_holds_links_as_links_and_nothing_they_lead_to(workshop: Workshop) -> None:
    (workshop.folder / "passwd").symlink_to("/etc/passwd")
    (workshop.folder / "climbing").symlink_to("../../../../etc/hostname")
    (workshop.folder / "loop").symlink_to(".")
    (workshop.folder / "dangling").symlink_to("gone")
    workshop.dockerfile("WORKDIR /x", "COPY . .")
    lines = await workshop.run(
        await workshop.build(), "for f in *; do test -L $f && echo $f=$(readlink $f); done; true"
    )
    assert lines == ["climbing=../../../../etc/hostname", "dangling=gone", "loop=.", "passwd=/etc/passwd"]


async def test_sockets_and_pipes_in_the_context_are_left_out(workshop: Workshop) -> None:
    os.mkfifo(workshop.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(workshop.folder / "s"))
        workshop.dockerfile("WORKDIR /x", "COPY . .")
        assert await workshop.run(await workshop.build(), "ls") == ["Dockerfile"]


async def test_a_tree_of_five_thousand_files_with_unusual_names_arrives_whole(buildkit: Workshop) -> None:
    for number in range(5000):
        buildkit.write(f"many/{number % 50}/file {number}.txt", f"{number}\n")
    buildkit.write("many/ünïcode/안녕.txt", "hello\n")
    buildkit.write(f"many/{'long' * 50}/{'name' * 50}.txt", "long\n")
    (buildkit.folder / "many" / os.fsdecode(b"not-\xff-utf8")).write_text("raw\n")
    buildkit.dockerfile("COPY many /x")
    lines = await buildkit.run(
        await buildkit.build(), "find /x -type f | wc -l; cat '/x/49/file 4999.txt' /x/ünïcode/*"
    )
    assert lines == ["5003", "4999", "hello"]


async def test_what_dockerignore_names_is_not_sent(workshop: Workshop) -> None:
    workshop.write(".dockerignore", "*\n!src\nsrc/**/*.key\n")
    workshop.write("src/app.py", "")
    workshop.write("src/deep/er/private.key", "secret")
    workshop.write("secret.txt", "secret")
    workshop.dockerfile("COPY . /x")
    lines = await workshop.run(await workshop.build(), "cd /x && find . -type f | grep -v ocker | sort")
    assert lines == ["./src/app.py"]
