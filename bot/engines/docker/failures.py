"""Says why a build failed: which instruction, on which line of the Dockerfile, with which exit code."""

from __future__ import annotations

import re
from pathlib import Path

from bot.engines.docker.errors import EngineRefusal
from bot.errors import Permanent, ShipmateError, Transient
from bot.inspect.dockerfile_parser import Dockerfile, parse_dockerfile

_EXIT_CODE = re.compile(r"(?:exit code|returned a non-zero code):? (\d+)")
_STEP_NAME = re.compile(r"^(?:\[[^\]]*\]\s+)?(?P<instruction>.*)$", re.DOTALL)
_NUMBERED = re.compile(r"^\[(?:(?P<stage>\S+) )?\s*(?P<at>\d+)/(?P<of>\d+)\] (?P<keyword>[A-Z]+)")
_LAYERS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_PARSE_LINE = re.compile(r"parse error (?:on )?line (\d+)")
_PREFIXES = re.compile(
    r"^(?:failed to solve(?: with frontend [\w.]+)?: |rpc error: code = \w+ desc = |failed to create LLB definition: )+"
)
_PASSING = re.compile(
    r"i/o timeout|TLS handshake timeout|connection reset|connection refused|no such host|temporary failure|"
    r"server misbehaving|network is unreachable|\b(?:429|500|502|503|504) |too many requests|unexpected EOF",
    re.IGNORECASE,
)
_FETCHING = re.compile(r"/v2/|failed to do request|failed to resolve|failed to fetch|load metadata")


def build_failure(refusal: EngineRefusal, step: str | None, dockerfile: Path) -> ShipmateError:
    """What a build that the engine gave up on is for the job.

    Transient("base_image_unavailable") when a base image could not be fetched for now, else Permanent("build_failed").
    """
    message = _PREFIXES.sub("", refusal.message)
    exit_code = _EXIT_CODE.search(message)
    if exit_code is None and _PASSING.search(message) and _FETCHING.search(message):
        return Transient("base_image_unavailable", message=message)
    instruction = _instruction(step)
    return Permanent(
        "build_failed",
        exit_code=int(exit_code[1]) if exit_code else None,
        step=instruction,
        message=_sentence(message, instruction, exit_code[1] if exit_code else None),
        line=_line(message, step, dockerfile),
    )


def _instruction(step: str | None) -> str | None:
    """`RUN make` of `[build 2/4] RUN make`; BuildKit's own steps (`[internal] …`) are no instruction."""
    if step is None or step.startswith(("[internal]", "[auth]")):
        return None
    match = _STEP_NAME.match(step)
    return match["instruction"].strip() if match else step


def _sentence(message: str, instruction: str | None, exit_code: str | None) -> str:
    if instruction and exit_code:
        return f"`{instruction}` ended with exit code {exit_code}"
    return f"`{instruction}`: {message}" if instruction else message


def _line(message: str, step: str | None, dockerfile: Path) -> int | None:
    """The line the parser names, or the one where the failing instruction begins; None where it is not certain."""
    named = _PARSE_LINE.search(message)
    if named or step is None:
        return int(named[1]) if named else None
    try:
        parsed = parse_dockerfile(dockerfile.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return _line_by_number(parsed, step) or _line_by_text(parsed, step)


def _line_by_number(dockerfile: Dockerfile, step: str) -> int | None:
    """BuildKit counts FROM and what makes a layer: `[build 3/5] RUN make`, `[stage-1 2/2] …`, or `[2/4] …` alone."""
    match = _NUMBERED.match(step)
    if match is None:
        return None
    name, number, count, keyword = match["stage"] or "stage-0", int(match["at"]), int(match["of"]), match["keyword"]
    for index, stage in enumerate(dockerfile.stages):
        counted = [one for one in stage.instructions if one.keyword in _LAYERS]
        if (stage.name or f"stage-{index}") != name or len(counted) != count - 1:
            continue
        if number >= 2 and counted[number - 2].keyword == keyword:
            return counted[number - 2].line
    return None


def _line_by_text(dockerfile: Dockerfile, step: str) -> int | None:
    wanted = _squeezed(_instruction(step) or "")
    lines = [one.line for one in dockerfile.instructions if _squeezed(f"{one.keyword} {one.value}") == wanted]
    return lines[0] if len(lines) == 1 else None


def _squeezed(text: str) -> str:
    return " ".join(text.split())
