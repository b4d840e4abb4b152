"""What a quality snapshot asks for and what it answers; off by default, each part for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class SonarSettings:
    """A SonarQube server and the project to read there; `token` needs only the right to browse it."""

    url: str
    project: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A language model behind an OpenAI-compatible address (`…/v1`), and what one summary may cost at most."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    max_characters_sent: int = 6_000
    max_tokens_answered: int = 400


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """The parts that are wanted. `mask` removes secrets from any text before it leaves this machine."""

    complexity: bool = False
    findings: bool = False
    sonar: SonarSettings | None = None
    model: ModelSettings | None = None
    mask: Callable[[str], str] = str
    limit_s: float = 120.0
    """How long each tool may take."""

    def about(self, repository: str) -> QualitySettings:
        """The settings with the key of this repository's project at SonarQube filled in: `{owner}`, `{repo}`."""
        if self.sonar is None:
            return self
        owner, _, name = repository.rpartition("/")
        project = self.sonar.project.replace("{owner}", owner).replace("{repo}", name)
        return replace(self, sonar=replace(self.sonar, project=project))


@dataclass(frozen=True, slots=True)
class ComplexFunction:
    """One function and its cyclomatic complexity; `line` counts from 1."""

    path: str
    line: int
    name: str
    complexity: int
    lines: int


@dataclass(frozen=True, slots=True)
class Complexity:
    """Functions counted over all languages lizard reads, and the most complex ones, the worst first."""

    functions: int
    average: float
    above_limit: int
    worst: Sequence[ComplexFunction]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a linter found; `line` counts from 1."""

    path: str
    line: int
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings counted by rule, the most frequent first, and some of them."""

    total: int
    by_rule: Mapping[str, int]
    first: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Summary:
    """Words a language model wrote, and the very text it was sent. Generated: to be read with doubt."""

    text: str
    model: str
    sent: str


@dataclass(frozen=True, slots=True)
class QualitySnapshot:
    """The parts that were asked for and could be had; `warnings` says what could not."""

    complexity: Complexity | None = None
    findings: Findings | None = None
    sonar: Mapping[str, str] | None = None
    summary: Summary | None = None
    warnings: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """As published; a part that was not asked for is null."""
        return {
            "complexity": self.complexity and _complexity(self.complexity),
            "findings": self.findings and _findings(self.findings),
            "sonar": self.sonar and dict(self.sonar),
            "summary": self.summary and _summary(self.summary),
            "warnings": list(self.warnings),
        }


def _complexity(part: Complexity) -> dict[str, Any]:
    worst = [
        {
            "path": entry.path,
            "line": entry.line,
            "name": entry.name,
            "complexity": entry.complexity,
            "lines": entry.lines,
        }
        for entry in part.worst
    ]
    return {"functions": part.functions, "average": part.average, "aboveLimit": part.above_limit, "worst": worst}


def _findings(part: Findings) -> dict[str, Any]:
    first = [{"path": item.path, "line": item.line, "rule": item.rule, "message": item.text} for item in part.first]
    return {"total": part.total, "byRule": dict(part.by_rule), "first": first}


def _summary(part: Summary) -> dict[str, Any]:
    return {"generated": True, "model": part.model, "text": part.text, "sent": part.sent}
