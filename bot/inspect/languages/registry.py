"""Which languages a folder may be, how surely each, and who fills the draft in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.go import inspect_go
from bot.inspect.languages.node import inspect_node
from bot.inspect.languages.python import inspect_python
from bot.inspect.languages.site import inspect_site


@dataclass(frozen=True)
class Language:
    """A language's door: the manifests that claim a folder (regular expressions on names), its weight, its rules.

    `weight` orders the drafts of one folder when nothing else does: a compiled language's manifest beside a
    package.json is the program, and the package.json its assets.
    """

    id: str
    manifests: tuple[str, ...]
    weight: float
    inspect: Callable[[Draft], None]
    aliases: tuple[str, ...] = ()
    owns_members: bool = False  # its build at a folder covers the same language's manifests below

    def claims(self, folder: Folder) -> bool:
        """Whether one of the manifests stands directly in the folder."""
        return any(folder.first_match(manifest) for manifest in self.manifests)


LANGUAGES: tuple[Language, ...] = (
    Language("go", (r"go\.mod", r"go\.work", r"main\.go"), 0.70, inspect_go),
    Language(
        "python",
        (
            r"requirements\.(?:txt|in)",
            r"pyproject\.toml",
            r"Pipfile",
            r"environment\.ya?ml",
            r"setup\.(?:py|cfg)",
            r"manage\.py",
        ),
        0.60,
        inspect_python,
    ),
    Language("node", (r"package\.json",), 0.55, inspect_node, ("javascript", "typescript", "bun", "js", "ts")),
    Language(
        "site", (r"Staticfile", r"index\.html?", r"hugo\.\w+", r"config\.toml"), 0.20, inspect_site, ("html", "static")
    ),
)


def by_name(name: str) -> Language | None:
    """A language by its id or an alias, as .shipmate.yml may name it."""
    wanted = name.lower()
    return next((language for language in LANGUAGES if wanted == language.id or wanted in language.aliases), None)


def claimants(folder: Folder) -> Iterable[Language]:
    """Every language that finds a manifest of its own in the folder."""
    return [language for language in LANGUAGES if language.claims(folder)]
