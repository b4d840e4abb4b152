"""The harbour with a state machine in it, which deploys in Shipmate's place; images lie in the emulated ECR."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from aws.clients import AwsClients
from aws.composition import EcsParts
from aws.ecr import Login
from aws.errors import AwsRefusal
from aws.follow import Lookout
from aws.rollouts import EcsRollouts
from bot.ports.engines import RolloutEngine
from bot.ports.images import BuiltImage, LogSink, PushedImage
from tests.aws.harbour import QUICK, Carrier, Harbour
from tests.aws.network import CONTAINER_PORT
from tests.aws.rollouts.test_rollouts import Berth

LOOKOUT = Lookout(every_s=0.02, for_s=10.0, rule_settles_s=0.0)
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
DEFINITION = Path(__file__).parents[3] / "infra" / "state-machine.asl.json"


def quick_definition() -> str:
    """The published state machine, which waits one second instead of ten."""
    definition = json.loads(DEFINITION.read_text())
    definition["States"]["Wait"]["Seconds"] = 1
    return json.dumps(definition)


@dataclass
class Lighter(Carrier):
    """Lays the image into the emulated ECR too, under the digest of a manifest, since its arrival is told there."""

    clients: AwsClients | None = None

    def __call__(self, login: Login) -> Lighter:
        return replace(self, login=login)

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """By the manifest's digest."""
        config = {"digest": image.id, "size": 1}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": config, "layers": []})
        digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        assert self.clients is not None
        given = {"imageManifest": manifest, "imageTag": tag, "imageDigest": digest}
        with suppress(AwsRefusal):  # it is there already
            await self.clients.call("ecr", "PutImage", repositoryName=repository, **given)
        pushed = await super().push(image, repository, tag, log)
        uri = f"{pushed.repository}@{digest}"
        await asyncio.to_thread(self.emulator.has_image, uri, self.does(image))
        return replace(pushed, uri=uri)


class Slipway(Harbour):
    """A harbour whose production a state machine deploys."""

    lookout = LOOKOUT

    def _engine(self, clients: AwsClients, parts: EcsParts) -> RolloutEngine:
        """With images in the emulated ECR."""
        pusher = Lighter(self.engine, self.emulator, clients=clients)
        return super()._engine(clients, replace(parts, pusher=pusher, lookout=self.lookout))

    async def stand(self, does: str) -> None:
        """A service that somebody brought there without Shipmate."""
        berth = Berth(self.clients, self.emulator, self.network, EcsRollouts(self.clients, self.owner, pace=QUICK))
        spec = replace(berth.spec(does), strategy="all")
        await berth.over(await berth.rollouts.begin(spec, await berth.rollouts.prepare(spec), gated=False))

    async def follow(self, definition: str | None = None, **ecs: Any) -> str:
        """From now on a state machine deploys production; what there is goes there. The ARN of the machine."""
        machine = await self.machine(definition or quick_definition())
        await self.push_files({".shipmate.yml": self.followed(machine, **ecs)})
        await self.settle()
        return machine

    def followed(self, machine: str, **ecs: Any) -> str:
        """The settings that say so."""
        known = {"cluster": self.network.cluster, "service": f"shipmate-{self.network.name}", "url": self.network.url}
        follow = {"state_machine": machine, "events_role": self.network.role, **known}
        production = {"branch": "main", "target": "ecs", "port": CONTAINER_PORT, "checks": 2}
        return yaml.safe_dump({"environments": {"production": {**production, "ecs": {"follow": follow, **ecs}}}})

    async def machine(self, definition: str) -> str:
        """A new state machine."""
        name = f"{self.network.name}-{hashlib.sha256(definition.encode()).hexdigest()[:6]}"
        made = await self.clients.call(
            "stepfunctions", "CreateStateMachine", name=name, definition=definition, roleArn=self.network.role
        )
        return str(made["stateMachineArn"])

    async def executions(self, machine: str) -> list[str]:
        """The state of each execution, newest first."""
        reply = await self.clients.call("stepfunctions", "ListExecutions", stateMachineArn=machine)
        return [one["status"] for one in reply["executions"]]

    async def rules(self) -> list[str]:
        """The rules that stand for jobs of this harbour."""
        reply = await self.clients.call("events", "ListRules", NamePrefix="shipmate-deployment-")
        jobs = {job.id for job in await self.jobs()}
        return [rule["Name"] for rule in reply["Rules"] if any(job in rule["Name"] for job in jobs)]

    async def secrets(self) -> list[str]:
        """The secrets that stand for jobs of this harbour."""
        reply = await self.clients.call("secretsmanager", "ListSecrets")
        jobs = {job.id for job in await self.jobs()}
        return [one["Name"] for one in reply["SecretList"] if any(job in one["Name"] for job in jobs)]
