"""Holds whoever IAM knows to their policies, and says no as AWS does, in its words and in each service's protocol.

Keys that IAM did not give open everything: most tests are about something else.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.iam.access_control import AssumedRoleAccessKey, CreateAccessKeyFailure, IAMUserAccessKey, create_access_key
from moto.iam.exceptions import NotFoundException

from tests.aws.emulator.account import ACCOUNT
from tests.aws.emulator.demands import EVERYTHING, Demand, action_of, demands_of
from tests.aws.emulator.documents import Statement, allowed
from tests.aws.emulator.standing import tags_of

_IN_XML = {"elasticloadbalancing", "iam", "sts"}


class NotAllowed(ServiceException):
    """What AWS answers to who may not. (One of moto's own would be looked for among the errors of its module.)"""


def install() -> None:
    """Look at every call before it is carried out."""
    warnings.filterwarnings("ignore", "Exception.NotAllowed. with code")  # it is in no service's model
    carry_out = BaseResponse.call_action

    def call_action(self: BaseResponse) -> Any:
        refusal = refusal_of(self)
        if refusal is None:
            return carry_out(self)
        return self.serialized(ActionResult(refusal))

    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def refusal_of(call: BaseResponse) -> NotAllowed | None:
    """What AWS answers to who may not; None for who may."""
    key, service = _signed(call.headers.get("Authorization", ""))
    who = _known(key, call.headers)
    if who is None:
        return None
    action = action_of(service, call._get_action())
    call.parse_parameters(call.normalized_request)
    statements = _statements(who)
    for demand in demands_of(action, call.params):
        if not _may(statements, demand):
            return NotAllowed(_code(service), _sentence(who.arn, demand))
    return None


def _may(statements: list[Statement], demand: Demand) -> bool:
    tags = {} if demand.resource == EVERYTHING else tags_of(demand.resource)
    standing = {f"aws:resourcetag/{name}".lower(): value for name, value in tags.items()}
    return allowed(statements, demand.action, demand.resource, {**standing, **demand.context})


def _signed(authorization: str) -> tuple[str, str]:
    """Key and service; both empty for what is not signed."""
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (scope[0], scope[3]) if len(scope) > 3 else ("", "")


def _known(key: str, headers: Mapping[str, str]) -> IAMUserAccessKey | AssumedRoleAccessKey | None:
    try:
        return create_access_key(ACCOUNT, "aws", key, dict(headers)) if key else None
    except CreateAccessKeyFailure:
        return None


def _statements(who: IAMUserAccessKey | AssumedRoleAccessKey) -> list[Statement]:
    try:
        policies: list[Any] = who.collect_policies()
    except NotFoundException:
        return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]  # a role of an account that is not played here
    return [statement for policy in policies for statement in json.loads(_document(policy))["Statement"]]


def _document(policy: Any) -> str:
    """A managed policy, or one that is written into a user."""
    if isinstance(policy, Mapping):
        return str(policy["policy_document"])
    return str(next(one.document for one in policy.versions if one.is_default))


def _code(service: str) -> str:
    if service == "ec2":
        return "UnauthorizedOperation"
    return "AccessDenied" if service in _IN_XML else "AccessDeniedException"


def _sentence(who: str, demand: Demand) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    return (
        f"User: {who} is not authorized to perform: {demand.action} on resource: {demand.resource} because no "
        f"identity-based policy allows the {demand.action} action"
    )
