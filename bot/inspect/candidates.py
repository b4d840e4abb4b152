"""Which folders may hold an application: those with a manifest, a Dockerfile or a Procfile, grouped by workspace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot.inspect.folder import Folder, as_map
from bot.inspect.languages.registry import claimants
from bot.inspect.manifests.package_json import PackageJson
from bot.inspect.manifests.pins import listed
from bot.inspect.paths import depth, is_demoted, is_output, join, parent
from bot.inspect.reader import Reader

MAX_CANDIDATES = 60
MAX_DEPTH = 4
_MANIFEST = re.compile(
    r"(?:.*/)?(?:package\.json5?|(?:apps|packages|libs|services)/[\w/.-]+/project\.json|deno\.jsonc?|requirements\.txt|pyproject\.toml|Pipfile|manage\.py|environment\.ya?ml|"
    r"go\.mod|go\.work|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|build\.sbt|project\.clj|deps\.edn|Gemfile|"
    r"composer\.json|mix\.exs|gleam\.toml|pubspec\.yaml|Package\.swift|shard\.yml|build\.zig|stack\.yaml|"
    r"[\w.-]+\.(?:csproj|fsproj|vbproj|sln|slnx|cabal)|CMakeLists\.txt|meson\.build|Procfile|Dockerfile|Containerfile)"
)


@dataclass(frozen=True)
class Candidate:
    """A folder to draft. `member` says that a workspace lists it; `nested` are candidates below it."""

    root: str
    member: bool = False
    below: str | None = None
    nested: tuple[str, ...] = field(default_factory=tuple)


def candidate_roots(reader: Reader, named: str = "") -> list[Candidate]:
    """The folders to draft, shallow ones first; tests and examples only where there is nothing else.

    `named` is a folder that the settings name: it is one of them whatever it looks like, if it holds anything.
    """
    found = {parent(path) for path in reader.index.all() if path.count("/") <= MAX_DEPTH and _MANIFEST.fullmatch(path)}
    folders = sorted({folder for folder in found if not is_output(folder + "/")} | {""}, key=lambda f: (depth(f), f))
    listed_ones = set(_members(reader, folders[: MAX_CANDIDATES * 2]))
    solid = [folder for folder in folders if not is_demoted(folder) or _is_docs_member(folder, listed_ones)]
    chosen = solid if len(solid) > 1 or _root_counts(reader) else folders
    if len(chosen) > MAX_CANDIDATES:
        reader.notice(
            "many_folders", f"{len(chosen)} folders look like applications; the first {MAX_CANDIDATES} were read"
        )
    kept = _without_parts(reader, chosen[:MAX_CANDIDATES])
    if named not in kept and reader.index.below(named):
        kept.append(named)
    return [_candidate(folder, kept, listed_ones) for folder in kept]


def _is_docs_member(folder: str, members: set[str]) -> bool:
    """A workspace that lists `apps/docs` means a site to publish, where a stray docs/ folder does not."""
    return folder in members and folder.rpartition("/")[2] in ("docs", "documentation", "storybook", "demo", "examples")


def _root_counts(reader: Reader) -> bool:
    return bool(claimants(Folder(reader, "")))


def _candidate(folder: str, kept: list[str], members: set[str]) -> Candidate:
    nested = tuple(other for other in kept if other != folder and _is_below(other, folder))
    above = [other for other in kept if other != folder and _is_below(folder, other)]
    return Candidate(folder, folder in members, max(above, key=depth) if above else None, nested)


def _is_below(folder: str, above: str) -> bool:
    return not above or folder.startswith(f"{above}/")


def _without_parts(reader: Reader, folders: list[str]) -> list[str]:
    """Leave out folders that the build of a folder above already covers (modules, crates, projects of a solution)."""
    owners: list[tuple[str, frozenset[str]]] = []
    kept = []
    for root in folders:
        claims = frozenset(language.id for language in claimants(Folder(reader, root)))
        own = any(_is_below(root, above) and claims and claims <= owned for above, owned in owners)
        has_dockerfile = any(join(root, name) in reader.index for name in ("Dockerfile", "Containerfile"))
        if own and not has_dockerfile:
            continue
        kept.append(root)
        owned = frozenset(language.id for language in claimants(Folder(reader, root)) if language.owns_members)
        if owned:
            owners.append((root, owned))
    return kept


def _members(reader: Reader, folders: Iterable[str]) -> Iterator[str]:
    """The candidates that some workspace declaration above them lists."""
    folders = list(folders)
    for root in folders:
        globs = workspace_globs(Folder(reader, root))
        for folder in folders:
            if folder != root and _is_below(folder, root):
                inner = folder[len(root) + 1 if root else 0 :]
                if any(_glob_fits(inner, glob) for glob in globs):
                    yield folder


def _glob_fits(inner: str, glob: str) -> bool:
    wanted = glob.strip("./").rstrip("/")
    if wanted.endswith("/**"):
        return inner.startswith(wanted[:-3])
    return inner.count("/") == wanted.count("/") and fnmatchcase(inner, wanted)


def workspace_globs(folder: Folder) -> list[str]:
    """The folders a workspace declaration of any tool lists, as globs."""
    globs = [*PackageJson(folder).workspaces(), *listed(folder.yaml("pnpm-workspace.yaml").get("packages"))]
    globs += listed(folder.json("lerna.json").get("packages"))
    uv = as_map(as_map(as_map(folder.toml("pyproject.toml").get("tool")).get("uv")).get("workspace"))
    globs += listed(uv.get("members"))
    rush = folder.json("rush.json").get("projects")
    globs += [path for item in rush if (path := as_map(item).get("projectFolder"))] if isinstance(rush, list) else []
    globs += _go_uses(folder.text("go.work") or "")
    if folder.first("nx.json", "turbo.json", "moon.yml", ".moon/workspace.yml", "lerna.json"):
        globs += ["apps/*", "packages/*", "libs/*", "services/*"]
    return [glob for glob in globs if not glob.startswith("!")]


def _go_uses(text: str) -> Iterator[str]:
    """The folders that the `use` lines and blocks of a go.work name: https://go.dev/ref/mod#go-work-file-use"""
    inside = False
    for line in text.splitlines():
        words = line.partition("//")[0].split()
        if not words or words[0] == ")":
            inside = inside and not words
        elif words[:2] == ["use", "("] or words[0] == "use(":
            inside = True
        elif inside or (words[0] == "use" and len(words) > 1):
            yield words[0 if inside else 1].strip('"').removeprefix("./")
