"""The template for Shipmate itself: nothing a linter finds, nothing unsealed, nothing lost, no role with too much."""

from __future__ import annotations

import importlib
import json
import runpy
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws.clients import AwsClients
from tests.aws.infra.template import (
    INFRA,
    POLICIES,
    TEMPLATE,
    filled,
    found_by_cfn_lint,
    known_actions,
    policies,
    properties,
    published,
    resources,
    several,
    statements_of,
    template,
)
from tests.aws.network import Network

ROOT = INFRA.parent
LARGEST_POLICY = 6144
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
POLICIES_OF_A_ROLE = 10
NO_ONE_RESOURCE = {
    "cloudwatch:GetMetricData": "a load balancer's figures are no data set that could be named",
    "ecs:ListTasks": "tasks are listed by service, which is no resource of this action",
}
"""Actions that AWS could hold to a resource, and why it cannot be one here."""


# --- the template ---------------------------------------------------------------------------------------------------


def test_cfn_lint_finds_nothing() -> None:
    assert found_by_cfn_lint() == []


def test_cloudformation_reads_it_since_it_has_no_aliases() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html"""
    tokens = yaml.scan(TEMPLATE.read_text(encoding="utf-8"))
    assert not [token for token in tokens if isinstance(token, yaml.AliasToken | yaml.AnchorToken)]


def test_every_parameter_is_explained_and_has_its_place_in_the_console() -> None:
    parameters: dict[str, dict[str, Any]] = template()["Parameters"]
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for name, one in parameters.items() if len(one.get("Description", "")) < 20] == []
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)


def test_a_person_has_to_give_only_what_nobody_else_can_know() -> None:
    asked = {name for name, one in template()["Parameters"].items() if "Default" not in one}
    assert asked == {
        "Image",
        "DomainName",
        "CertificateArn",
        "GitHubAppId",
        "GitHubKeySecretArn",
        "ServerSecretArn",
    }


def test_the_state_machine_is_the_file_word_for_word() -> None:
    written = (INFRA / "state-machine.asl.json").read_text(encoding="utf-8")
    assert properties("DeployMachine")["DefinitionString"].strip() == written.strip()


def test_every_queue_has_a_dead_letter_queue_or_is_one() -> None:
    text = json.dumps(template()["Resources"])
    for name, queue in resources("AWS::SQS::Queue").items():
        kept = {"Fn::GetAtt": [name, "Arn"]}
        takes_dead_letters = f'"deadLetterTargetArn": {json.dumps(kept)}' in text
        takes_lost_events = f'"Destination": {json.dumps(kept)}' in text
        assert "RedrivePolicy" in queue["Properties"] or takes_dead_letters or takes_lost_events, name


def test_every_dead_letter_queue_rings() -> None:
    watched = [str(one["Properties"]["Dimensions"]) for one in resources("AWS::CloudWatch::Alarm").values()]
    dead = [name for name, queue in resources("AWS::SQS::Queue").items() if "RedrivePolicy" not in queue["Properties"]]
    assert dead
    assert [name for name in dead if not any(name in dimensions for dimensions in watched)] == []


def test_every_alarm_tells_the_topic_when_it_rings_and_when_it_is_over() -> None:
    told = {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == told, name


def test_every_log_is_kept_as_long_as_was_said_and_no_longer() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert groups
    assert {str(one["Properties"]["RetentionInDays"]) for one in groups.values()} == {str({"Ref": "LogDays"})}


SEALED: dict[str, tuple[tuple[str, ...], object]] = {
    "AWS::DynamoDB::Table": (("SSESpecification", "SSEEnabled"), True),
    "AWS::EFS::FileSystem": (("Encrypted",), True),
    "AWS::SQS::Queue": (("SqsManagedSseEnabled",), True),
}
"""What keeps data, and the property that says it is sealed; log groups are, whatever is said."""


@pytest.mark.parametrize("kind", SEALED)
def test_whatever_keeps_data_seals_it(kind: str) -> None:
    path, wanted = SEALED[kind]
    assert resources(kind)
    for name, one in resources(kind).items():
        value: Any = one["Properties"]
        for part in path:
            value = value[part]
        assert value is wanted, name


def test_nothing_is_said_in_the_clear() -> None:
    plain = properties("PlainListener")["DefaultActions"]
    disk = properties("ServerDefinition")["Volumes"][0]["EFSVolumeConfiguration"]
    assert [action["Type"] for action in plain] == ["redirect"]
    assert properties("Listener")["Protocol"] == "HTTPS"
    assert disk["TransitEncryption"] == "ENABLED"
    assert disk["AuthorizationConfig"]["IAM"] == "ENABLED"


def test_what_cannot_be_made_again_outlives_the_stack() -> None:
    for kind in ("AWS::EFS::FileSystem", "AWS::DynamoDB::Table"):
        for name, one in resources(kind).items():
            assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_two_servers_never_have_the_store_open() -> None:
    server = properties("Server")
    assert server["DesiredCount"] == 1
    assert server["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert server["AvailabilityZoneRebalancing"] == "DISABLED"


def test_no_secret_is_a_parameter_or_a_plain_variable() -> None:
    containers = [
        properties("ServerDefinition")["ContainerDefinitions"][0],
        properties("JobDefinition")["ContainerProperties"],
    ]
    secret = {"GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "SHIPMATE_SECRET_KEY", "SLACK_BOT_TOKEN", "DATABASE_URL"}
    for container in containers:
        assert not secret & {one["Name"] for one in container["Environment"] if "Name" in one}


UNREAD = {"QUEUE_URL"}
"""Given at scale only, for a server whose jobs others run; the one there is runs its own."""


def test_what_the_server_is_told_it_reads() -> None:
    container = properties("ServerDefinition")["ContainerDefinitions"][0]
    given = [one["Fn::If"][1] if "Fn::If" in one else one for one in container["Environment"] + container["Secrets"]]
    read = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "config.py", *ROOT.glob("aws/*.py")))
    assert {one["Name"] for one in given if f'"{one["Name"]}"' not in read} == UNREAD


def test_every_function_is_there_to_be_called() -> None:
    functions = resources("AWS::Lambda::Function")
    assert functions
    for one in functions.values():
        module, _, name = one["Properties"]["ImageConfig"]["Command"][0].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


# --- what roles may do ----------------------------------------------------------------------------------------------


def _may_be_held_to_a_resource(action: str) -> bool:
    service, _, name = action.partition(":")
    return bool(known_actions()[service]["Actions"][name.lower()].get("Resources"))


def test_a_role_may_act_on_everything_only_where_aws_knows_no_resource() -> None:
    loose = {
        action
        for _, statement in policies()
        if "*" in several(statement["Resource"])
        for action in several(statement["Action"])
        if _may_be_held_to_a_resource(action)
    }
    assert loose == set(NO_ONE_RESOURCE)


def test_every_action_is_one_that_aws_knows_and_none_has_a_star() -> None:
    for name, statement in policies():
        for action in several(statement["Action"]):
            service, _, operation = action.partition(":")
            assert operation.lower() in known_actions()[service]["Actions"], f"{name}: {action}"


def test_what_knows_no_resource_is_asked_of_everything() -> None:
    """A statement that names a resource allows nothing of an action that has none."""
    for name, statement in policies():
        unheld = [action for action in several(statement["Action"]) if not _may_be_held_to_a_resource(action)]
        assert not unheld or statement["Resource"] == "*", f"{name}: {unheld}"


def test_a_role_is_handed_only_to_the_service_that_needs_it() -> None:
    passing = [one for _, one in policies() if "iam:PassRole" in several(one["Action"])]
    assert passing
    for statement in passing:
        assert statement["Condition"]["StringEquals"]["iam:PassedToService"]
        assert statement["Action"] == "iam:PassRole"


SAYS_NOT_FOR_WHOM = {"lambda.amazonaws.com"}
"""Takes roles on without `aws:SourceAccount`; a role can be handed to a function of its own account only."""


def test_a_role_is_taken_on_for_this_account_alone() -> None:
    here = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    for name, role in resources("AWS::IAM::Role").items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        says = statement["Principal"]["Service"] not in SAYS_NOT_FOR_WHOM
        assert statement.get("Condition") == (here if says else None), name


def test_the_state_machine_may_do_what_its_states_do_and_write_its_log() -> None:
    states = json.loads((INFRA / "state-machine.asl.json").read_text(encoding="utf-8"))["States"].values()
    calls = [state["Resource"].rpartition(":aws-sdk:")[2].split(":") for state in states if "Resource" in state]
    needed = {f"{service}:{operation[0].upper()}{operation[1:]}" for service, operation in calls} | {"iam:PassRole"}
    given = {action for name, one in policies() if name == "DeployRole" for action in several(one["Action"])}
    assert {action for action in given if not action.startswith("logs:")} == needed


def test_every_statement_has_a_name_that_says_what_it_is_for() -> None:
    for path in POLICIES:
        names = [statement["Sid"] for statement in published(path.stem)]
        assert len(set(names)) == len(names), path.name


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_published_policy_is_what_the_template_gives_its_roles(path: Path) -> None:
    inside = properties(f"{path.stem.capitalize()}Policy")["PolicyDocument"]
    assert _without_sub(statements_of(inside)) == published(path.stem)


def _without_sub(value: Any) -> Any:
    if isinstance(value, dict):
        return value["Fn::Sub"] if "Fn::Sub" in value else {name: _without_sub(part) for name, part in value.items()}
    return [_without_sub(part) for part in value] if isinstance(value, list) else value


def test_the_template_is_as_the_script_writes_it() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert runpy.run_path(str(ROOT / "scripts" / "policies_into_template.py"))["filled"](text) == text


def test_the_server_has_every_published_policy() -> None:
    given = properties("ServerRole")["ManagedPolicyArns"]
    names = {one["Fn::If"][1]["Ref"] if "Fn::If" in one else one["Ref"] for one in given}
    assert names == {f"{path.stem.capitalize()}Policy" for path in POLICIES}
    assert len(given) <= POLICIES_OF_A_ROLE


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_is_not_too_long_for_aws(path: Path) -> None:
    document = filled(json.loads(path.read_text(encoding="utf-8")), Owner="s" * 31, **{"AWS::Region": "ap-northeast-2"})
    assert len(json.dumps(document, separators=(",", ":"))) <= LARGEST_POLICY


# --- made for real, as far as the emulator makes anything -----------------------------------------------------------

NOT_MADE_THERE = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Pipes::Pipe",
    "AWS::SQS::QueuePolicy",
}
"""What the emulated CloudFormation leaves out without a word, or stumbles over: the linter alone has looked at it."""


def _for_the_emulator(value: Any) -> Any:
    """Without what its CloudFormation knows nothing of: some kinds of resource, and Fn::Cidr."""
    if isinstance(value, dict) and "Fn::Cidr" in value:
        return ["10.77.0.0/24", "10.77.1.0/24"]
    if isinstance(value, dict):
        return {name: _for_the_emulator(part) for name, part in value.items() if not _is_left_out(part)}
    return [_for_the_emulator(part) for part in value] if isinstance(value, list) else value


def _is_left_out(value: Any) -> bool:
    return isinstance(value, dict) and value.get("Type") in NOT_MADE_THERE


async def _made(clients: AwsClients, **chosen: str) -> dict[str, str]:
    """Make a stack of the template; the resources that are there afterwards, with their types."""
    certificate = await clients.call("acm", "RequestCertificate", DomainName="shipmate.example.com")
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shipmate-abcdef"
    given = {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/shipmate:1",
        "DomainName": "shipmate.example.com",
        "CertificateArn": certificate["CertificateArn"],
        "GitHubAppId": "1",
        "GitHubKeySecretArn": secret,
        "ServerSecretArn": secret,
        **chosen,
    }
    kept = {name: part for name, part in _for_the_emulator(template()).items() if name != "Outputs"}
    name = f"s{uuid.uuid4().hex[:8]}"
    await clients.call(
        "cloudformation",
        "CreateStack",
        StackName=name,
        TemplateBody=json.dumps(kept),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = (await clients.call("cloudformation", "DescribeStacks", StackName=name))["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    told = await clients.call("cloudformation", "DescribeStackResources", StackName=name)
    return {
        one["LogicalResourceId"]: one["ResourceType"] for one in told["StackResources"] if "LogicalResourceId" in one
    }


def _wanted(**held: bool) -> set[str]:
    """The resources whose condition holds, of the kinds that are made there."""
    return {
        name
        for name, one in resources().items()
        if one["Type"] not in NOT_MADE_THERE and held.get(one.get("Condition", ""), True)
    }


async def test_the_server_alone_is_made(clients: AwsClients) -> None:
    alone = _wanted(Provisions=False, Scales=False, HasStateMachine=False, IsEventDriven=False)
    assert set(await _made(clients)) == alone


async def test_with_a_network_that_is_there_none_is_made(clients: AwsClients, network: Network) -> None:
    subnets = ",".join(network.subnets)
    vpc = (await clients.call("ec2", "DescribeSubnets", SubnetIds=[network.subnets[0]]))["Subnets"][0]["VpcId"]
    made = await _made(clients, VpcId=vpc, BalancerSubnets=subnets, TaskSubnets=subnets)
    assert not {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::InternetGateway"} & set(made.values())
    assert made["Server"] == "AWS::ECS::Service"


async def test_with_the_ways_in_beside_github_they_are_made(clients: AwsClients) -> None:
    """AWS Batch is left out: the emulated CloudFormation breaks on its job definitions."""
    asked_for = {"StateMachine": "yes", "EventDriven": "yes", "MayProvision": "yes"}
    assert set(await _made(clients, **asked_for)) == _wanted(Scales=False)
