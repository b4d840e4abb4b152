"""One EventBridge rule a deployment: the push of its image's tag starts the team's state machine, once.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal

PREFIX = "shipmate-deployment-"
TARGET = "state-machine"
PATHS: Mapping[str, str] = {
    "account": "$.account",
    "region": "$.region",
    "repository": "$.detail.repository-name",
    "tag": "$.detail.image-tag",
    "digest": "$.detail.image-digest",
}
"""What the execution is told of the event."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What is waited for, and what it starts. `role` lets EventBridge start the state machine."""

    deployment: str
    repository: str
    tag: str
    state_machine: str
    role: str
    given: Mapping[str, str | None] = field(default_factory=dict)
    """What else the state machine is told: the service, and what it ran before."""

    @property
    def name(self) -> str:
        """The rule's name."""
        return PREFIX + self.deployment


async def arm(clients: AwsClients, trigger: Trigger, owner: str) -> None:
    """Make the rule and its target. Repeatable: both are told whole, under names of the deployment's own."""
    await clients.call(
        "events",
        "PutRule",
        Name=trigger.name,
        EventPattern=json.dumps(pattern(trigger)),
        State="ENABLED",
        Description="Starts the state machine when the image of one deployment arrives.",
        Tags=tags.upper({tags.OWNER: owner, tags.JOB: trigger.deployment}),
    )
    target = {
        "Id": TARGET,
        "Arn": trigger.state_machine,
        "RoleArn": trigger.role,
        "InputTransformer": {
            "InputPathsMap": dict(PATHS),
            "InputTemplate": template(trigger),
        },
    }
    reply = await clients.call("events", "PutTargets", Rule=trigger.name, Targets=[target])
    for failed in reply.get("FailedEntries", []):
        raise AwsRefusal("events.PutTargets", str(failed.get("ErrorCode")), str(failed.get("ErrorMessage")))


async def disarm(clients: AwsClients, deployment: str) -> bool:
    """Remove the rule and its target; answers whether there was one. Repeatable."""
    name = PREFIX + deployment
    try:
        await clients.call("events", "RemoveTargets", Rule=name, Ids=[TARGET])
        await clients.call("events", "DeleteRule", Name=name)
    except AwsRefusal as refusal:
        if refusal.aws_code != "ResourceNotFoundException":
            raise
        return False
    return True


async def armed(clients: AwsClients, owner: str) -> list[str]:
    """The deployments for which `owner` has a rule."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        reply = await clients.call("events", "ListRules", NamePrefix=PREFIX, **token)
        for rule in reply["Rules"]:
            told = await clients.call("events", "ListTagsForResource", ResourceARN=rule["Arn"])
            if tags.read(told["Tags"]).get(tags.OWNER) == owner:
                found.append(str(rule["Name"]).removeprefix(PREFIX))
        if not reply.get("NextToken"):
            return found
        token = {"NextToken": reply["NextToken"]}


def template(trigger: Trigger) -> str:
    """The execution's input: our own facts as they are, the event's where EventBridge puts them in.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    ours = {"deploymentId": trigger.deployment, **trigger.given}
    event = ", ".join(f'"{name}": <{name}>' for name in PATHS)
    return json.dumps(ours)[:-1] + f", {event}}}"


def pattern(trigger: Trigger) -> dict[str, object]:
    """The event of one tag's successful push, and no other."""
    return {
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action"],
        "detail": {
            "action-type": ["PUSH"],
            "result": ["SUCCESS"],
            "repository-name": [trigger.repository],
            "image-tag": [trigger.tag],
        },
    }
