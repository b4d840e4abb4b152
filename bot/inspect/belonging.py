"""Which of the drafted applications are parts of another one: a second view of its image, its assets, its tooling."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.inspect.folder import Folder
from bot.inspect.model import AppPlan
from bot.inspect.paths import normal
from bot.inspect.reader import Reader


def without_parts(reader: Reader, plans: Sequence[AppPlan]) -> list[AppPlan]:
    """The plans that stand for an application of their own."""
    return [plan for plan in plans if not any(_is_part(reader, plan, other) for other in plans if other is not plan)]


def only_starts_members(plan: AppPlan) -> bool:
    """Whether a workspace's root does nothing but start its members; one with an image of its own does more."""
    return plan.traits.get("orchestrates") == "yes" and plan.dockerfile is None


def _is_part(reader: Reader, plan: AppPlan, other: AppPlan) -> bool:
    if "path_override" in plan.traits or other.confidence < 0.5:
        return False
    if _lies_in(plan.static_output, other):
        return True
    if not _is_below(plan, other) or other.language is None or only_starts_members(other):
        return False
    if plan.traits.get("writes_above") and other.start is not None:
        return True
    shared = plan.dockerfile is not None and plan.dockerfile == other.dockerfile
    return shared or plan.family is None or _is_embedded(reader, plan, other)


def _is_below(plan: AppPlan, other: AppPlan) -> bool:
    above = normal(other.path)
    return plan.path != other.path and (not above or normal(plan.path).startswith(f"{above}/"))


def _lies_in(output: str | None, other: AppPlan) -> bool:
    """Whether a site is written into another application's folder, which serves it."""
    return output is not None and other.path != "." and other.start is not None and output.startswith(f"{other.path}/")


def _is_embedded(reader: Reader, plan: AppPlan, other: AppPlan) -> bool:
    """Whether a Go program compiles this site into itself: https://pkg.go.dev/embed"""
    if other.language != "go" or plan.static_output is None:
        return False
    folder = Folder(reader, normal(plan.path))
    return any(
        re.search(r"^//go:embed\s", folder.text(name) or "", re.MULTILINE) for name in folder.match(r"[^/]+\.go")
    )
