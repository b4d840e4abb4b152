"""The CodeBuild buildspec that builds an application's image and pushes it to ECR."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType

import yaml

from bot.inspect.errors import UnsafeCommand
from bot.inspect.model import AppPlan

_DIGEST_FILE = "image.json"


def buildspec(
    plan: AppPlan,
    *,
    dockerfile: str | None = None,
    context: str | None = None,
    registry: str = "public.ecr.aws/docker/library",
    buildkit_image: str | None = None,
    build_args: Mapping[str, str] = MappingProxyType({}),
    labels: Mapping[str, str] = MappingProxyType({}),
    files: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A buildspec (version 0.2) for one application, as YAML.

    CodeBuild gives `IMAGE_REPO` (the ECR repository's address), `AWS_REGION` and, if the tag is not to be the commit,
    `IMAGE_TAG`; the project must be privileged. `registry` fills the Dockerfile's REGISTRY, `buildkit_image` names a
    mirrored BuildKit for the container driver. `files` (path → text) are written into the checkout first: what was
    generated is not in the repository. Every name from the repository is quoted for the shell; one with a control
    character raises UnsafeCommand.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
    """
    build = _build_command(
        _quoted(dockerfile or plan.dockerfile or "Dockerfile"),
        _quoted(context or plan.docker_context or plan.path),
        {"REGISTRY": registry, **build_args},
        labels,
    )
    document = {
        "version": 0.2,
        "env": {"shell": "bash", "exported-variables": ["IMAGE_DIGEST"]},
        "phases": {
            "pre_build": {"commands": [*_written(files), *_pre_build(buildkit_image)]},
            "build": {"commands": [build]},
            "post_build": {"commands": _post_build()},
        },
        "artifacts": {"files": [_DIGEST_FILE, "imagedefinitions.json"]},
    }
    return yaml.safe_dump(document, sort_keys=False, width=1000)


def _quoted(name: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise UnsafeCommand("unsafe_name", f"The path {name[:80]!r} holds a control character.", "build:\n  context: .")
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def _written(files: Mapping[str, str]) -> list[str]:
    """Commands that write the files; no line of a text can be taken for its end, which is made of the text."""
    commands: list[str] = []
    for path, text in files.items():
        lines, end = text.removesuffix("\n"), f"END_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        commands.append(f"cat > {_quoted(path)} <<'{end}'\n{lines}\n{end}\n")
    return commands


def _pre_build(buildkit_image: str | None) -> list[str]:
    driver = f" --driver-opt image={_quoted(buildkit_image)}" if buildkit_image else ""
    return [
        'TAG="${IMAGE_TAG:-${CODEBUILD_RESOLVED_SOURCE_VERSION:?no commit to build}}"',
        'aws ecr get-login-password --region "$AWS_REGION" | '
        'docker login --username AWS --password-stdin "${IMAGE_REPO%%/*}"',
        f"docker buildx create --use --driver docker-container{driver}",
    ]


def _build_command(dockerfile: str, context: str, build_args: Mapping[str, str], labels: Mapping[str, str]) -> str:
    cache = 'type=registry,ref="$IMAGE_REPO":cache'
    options = [f"--build-arg {shlex.quote(f'{name}={value}')} " for name, value in build_args.items()]
    options += [f"--label {shlex.quote(f'{name}={value}')} " for name, value in labels.items()]
    return (
        f"docker buildx build --push --provenance=false --file {dockerfile} {''.join(options)}"
        f"--cache-from {cache} --cache-to {cache},mode=max,image-manifest=true,oci-mediatypes=true "
        f'--metadata-file {_DIGEST_FILE} --tag "$IMAGE_REPO:$TAG" {context}'
    )


def _post_build() -> list[str]:
    return [
        'test "$CODEBUILD_BUILD_SUCCEEDING" = 1',
        f"IMAGE_DIGEST=$(jq -er '.\"containerimage.digest\"' {_DIGEST_FILE})",
        'printf \'[{"name":"app","imageUri":"%s@%s"}]\' "$IMAGE_REPO" "$IMAGE_DIGEST" > imagedefinitions.json',
    ]
