"""What has to be allowed for a call to be carried out: actions, on which resources, under which conditions.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.aws.emulator.account import ACCOUNT, REGION

EVERYTHING = "*"
"""The resource of an action that knows none: only a statement about everything allows it."""


@dataclass(frozen=True)
class Demand:
    """One action on one resource. `context`: condition keys in small letters, without the resource's own tags."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


RESOURCES: Mapping[str, str] = {
    "cloudwatch:DescribeAlarms": "alarm:{AlarmNames}",
    "cloudwatch:GetMetricData": EVERYTHING,
    "codebuild:BatchGetBuilds": "project/{ids}",
    "codebuild:BatchGetProjects": "project/{names}",
    "codebuild:CreateProject": "project/{name}",
    "codebuild:DeleteProject": "project/{name}",
    "codebuild:ListBuildsForProject": "project/{projectName}",
    "codebuild:StartBuild": "project/{projectName}",
    "codebuild:StopBuild": "project/{id}",
    "dynamodb:DeleteItem": "table/{TableName}",
    "dynamodb:GetItem": "table/{TableName}",
    "dynamodb:PutItem": "table/{TableName}",
    "dynamodb:Query": "table/{TableName}/index/{IndexName}",
    "dynamodb:Scan": "table/{TableName}",
    "ec2:AttachInternetGateway": "internet-gateway/{InternetGatewayId}",
    "ec2:AuthorizeSecurityGroupIngress": "security-group/{GroupId}",
    "ec2:CreateInternetGateway": "internet-gateway/new",
    "ec2:CreateRoute": "route-table/{RouteTableId}",
    "ec2:CreateSecurityGroup": "security-group/new",
    "ec2:CreateSubnet": "subnet/new",
    "ec2:CreateVpc": "vpc/new",
    "ec2:DeleteInternetGateway": "internet-gateway/{InternetGatewayId}",
    "ec2:DeleteRoute": "route-table/{RouteTableId}",
    "ec2:DeleteSecurityGroup": "security-group/{GroupId}",
    "ec2:DeleteSubnet": "subnet/{SubnetId}",
    "ec2:DeleteVpc": "vpc/{VpcId}",
    "ec2:DescribeAvailabilityZones": EVERYTHING,
    "ec2:DescribeInternetGateways": EVERYTHING,
    "ec2:DescribeRouteTables": EVERYTHING,
    "ec2:DescribeSecurityGroups": EVERYTHING,
    "ec2:DescribeSubnets": EVERYTHING,
    "ec2:DescribeVpcs": EVERYTHING,
    "ec2:DetachInternetGateway": "internet-gateway/{InternetGatewayId}",
    "ec2:ReplaceRoute": "route-table/{RouteTableId}",
    "ec2:RevokeSecurityGroupIngress": "security-group/{GroupId}",
    "ecr:BatchGetImage": "repository/{repositoryName}",
    "ecr:CreateRepository": "repository/{repositoryName}",
    "ecr:DeleteRepository": "repository/{repositoryName}",
    "ecr:DescribeRepositories": "repository/{repositoryNames}",
    "ecr:GetAuthorizationToken": EVERYTHING,
    "ecr:GetLifecyclePolicy": "repository/{repositoryName}",
    "ecr:ListTagsForResource": "{resourceArn}",
    "ecr:PutImage": "repository/{repositoryName}",
    "ecr:PutLifecyclePolicy": "repository/{repositoryName}",
    "ecs:ContinueServiceDeployment": "{serviceDeploymentArn}",
    "ecs:CreateCluster": "cluster/{clusterName}",
    "ecs:CreateService": "service/{cluster}/{serviceName}",
    "ecs:DeleteCluster": "cluster/{cluster}",
    "ecs:DeleteService": "service/{cluster}/{service}",
    "ecs:DescribeClusters": "cluster/{clusters}",
    "ecs:DescribeServiceDeployments": "{serviceDeploymentArns}",
    "ecs:DescribeServiceRevisions": "{serviceRevisionArns}",
    "ecs:DescribeServices": "service/{cluster}/{services}",
    "ecs:DescribeTaskDefinition": EVERYTHING,
    "ecs:DescribeTasks": "task/{cluster}/{tasks}",
    "ecs:ListServiceDeployments": "service/{cluster}/{service}",
    "ecs:ListTasks": EVERYTHING,
    "ecs:RegisterTaskDefinition": "task-definition/{family}:new",
    "ecs:RunTask": "{taskDefinition}",
    "ecs:StopServiceDeployment": "{serviceDeploymentArn}",
    "ecs:StopTask": "task/{cluster}/{task}",
    "ecs:TagResource": "{resourceArn}",
    "ecs:UntagResource": "{resourceArn}",
    "ecs:UpdateService": "service/{cluster}/{service}",
    "elasticloadbalancing:CreateListener": "{LoadBalancerArn}",
    "elasticloadbalancing:CreateLoadBalancer": "loadbalancer/app/{Name}/new",
    "elasticloadbalancing:CreateRule": "{ListenerArn}",
    "elasticloadbalancing:CreateTargetGroup": "targetgroup/{Name}/new",
    "elasticloadbalancing:DeleteListener": "{ListenerArn}",
    "elasticloadbalancing:DeleteLoadBalancer": "{LoadBalancerArn}",
    "elasticloadbalancing:DeleteRule": "{RuleArn}",
    "elasticloadbalancing:DeleteTargetGroup": "{TargetGroupArn}",
    "elasticloadbalancing:DescribeListeners": EVERYTHING,
    "elasticloadbalancing:DescribeLoadBalancers": EVERYTHING,
    "elasticloadbalancing:DescribeRules": EVERYTHING,
    "elasticloadbalancing:DescribeTags": EVERYTHING,
    "elasticloadbalancing:DescribeTargetGroups": EVERYTHING,
    "elasticloadbalancing:ModifyListener": "{ListenerArn}",
    "elasticloadbalancing:ModifyTargetGroup": "{TargetGroupArn}",
    "events:DeleteRule": "rule/{Name}",
    "events:ListRules": EVERYTHING,
    "events:ListTagsForResource": "{ResourceARN}",
    "events:PutRule": "rule/{Name}",
    "events:PutTargets": "rule/{Rule}",
    "events:RemoveTargets": "rule/{Rule}",
    "iam:AttachRolePolicy": "role/shipmate/{RoleName}",
    "iam:CreateRole": "role{Path}{RoleName}",
    "iam:DeleteRole": "role/shipmate/{RoleName}",
    "iam:DeleteRolePolicy": "role/shipmate/{RoleName}",
    "iam:DetachRolePolicy": "role/shipmate/{RoleName}",
    "iam:GetRole": "role/shipmate/{RoleName}",
    "iam:GetRolePolicy": "role/shipmate/{RoleName}",
    "iam:ListAttachedRolePolicies": "role/shipmate/{RoleName}",
    "iam:PutRolePermissionsBoundary": "role/shipmate/{RoleName}",
    "iam:PutRolePolicy": "role/shipmate/{RoleName}",
    "iam:UpdateAssumeRolePolicy": "role/shipmate/{RoleName}",
    "logs:CreateLogGroup": "log-group:{logGroupName}",
    "logs:DeleteLogGroup": "log-group:{logGroupName}",
    "logs:DescribeLogGroups": EVERYTHING,
    "logs:GetLogEvents": "log-group:{logGroupName}:log-stream:{logStreamName}",
    "logs:ListTagsForResource": "{resourceArn}",
    "logs:PutRetentionPolicy": "log-group:{logGroupName}",
    "secretsmanager:CreateSecret": "secret:{Name}-new",
    "secretsmanager:DeleteSecret": "secret:{SecretId}",
    "secretsmanager:GetSecretValue": "secret:{SecretId}",
    "secretsmanager:ListSecrets": EVERYTHING,
    "secretsmanager:PutSecretValue": "secret:{SecretId}",
    "states:DescribeExecution": "{executionArn}",
    "states:DescribeStateMachine": "{stateMachineArn}",
    "states:GetExecutionHistory": "{executionArn}",
    "states:StopExecution": "{executionArn}",
    "sts:AssumeRole": "{RoleArn}",
}
"""What each action is about, filled in from the request; a field that holds an ARN and stands alone is that ARN.

A role's path is not in the calls about it: ours stand under `/shipmate/`.
"""
PERMITTED = "sts:GetCallerIdentity"
"""Needs no permission, and no policy takes it away."""
_PREFIXES = {"monitoring": "cloudwatch"}
_TAGGING = {
    "ec2": "ec2:CreateTags",
    "ecr": "ecr:TagResource",
    "ecs": "ecs:TagResource",
    "elasticloadbalancing": "elasticloadbalancing:AddTags",
    "events": "events:TagResource",
    "iam": "iam:TagRole",
    "logs": "logs:TagResource",
    "secretsmanager": "secretsmanager:TagResource",
    "sts": "sts:TagSession",
}
"""What a call that makes something with tags needs beside; CodeBuild asks for nothing more."""
_IN_A_VPC = ("ec2:AttachInternetGateway", "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:DetachInternetGateway")
"""What is also about the VPC it happens in."""


def action_of(service: str, operation: str) -> str:
    """As IAM calls it; `service` is what requests are signed for."""
    return f"{_PREFIXES.get(service, service)}:{operation}"


def demands_of(action: str, given: Mapping[str, Any]) -> list[Demand]:
    """All that has to be allowed. Raises KeyError for a call that nobody said here what it is about."""
    if action == PERMITTED:
        return []
    tagged = {f"aws:requesttag/{name}".lower(): value for name, value in _tags_in(given).items()}
    asked = {**tagged, "iam:policyarn": given["PolicyArn"]} if "PolicyArn" in given else tagged
    about = [Demand(action, resource, asked) for resource in _resources(RESOURCES[action], action, given)]
    return [*about, *_beside(action, given), *_tagging(action, given, tagged), *_handing_on(action, given)]


def _beside(action: str, given: Mapping[str, Any]) -> Iterator[Demand]:
    if action in _IN_A_VPC:
        yield Demand(action, _arn("ec2", f"vpc/{given.get('VpcId', 'default')}"))


def _tagging(action: str, given: Mapping[str, Any], asked: Mapping[str, str]) -> Iterator[Demand]:
    service, _, operation = action.partition(":")
    if not asked or service not in _TAGGING or action == _TAGGING[service]:
        return
    context = {**asked, f"{service}:createaction": operation}
    for resource in _resources(_made_by(action), action, given):
        yield Demand(_TAGGING[service], resource, context)


def _made_by(action: str) -> str:
    """A listener and a rule are about what they are made in, but it is themselves that are tagged."""
    inside = {
        "elasticloadbalancing:CreateListener": "listener/app/shipmate-new",
        "elasticloadbalancing:CreateRule": "listener-rule/app/shipmate-new",
    }
    return inside.get(action, RESOURCES[action])


def _handing_on(action: str, given: Mapping[str, Any]) -> Iterator[Demand]:
    """The roles that a service is to work under."""
    match action:
        case "ecs:RegisterTaskDefinition":
            handed, service = [given.get("executionRoleArn"), given.get("taskRoleArn")], "ecs-tasks"
        case "ecs:CreateService" | "ecs:UpdateService":
            balancing = given.get("loadBalancers") or []
            handed, service = [one.get("advancedConfiguration", {}).get("roleArn") for one in balancing], "ecs"
        case "codebuild:CreateProject":
            handed, service = [given["serviceRole"]], "codebuild"
        case "events:PutTargets":
            handed, service = [one.get("RoleArn") for one in given["Targets"]], "events"
        case _:
            return
    for role in filter(None, handed):
        yield Demand("iam:PassRole", role, {"iam:passedtoservice": f"{service}.amazonaws.com"})


def _resources(pattern: str, action: str, given: Mapping[str, Any]) -> list[str]:
    if pattern == EVERYTHING:
        return [EVERYTHING]
    fields = re.findall(r"{(\w+)}", pattern)
    values = [_several(given.get(name, _UNSAID.get(name, ""))) for name in fields]
    if [pattern] == [f"{{{name}}}" for name in fields]:
        return [str(value) for value in values[0]]
    names = [[_name(name, value) for value in several] for name, several in zip(fields, values, strict=True)]
    chosen = [dict(zip(fields, one, strict=True)) for one in itertools.product(*names)]
    return [_arn(action.partition(":")[0], pattern.format(**one)) for one in chosen]


_UNSAID = {"cluster": "default", "Path": "/"}


def _name(field_name: str, value: Any) -> str:
    """A name where an ARN may stand as well; a build's id begins with its project's name."""
    text = str(value)
    if field_name in {"id", "ids"}:
        return text.partition(":")[0]
    if field_name == "SecretId" and text.startswith("arn:"):
        return text.partition(":secret:")[2]
    return text.rpartition("/")[2] if text.startswith("arn:") else text


def _arn(service: str, resource: str) -> str:
    region = "" if service == "iam" else REGION
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def _tags_in(given: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a request gives, however its service spells them."""
    tags = given.get("tags") or given.get("Tags") or []
    if isinstance(tags, Mapping):
        return dict(tags)
    specified = [tag for one in given.get("TagSpecifications") or [] for tag in one.get("Tags", [])]
    return {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in [*tags, *specified]}


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
