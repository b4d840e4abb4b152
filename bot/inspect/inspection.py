"""Looks at a whole repository: finds the folders that are applications and drafts each one's plan."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.inspect.belonging import only_starts_members, without_parts
from bot.inspect.candidates import Candidate, candidate_roots
from bot.inspect.dockerfile_checks import check_dockerfile
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.inspect.dockerfile_search import DockerfileChoice, choose_dockerfile
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.registry import Language, by_name, claimants
from bot.inspect.manifests.images import settle_from_image
from bot.inspect.manifests.platforms import settle_from_platforms
from bot.inspect.manifests.procfile import settle_from_procfile, settle_web_port
from bot.inspect.model import AppPlan, BuildOverrides, Inspection, Notice
from bot.inspect.paths import depth, is_demoted, join, normal
from bot.inspect.reader import Reader
from bot.inspect.tree import Tree

SETTINGS_FILE = ".shipmate.yml"
MAX_APPS = 40
MAX_PROGRAMS = 20
_SAID = (SETTINGS_FILE, "Procfile")
_RUNS_A_SCRIPT = re.compile(r"(?:npm|pnpm|yarn|bun) (?:run )?start(?::\w+)?")
_DEMOTED_WEIGHT = 0.3
_DEPTH_COST = 0.03


def inspect_tree(tree: Tree, overrides: BuildOverrides | None = None) -> Inspection:
    """Every application of a repository, the likeliest first. Broken manifests become warnings, never errors.

    `overrides` (from .shipmate.yml) applies to the application in the folder it names, which then stands first, else to
    the one at the root, or to the only one.
    """
    reader = Reader(tree)
    if overrides and overrides.language and by_name(overrides.language) is None:
        reader.notice("unknown_language", f"build.language {overrides.language!r} is not known", SETTINGS_FILE)
    target = normal(overrides.path) if overrides and overrides.path else ""
    candidates = candidate_roots(reader)
    kept = _kept(reader, candidates, overrides, target)
    if target and not any(plan.path == target for plan in kept):
        kept = _kept(reader, candidate_roots(reader, target), overrides, target)
    if overrides and not overrides.path and len(kept) == 1 and kept[0].path != ".":
        kept = [
            plan for plan in _plans(reader, candidates, overrides, target=kept[0].path) if plan.path == kept[0].path
        ]
    if overrides and overrides.path and not any(normal(plan.path) == target for plan in kept):
        reader.notice("unknown_path", f"build.path {overrides.path!r} holds no application", SETTINGS_FILE)
    ordered = sorted(kept, key=lambda plan: (normal(plan.path) != target if target else False, *_order(plan)))
    shown = ordered[:MAX_APPS]
    return Inspection(tuple(shown), (*tree.notices(), *reader.notices, *_about_dockerfiles(reader, shown)))


def _kept(
    reader: Reader, candidates: Sequence[Candidate], overrides: BuildOverrides | None, target: str
) -> list[AppPlan]:
    return without_parts(reader, _without_orchestrators(_plans(reader, candidates, overrides, target=target)))


def _about_dockerfiles(reader: Reader, plans: Sequence[AppPlan]) -> list[Notice]:
    """What is to be said of the Dockerfiles that are used."""
    used = dict.fromkeys((plan.dockerfile, plan.docker_context or ".") for plan in plans if plan.dockerfile)
    return [notice for path, context in used for notice in check_dockerfile(reader, path, context)]


def _order(plan: AppPlan) -> tuple[float, int, str]:
    return -plan.confidence, depth(plan.path.removeprefix(".")), plan.path


def _plans(
    reader: Reader, candidates: Sequence[Candidate], overrides: BuildOverrides | None, *, target: str
) -> list[AppPlan]:
    """The plans of all candidates, the overrides applied to the one in `target`; lenient where none is found."""
    for lenient in (False, True):
        found: dict[str, AppPlan] = {}
        for candidate in candidates:
            for plan in _plan(reader, candidate, overrides, target, lenient=lenient):
                found.setdefault(plan.path, plan)
        if found:
            return list(found.values())
    return []


def _plan(
    reader: Reader, candidate: Candidate, given: BuildOverrides | None, target: str, *, lenient: bool
) -> list[AppPlan]:
    """The candidate's plans: none when it is a library or a part of something else, several for several programs.

    `lenient` takes a conventional entry file for an application, where nothing better was found.
    """
    overrides = given if candidate.root == target else None
    folder = Folder(reader, candidate.root, without=candidate.nested)
    dockerfile = choose_dockerfile(reader, candidate.root)
    languages = _languages(folder, overrides)
    drafts = [_draft(folder, language, overrides, dockerfile) for language in languages]
    if not drafts and dockerfile:
        drafts = [_draft(folder, None, overrides, dockerfile)]
    best = max(drafts, key=_rank, default=None)
    named = overrides is not None and overrides.path is not None
    if best is None or not (
        named or _is_application(best[1], candidate, dockerfile) or (lenient and best[1].has_entry)
    ):
        return []
    if not dockerfile and best[0] is not None and best[1].programs and not named and _makes_its_start(best[1]):
        return _each_program(folder, best[0], best[1].programs, given, target, candidate)
    return [best[1].freeze(_confidence(best[1], candidate, dockerfile))]


def _makes_its_start(draft: Draft) -> bool:
    """Whether the language said how the application starts: what settings or a Procfile say holds for one alone."""
    return any(item.field == "startCommand" and item.path not in _SAID for item in draft.evidence)


def _each_program(
    folder: Folder,
    language: Language,
    programs: Sequence[str],
    given: BuildOverrides | None,
    target: str,
    candidate: Candidate,
) -> list[AppPlan]:
    """An application for each program of one build, all built from where the build stands."""
    plans = []
    for program in programs[:MAX_PROGRAMS]:
        meant = target in (join(folder.root, program), "")
        draft = Draft(folder, given if meant else None, program)
        settle_from_procfile(draft)
        settle_from_platforms(draft)
        language.inspect(draft)
        settle_web_port(draft)
        plans.append(draft.freeze(_confidence(draft, candidate, None)))
    return plans


def _languages(folder: Folder, overrides: BuildOverrides | None) -> Sequence[Language]:
    named = by_name(overrides.language) if overrides and overrides.language else None
    return [named] if named else claimants(folder)


Ranked = tuple[Language | None, Draft]


def _draft(
    folder: Folder, language: Language | None, overrides: BuildOverrides | None, dockerfile: DockerfileChoice | None
) -> Ranked:
    draft = Draft(folder, overrides)
    settle_from_procfile(draft)
    settle_from_platforms(draft)
    if dockerfile:
        _settle_from_dockerfile(draft, dockerfile)
    if language:
        language.inspect(draft)
    elif dockerfile:
        settle_from_image(draft, dockerfile.path)
    settle_web_port(draft)
    return language, draft


def _settle_from_dockerfile(draft: Draft, choice: DockerfileChoice) -> None:
    parsed = parse_dockerfile(draft.folder.reader.text(choice.path) or "")
    draft.settle("dockerfile", choice.path, "dockerfile/found", choice.why, path=choice.path)
    draft.settle(
        "docker_context", choice.context, "dockerfile/context", "its COPY sources resolve there", path=choice.path
    )
    command = parsed.command()
    if command and _RUNS_A_SCRIPT.fullmatch(command):  # then package.json says it better
        command = None
    draft.settle("start", command, "dockerfile/command", "the image runs it", path=choice.path)
    draft.settle("port", parsed.web_port(), "dockerfile/expose", "the Dockerfile exposes it", path=choice.path)
    draft.has_entry = True


def _rank(ranked: Ranked) -> float:
    """A server before a builder of assets, a framework before a bare manifest, then the language's own weight."""
    language, draft = ranked
    weight = language.weight if language else 0.0
    certainty = draft.certainty
    if draft.text("static_output") is not None and draft.family != "site":
        certainty = 0.1
    return weight + 0.5 * certainty + (0.3 if draft.has_entry else 0.0)


def _is_application(draft: Draft, candidate: Candidate, dockerfile: DockerfileChoice | None) -> bool:
    if candidate.root == "" or dockerfile:
        return draft.has_entry or candidate.root == ""
    if not draft.has_entry or (draft.family == "site" and draft.folder.has("package.json")):
        return False
    if candidate.member and draft.traits.get("never_run"):
        return False
    return not draft.guessed_entry or draft.text("framework") is not None


def _confidence(draft: Draft, candidate: Candidate, dockerfile: DockerfileChoice | None) -> float:
    if not draft.has_entry:
        base = 0.3
    elif draft.certainty >= 0.7:
        base = 0.92
    else:
        base = 0.6 if draft.guessed_entry else 0.75
    if dockerfile:
        base = max(base, 0.9)
    base -= _DEPTH_COST * depth(candidate.root)
    demoted = is_demoted(candidate.root) and not candidate.member and "path_override" not in draft.traits
    return base * (_DEMOTED_WEIGHT if demoted else 1.0)


def _without_orchestrators(plans: list[AppPlan]) -> list[AppPlan]:
    """Leave out a root that only starts its members, or that has nothing to start while a member has."""
    others = [plan for plan in plans if plan.path != "."]
    return others if others and any(p.path == "." and _only_orchestrates(p) for p in plans) else plans


def _only_orchestrates(plan: AppPlan) -> bool:
    meant = "path_override" in plan.traits
    return not meant and (only_starts_members(plan) or plan.confidence < 0.5)
