"""Which languages a folder may be, how surely each, and who fills the draft in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.beam import inspect_elixir, inspect_gleam
from bot.inspect.languages.cpp import inspect_cpp
from bot.inspect.languages.dart import inspect_dart
from bot.inspect.languages.deno import inspect_deno
from bot.inspect.languages.dotnet import inspect_dotnet
from bot.inspect.languages.go import inspect_go
from bot.inspect.languages.haskell import inspect_haskell
from bot.inspect.languages.jvm import inspect_jvm
from bot.inspect.languages.native import inspect_crystal, inspect_swift, inspect_zig
from bot.inspect.languages.node import inspect_node
from bot.inspect.languages.nx import inspect_nx, is_nx_application
from bot.inspect.languages.php import WEB_ROOTS, inspect_php
from bot.inspect.languages.python import inspect_python
from bot.inspect.languages.ruby import inspect_ruby
from bot.inspect.languages.rust import inspect_rust
from bot.inspect.languages.scala_clojure import inspect_clojure, inspect_scala
from bot.inspect.languages.script import inspect_shell
from bot.inspect.languages.site import SITE_FOLDERS, inspect_site


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
    places: tuple[str, ...] = ()  # further manifests, as exact paths below the folder
    strays: tuple[str, ...] = ()  # files that count only where no manifest of any language stands

    def claims(self, folder: Folder) -> bool:
        """Whether one of the manifests stands in the folder."""
        return any(map(folder.first_match, self.manifests)) or folder.first(*self.places) is not None

    def strays_in(self, folder: Folder) -> bool:
        """Whether a lone source file hints at the language."""
        return any(folder.any_shallow(stray) for stray in self.strays)


LANGUAGES: tuple[Language, ...] = (
    Language(
        "php",
        (
            r"composer\.json",
            r"artisan",
            r"wp-load\.php",
            r"wp-config(?:-sample)?\.php",
            r"index\.php",
        ),
        0.72,
        inspect_php,
        places=tuple(f"{root}/index.php" for root in WEB_ROOTS),
    ),
    Language("go", (r"go\.mod", r"go\.work"), 0.70, inspect_go, ("golang",), strays=(r"(?:cmd/\w+/)?[\w-]+\.go",)),
    Language("rust", (r"Cargo\.toml",), 0.70, inspect_rust, owns_members=True),
    Language(
        "jvm",
        (r"pom\.xml", r"build\.gradle(?:\.kts)?", r"settings\.gradle(?:\.kts)?", r"gradlew"),
        0.70,
        inspect_jvm,
        ("java", "kotlin"),
        owns_members=True,
    ),
    Language("scala", (r"build\.sbt",), 0.72, inspect_scala, owns_members=True),
    Language("clojure", (r"project\.clj", r"deps\.edn"), 0.70, inspect_clojure),
    Language(
        "dotnet", (r".+\.slnx?", r".+\.(?:cs|fs|vb)proj"), 0.70, inspect_dotnet, ("csharp", "fsharp"), owns_members=True
    ),
    Language("elixir", (r"mix\.exs",), 0.72, inspect_elixir, owns_members=True),
    Language("gleam", (r"gleam\.toml",), 0.70, inspect_gleam),
    Language("ruby", (r"Gemfile", r"config\.ru", r"gems\.rb"), 0.66, inspect_ruby),
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
        strays=(r"(?:src/)?(?:main|app|server|bot|start|run|index|hello|wsgi|asgi)\.py", r"[\w-]+\.py"),
    ),
    Language("deno", (r"deno\.jsonc?", r"deno\.lock"), 0.58, inspect_deno),
    Language(
        "node",
        (r"package\.json5?",),
        0.55,
        inspect_node,
        ("javascript", "typescript", "bun"),
        strays=(r"(?:src/)?(?:server|app|index|main)\.[cm]?[jt]s",),
    ),
    Language("nx", (r"project\.json",), 0.50, inspect_nx),
    Language("dart", (r"pubspec\.yaml",), 0.70, inspect_dart, owns_members=True),
    Language("swift", (r"Package\.swift",), 0.70, inspect_swift, owns_members=True),
    Language("crystal", (r"shard\.yml",), 0.70, inspect_crystal),
    Language("zig", (r"build\.zig",), 0.70, inspect_zig),
    Language("haskell", (r"stack\.yaml", r"package\.yaml", r".+\.cabal"), 0.70, inspect_haskell, owns_members=True),
    Language("cpp", (r"CMakeLists\.txt", r"meson\.build"), 0.50, inspect_cpp, ("c", "c++"), owns_members=True),
    Language(
        "site",
        (
            r"Staticfile",
            r"index\.html?",
            r"hugo\.\w+",
            r"config\.toml",
        ),
        0.20,
        inspect_site,
        ("html", "static"),
        places=tuple(f"{folder}/index.html" for folder in SITE_FOLDERS if folder != "docs"),
    ),
    Language("shell", (r"start\.sh", r"run\.sh"), 0.05, inspect_shell),
)


def by_name(name: str) -> Language | None:
    """A language by its id or an alias, as .shipmate.yml may name it."""
    wanted = name.lower()
    return next((language for language in LANGUAGES if wanted == language.id or wanted in language.aliases), None)


def claimants(folder: Folder) -> list[Language]:
    """Every language that finds a manifest of its own in the folder; where none does, what lone files hint at.

    One stray source file never decides against a manifest.
    """
    found = [language for language in LANGUAGES if language.claims(folder)]
    if any(language.id == "nx" for language in found) and not is_nx_application(folder):
        found = [language for language in found if language.id != "nx"]
    solid = [language for language in found if language.id not in ("site", "shell")]
    return found if solid else [*(language for language in LANGUAGES if language.strays_in(folder)), *found]
