"""What a service stands on, made in the emulator with fresh names: network, load balancer, target groups, cluster."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from aws.clients import AwsClients

PRODUCTION_PORT, TEST_PORT = 8080, 8081
CONTAINER_PORT = 8000


@dataclass(frozen=True, slots=True)
class Network:
    """Names and ARNs. `address` is the load balancer's, where it really listens."""

    name: str
    cluster: str
    subnets: tuple[str, ...]
    security_group: str
    address: str
    blue: str
    green: str
    production_rule: str
    test_rule: str
    role: str = "arn:aws:iam::123456789012:role/ecs"

    @property
    def url(self) -> str:
        """Where people's requests go."""
        return f"http://{self.address}:{PRODUCTION_PORT}"

    @property
    def test_url(self) -> str:
        """Where the test listener answers."""
        return f"http://{self.address}:{TEST_PORT}"

    def place(self) -> dict[str, Any]:
        """It as the settings of an environment state it."""
        return {
            "cluster": self.cluster,
            "subnets": list(self.subnets),
            "security_groups": [self.security_group],
            "target_group": self.blue,
            "alternate_target_group": self.green,
            "listener_rule": self.production_rule,
            "test_listener_rule": self.test_rule,
            "infrastructure_role": self.role,
            "execution_role": self.role,
            "desired_count": 2,
        }


@dataclass(frozen=True, slots=True)
class Vpc:
    """What networks may share: nothing that is shipped changes it."""

    id: str
    subnets: tuple[str, ...]
    security_group: str


async def make_vpc(clients: AwsClients) -> Vpc:
    """A VPC with room for the tasks of many tests."""
    vpc = (await clients.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    subnets = [await _subnet(clients, vpc, number) for number in range(2)]
    name = f"n{uuid.uuid4().hex[:8]}"
    group = await clients.call("ec2", "CreateSecurityGroup", GroupName=name, Description="tasks", VpcId=vpc)
    return Vpc(vpc, tuple(subnets), group["GroupId"])


async def lay_out(clients: AwsClients, vpc: Vpc | None = None) -> Network:
    """Make everything anew, in a VPC that is there or in one of its own."""
    inside = vpc or await make_vpc(clients)
    name = f"n{uuid.uuid4().hex[:8]}"
    made = await clients.call("elbv2", "CreateLoadBalancer", Name=name, Subnets=list(inside.subnets))
    balancer = made["LoadBalancers"][0]
    blue, green = [await _target_group(clients, f"{name}-{colour}", inside.id) for colour in ("blue", "green")]
    production = await _rule(clients, balancer["LoadBalancerArn"], PRODUCTION_PORT, [(blue, 100), (green, 0)])
    test = await _rule(clients, balancer["LoadBalancerArn"], TEST_PORT, [(blue, 100)])
    await clients.call("ecs", "CreateCluster", clusterName=name)
    address = str(balancer["DNSName"])
    return Network(name, name, inside.subnets, inside.security_group, address, blue, green, production, test)


async def _subnet(clients: AwsClients, vpc: str, number: int) -> str:
    zone = f"us-east-1{'ab'[number]}"
    block = f"10.0.{number * 64}.0/18"
    made = await clients.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


async def _target_group(clients: AwsClients, name: str, vpc: str) -> str:
    made = await clients.call(
        "elbv2",
        "CreateTargetGroup",
        Name=name,
        Protocol="HTTP",
        Port=CONTAINER_PORT,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/",
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


async def _rule(clients: AwsClients, balancer: str, port: int, shares: list[tuple[str, int]]) -> str:
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = await clients.call(
        "elbv2", "CreateListener", LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=nothing
    )
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares]
    made = await clients.call(
        "elbv2",
        "CreateRule",
        ListenerArn=listener["Listeners"][0]["ListenerArn"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )
    return str(made["Rules"][0]["RuleArn"])
