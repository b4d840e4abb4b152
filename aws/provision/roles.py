"""The roles that AWS itself works under for an environment: each may do its own part, for this environment alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws import tags
from aws.errors import AwsRefusal
from aws.provision.site import Found, Site, refused_with
from aws.provision.wish import Wish

PATH = "/shipmate/"
POLICY = "shipmate"
TRUST, BOUNDARY = "trust", "permissions boundary"
EXECUTION_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"
INFRASTRUCTURE_POLICY = "AmazonECSInfrastructureRolePolicyForLoadBalancers"
_GONE = "NoSuchEntity"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Role:
    """A role that `service` takes on, with one of AWS's own policies and one that is written for the environment.

    It may do nothing that the wish's boundary does not allow, where there is one.
    Where the service `tells_account`, it takes the role on for this account's work alone, whoever else names it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    """

    name: str
    service: str
    managed: str | None = None
    written: Callable[[Wish], Document | None] = lambda wish: None
    tells_account: bool = True
    kind: str = "role"
    within: str | None = None

    def title(self, wish: Wish) -> str:
        return f"{wish.stem}-{self.name.removesuffix('-role')}"

    async def look(self, site: Site) -> Found | None:
        try:
            role = (await site.clients.call("iam", "GetRole", RoleName=self.title(site.wish)))["Role"]
        except AwsRefusal as refusal:
            if refusal.aws_code == _GONE:
                return None
            raise
        site.require_ours(self.kind, self.title(site.wish), tags.read(role.get("Tags", [])))
        return Found(str(role["Arn"]), (*self._lacking_of(role, site.wish), *await self._lacking(site)))

    async def make(self, site: Site) -> Found | None:
        account = str((await site.clients.call("sts", "GetCallerIdentity"))["Account"])
        try:
            reply = await site.call(
                "iam",
                "CreateRole",
                Path=PATH,
                RoleName=self.title(site.wish),
                AssumeRolePolicyDocument=json.dumps(self._trust(account)),
                Description=f"{self.name} of {site.wish.repository} {site.wish.environment}"[:1000],
                Tags=tags.upper(site.wish.marks(self.name)),
                **({"PermissionsBoundary": site.wish.boundary} if site.wish.boundary else {}),
            )
        except AwsRefusal as refusal:
            if refusal.aws_code in {"EntityAlreadyExists", "EntityAlreadyExistsException"}:
                return None
            raise
        return Found(str(reply["Role"]["Arn"]), self._policies(site.wish))

    async def mend(self, site: Site, found: Found) -> None:
        name, document = self.title(site.wish), self.written(site.wish)
        if TRUST in found.lacks:
            trust = json.dumps(self._trust(_account_in(found.id)))
            await site.call("iam", "UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=trust)
        if BOUNDARY in found.lacks:
            boundary = site.wish.boundary
            await site.call("iam", "PutRolePermissionsBoundary", RoleName=name, PermissionsBoundary=boundary)
        if self.managed in found.lacks:
            policy = _arn_of(found.id, str(self.managed))
            await site.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=policy)
        if POLICY in found.lacks and document is not None:
            told = json.dumps(document)
            await site.call("iam", "PutRolePolicy", RoleName=name, PolicyName=POLICY, PolicyDocument=told)

    async def remove(self, site: Site, found: Found) -> None:
        name = self.title(site.wish)
        if self.managed:
            with refused_with(_GONE):
                policy = _arn_of(found.id, self.managed)
                await site.clients.call("iam", "DetachRolePolicy", RoleName=name, PolicyArn=policy)
        with refused_with(_GONE):
            await site.clients.call("iam", "DeleteRolePolicy", RoleName=name, PolicyName=POLICY)
        with refused_with(_GONE):
            await site.clients.call("iam", "DeleteRole", RoleName=name)

    def _trust(self, account: str) -> Document:
        statement: Document = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
        }
        if self.tells_account:
            statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _lacking_of(self, role: Mapping[str, Any], wish: Wish) -> Iterator[str]:
        """A boundary that nobody wishes for any more stays: it only takes away."""
        if _read(role["AssumeRolePolicyDocument"]) != self._trust(_account_in(str(role["Arn"]))):
            yield TRUST
        given = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        if wish.boundary not in {None, given}:
            yield BOUNDARY

    def _policies(self, wish: Wish) -> tuple[str, ...]:
        return tuple(one for one in (self.managed, POLICY if self.written(wish) else None) if one)

    async def _lacking(self, site: Site) -> tuple[str, ...]:
        name, lacks = self.title(site.wish), list[str]()
        if self.managed:
            reply = await site.clients.call("iam", "ListAttachedRolePolicies", RoleName=name)
            attached = [str(one["PolicyArn"]).partition(":policy/")[2] for one in reply["AttachedPolicies"]]
            lacks += [] if self.managed in attached else [self.managed]
        document = self.written(site.wish)
        if document is not None and await _document(site, name) != document:
            lacks.append(POLICY)
        return tuple(lacks)


async def _document(site: Site, role: str) -> Document | None:
    try:
        reply = await site.clients.call("iam", "GetRolePolicy", RoleName=role, PolicyName=POLICY)
    except AwsRefusal as refusal:
        if refusal.aws_code == _GONE:
            return None
        raise
    return _read(reply["PolicyDocument"])


def _read(told: str | Mapping[str, Any]) -> Document:
    document: Document = json.loads(told) if isinstance(told, str) else dict(told)
    return document


def _reading_secrets(wish: Wish) -> Document:
    """The environment's own secrets, and those that its settings name."""
    kept = f"arn:{partition_of(wish.region)}:secretsmanager:*:*:secret:shipmate/{wish.service}/*"
    named: Mapping[str, str] = wish.given.get("secrets", {})
    references = sorted({_without_key(arn) for arn in named.values()})
    secret = [kept, *(arn for arn in references if ":secretsmanager:" in arn)]
    parameters = [arn for arn in references if ":ssm:" in arn]
    statements = [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret}]
    if parameters:
        statements.append({"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": parameters})
    return {"Version": "2012-10-17", "Statement": statements}


EXECUTION_ROLE = Role("execution-role", "ecs-tasks.amazonaws.com", EXECUTION_POLICY, _reading_secrets)
INFRASTRUCTURE_ROLE = Role("infrastructure-role", "ecs.amazonaws.com", INFRASTRUCTURE_POLICY, tells_account=False)
"""AWS documents no condition for ECS itself: one that it does not answer would stop every deployment."""


def partition_of(region: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    known = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in known.items() if region.startswith(prefix)), "aws")


def _without_key(reference: str) -> str:
    """A task definition may name a key and a version after a secret's ARN; a policy names the secret."""
    if ":secretsmanager:" not in reference:
        return reference
    return ":".join(reference.split(":")[:7])


def _account_in(role: str) -> str:
    return role.split(":")[4]


def _arn_of(role: str, policy: str) -> str:
    return f"arn:{role.split(':')[1]}:iam::aws:policy/{policy}"
