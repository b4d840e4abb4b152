"""Rules that every generated Dockerfile keeps, checked on the parsed file."""

from __future__ import annotations

import json
import re

from bot.inspect.dockerfile_parser import Dockerfile, Instruction, parse_dockerfile

KNOWN = frozenset({"ARG", "FROM", "RUN", "COPY", "ADD", "ENV", "WORKDIR", "USER", "EXPOSE", "CMD"})
_SECRET = re.compile(r"(?i)(?:password|secret|token|api_key)\w*=\S")
_REGISTRIES = ("${REGISTRY}/", "${DOTNET_REGISTRY}/", "${GLEAM_REGISTRY}/")


def complaints(text: str, *, serves: bool) -> list[str]:
    """What is wrong with a generated Dockerfile; `serves` says that it listens on a port."""
    parsed = parse_dockerfile(text)
    found = [f"line {i.line}: {i.keyword} is not known" for i in parsed.instructions if i.keyword not in KNOWN]
    found += _head(text, parsed) + _stages(parsed) + _copies(parsed) + _packages(parsed) + _end(parsed, serves=serves)
    found += [f"line {i.line}: looks like a secret" for i in parsed.instructions if _is_secret(i)]
    return found


def _is_secret(instruction: Instruction) -> bool:
    text = instruction.value.replace("SECRET_KEY_BASE_DUMMY=1", "")
    return instruction.keyword in ("ARG", "ENV", "RUN") and bool(_SECRET.search(text))


def _head(text: str, parsed: Dockerfile) -> list[str]:
    found = [] if "# syntax" not in text else ["a syntax line would be pulled from a registry"]
    if parsed.arguments.get("REGISTRY") != "public.ecr.aws/docker/library":
        found.append("REGISTRY has no default")
    return found


def _stages(parsed: Dockerfile) -> list[str]:
    names = {stage.name for stage in parsed.stages}
    found = []
    for stage in parsed.stages:
        image = stage.image
        if image not in names and not image.startswith(_REGISTRIES):
            found.append(f"line {stage.line}: {image} cannot be taken from a mirror")
        if image not in names and (":" not in image.rpartition("/")[2] or image.endswith(":latest")):
            found.append(f"line {stage.line}: {image} is not pinned")
    return found


def _copies(parsed: Dockerfile) -> list[str]:
    """Manifests come before sources: nothing is installed from a lock file after everything was copied at once."""
    stages = {stage.name for stage in parsed.stages}
    return [
        f"line {i.line}: no stage {i.flag('from')}"
        for i in parsed.instructions
        if i.keyword == "COPY" and i.flag("from") and i.flag("from") not in stages
    ]


def _packages(parsed: Dockerfile) -> list[str]:
    found = []
    for run in (i for i in parsed.instructions if i.keyword == "RUN"):
        if "apt-get install" in run.value and not all(
            part in run.value for part in ("apt-get update", "--no-install-recommends", "rm -rf /var/lib/apt/lists")
        ):
            found.append(f"line {run.line}: apt leaves its lists, or takes recommended packages")
        if re.search(r"\bsudo\b|\bcurl\b[^|]*\|\s*(?:ba)?sh\b", run.value):
            found.append(f"line {run.line}: sudo, or a script piped into a shell")
    return found


def _end(parsed: Dockerfile, *, serves: bool) -> list[str]:
    final = parsed.final
    if final is None:
        return ["no stage"]
    found = []
    user, command = final.last("USER"), final.last("CMD")
    if user is None or not user.value.isdigit() or user.value == "0":
        found.append("the last stage does not run as a numeric user without rights")
    if command is None or not isinstance(json.loads(command.value), list):
        found.append("CMD is not in exec form")
    if serves and (
        not parsed.ports() or f"PORT={parsed.ports()[0]}" not in " ".join(i.value for i in final.all("ENV"))
    ):
        found.append("EXPOSE and PORT do not name the same port")
    return found
