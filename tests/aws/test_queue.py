"""A job that a queue's message asks for is run by a process of its own; only what is completed leaves the queue."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aws.clients import AwsClients
from bot.cli import cli
from bot.clock import utc_now
from bot.jobs.analysis.plan import AnalysisPlan
from bot.jobs.analysis.submit import JobQueue
from bot.model import Origin
from storage.opened import open_store
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator
from tests.scenarios.analysing import target
from tests.world import World, new_world


@dataclass
class Line:
    """A queue, and a server's store whose jobs other machines run."""

    world: World
    clients: AwsClients
    emulator: Emulator
    url: str

    async def asks(self, job_id: str) -> None:
        """Put a message as the contract has it."""
        body = {"user_id": "octocat", "repo_url": "https://github.com/acme/api", "job_id": job_id, "kind": "analysis"}
        await self.clients.call("sqs", "SendMessage", QueueUrl=self.url, MessageBody=json.dumps(body))

    async def waiting(self) -> int:
        """How many messages lie there, received or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = await self.clients.call("sqs", "GetQueueAttributes", QueueUrl=self.url, AttributeNames=names)
        return sum(int(count) for count in told["Attributes"].values())

    async def run(self) -> tuple[int, str]:
        """Start a container as AWS Batch does, of the next message: its exit code, and what it said."""
        reply = await self.clients.call("sqs", "ReceiveMessage", QueueUrl=self.url, VisibilityTimeout=0)
        (message,) = reply["Messages"]
        environment = {
            **self.world.github.environment(),
            "DATABASE_URL": f"sqlite:///{self.world.database}",
            "SHIPMATE_WORKDIR": str(self.world.folder / "other"),
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.emulator.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "SQS_MESSAGE_BODY": message["Body"],
            "SQS_RECEIPT_HANDLE": message["ReceiptHandle"],
            "SQS_QUEUE_URL": self.url,
            "PATH": os.defpath,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run-job"), env=environment, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        return process.returncode or 0, told.decode().strip()


@pytest.fixture
async def line(clients: AwsClients, emulator: Emulator) -> AsyncIterator[Line]:
    url = (await clients.call("sqs", "CreateQueue", QueueName=f"q{uuid.uuid4().hex[:8]}"))["QueueUrl"]
    async with new_world() as world:
        yield Line(world, clients, emulator, url)


async def test_a_message_starts_its_job_and_leaves_the_queue_when_it_is_completed(line: Line) -> None:
    about = await target(line.world)
    await line.world.abandon()
    opened = await open_store(f"sqlite:///{line.world.database}")
    job, _ = await JobQueue(opened.store.jobs, utc_now).submit(AnalysisPlan((about,)), Origin("api", "robot", 0))
    await opened.close()
    await line.asks(job.id)
    await line.asks(job.id)
    assert await line.run() == (0, "COMPLETED")
    assert await line.waiting() == 1
    assert await line.run() == (0, "COMPLETED")
    assert await line.waiting() == 0
    await line.world.start()


async def test_a_message_whose_job_fails_stays(line: Line) -> None:
    await line.asks("job_nobodyknows")
    code, _ = await line.run()
    assert code == 1
    assert await line.waiting() == 1


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"job_id": 7}', '{"job_id": ""}'])
def test_a_message_that_names_no_job_is_refused_with_what_is_wrong(body: str, tmp_path: Path) -> None:
    environment: dict[str, Any] = {"SQS_MESSAGE_BODY": body, "SHIPMATE_WORKDIR": str(tmp_path)}
    done = CliRunner().invoke(cli, ["run-job"], env={**environment, "SHIPMATE_JOB_ID": None})
    assert done.exit_code == 2
    assert "SQS_MESSAGE_BODY" in done.output
