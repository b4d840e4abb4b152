"""What AWS's answers mean: the one place that turns botocore's errors into the house's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own, broader than Python's
    CredentialRetrievalError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from bot.errors import Permanent, ShipmateError, Transient

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException.Throttled",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
_DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
        "UnauthorizedException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_INVALID_KEYS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ACTION = re.compile(r"not authorized to perform:?\s+([A-Za-z0-9-]+:[A-Za-z0-9*]+)")
_PREFIX = {"elbv2": "elasticloadbalancing", "stepfunctions": "states", "cloudwatch": "cloudwatch"}
"""Where IAM calls a service by another name than its client."""
_LONGEST_MESSAGE = 600


class AwsRefusal(Permanent):
    """AWS said no: `aws_code` is its own word, `message` its sentence; adapters match on these and nothing else."""

    def __init__(self, operation: str, aws_code: str, message: str) -> None:
        self.aws_code = aws_code
        self.message = message.strip()[:_LONGEST_MESSAGE]
        super().__init__("aws_refused", operation=operation, aws_code=aws_code, message=self.message)


@contextmanager
def aws_errors(operation: str) -> Iterator[None]:
    """Translate what one call to AWS raises; `operation` is `service.Operation`, as in `ecs.UpdateService`.

    Transient: "aws_throttled" (with `retry_after_s` where AWS named a time), "aws_unavailable" (5xx, reset, cut
    reply, no route), "aws_credentials_expired". Permanent: "aws_denied" (naming the missing `action`),
    "aws_credentials_invalid", "aws_credentials_missing", "aws_bad_call" (our bug), and AwsRefusal for the rest.
    """
    try:
        yield
    except ClientError as error:
        raise translated(operation, error) from error
    except (NoCredentialsError, NoAuthTokenError, PartialCredentialsError, ProfileNotFound, NoRegionError) as error:
        raise Permanent("aws_credentials_missing", operation=operation, message=str(error)) from error
    except (HTTPClientError, ConnectionError, CredentialRetrievalError, OSError) as error:
        raise unavailable(operation, str(error) or type(error).__name__) from error
    except BotoCoreError as error:
        raise Permanent("aws_bad_call", operation=operation, message=str(error)[:_LONGEST_MESSAGE]) from error


def translated(operation: str, error: ClientError) -> ShipmateError:
    """The house's error for one answer of AWS that is not a success."""
    response: Mapping[str, Any] = error.response
    told, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    status = int(meta.get("HTTPStatusCode", 0))
    if code in _THROTTLED or status == 429:
        return Transient("aws_throttled", retry_after_s=_retry_after_s(meta), operation=operation)
    if code in _EXPIRED:
        return Transient("aws_credentials_expired", operation=operation)
    if code in _INVALID_KEYS:
        return Permanent("aws_credentials_invalid", operation=operation, message=message[:_LONGEST_MESSAGE])
    if code in _DENIED or status == 403:
        action = missing_action(operation, message)
        return Permanent("aws_denied", operation=operation, action=action, message=message[:_LONGEST_MESSAGE])
    if status >= 500:
        return unavailable(operation, message or code)
    return AwsRefusal(operation, code, message)


def missing_action(operation: str, message: str) -> str:
    """The IAM action that was not allowed: as AWS's sentence names it, else what the operation needs."""
    named = _ACTION.search(message)
    if named:
        return named.group(1)
    service, _, name = operation.partition(".")
    return f"{_PREFIX.get(service, service)}:{name}"


def unavailable(operation: str, why: str) -> Transient:
    """AWS cannot be reached, hung up, or has a fault of its own. What it did with the request is unknown."""
    return Transient("aws_unavailable", operation=operation, message=why[:_LONGEST_MESSAGE])


def _retry_after_s(meta: Mapping[str, Any]) -> float | None:
    given = str(meta.get("HTTPHeaders", {}).get("retry-after", ""))
    return float(given) if given.replace(".", "", 1).isdigit() else None
