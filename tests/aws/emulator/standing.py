"""Reads the tags of whatever stands in the emulated account, by ARN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from moto.codebuild.models import codebuild_backends
from moto.core.resource_tagging import iter_taggable_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends

from tests.aws.emulator.account import ACCOUNT, REGION


def tags_of(arn: str) -> dict[str, str]:
    """Empty for what has none, and for what is not there."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    match service:
        case "codebuild":
            project = codebuild_backends[ACCOUNT][REGION].codebuild_projects.get(arn.rpartition("/")[2])
            return _read((project.project_metadata.get("tags") if project else None) or [])
        case "ec2":
            return dict(ec2_backends[ACCOUNT][REGION].tags.get(arn.rpartition("/")[2], {}))
        case "ecr":
            return _read(ecr_backends[ACCOUNT][REGION].tagger.list_tags_for_resource(arn)["tags"])
        case "elasticloadbalancing":
            known: dict[str, str] = elbv2_backends[ACCOUNT][REGION].describe_tags([arn])[arn]
            return known
        case "iam":
            return _of_role(arn)
    return _elsewhere(arn)


def _of_role(arn: str) -> dict[str, str]:
    for role in iam_backends[ACCOUNT]["aws"].roles.values():
        if role.arn == arn:
            return _read(role.tags)
    return {}


def _elsewhere(arn: str) -> dict[str, str]:
    for backend in iter_taggable_backends(ACCOUNT, REGION):
        if backend.owns_arn(arn):
            for resource in backend.iter_tagged_resources():
                if resource.arn == arn:
                    return dict(resource.tags)
    return {}


def _read(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag.get("key", tag.get("Key", "")): tag.get("value", tag.get("Value", "")) for tag in tags}
