"""Which template writes the Dockerfile of which toolchain."""

from __future__ import annotations

from collections.abc import Callable

from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder
from bot.inspect.generate.beam import write_elixir, write_gleam
from bot.inspect.generate.compiled import (
    write_cpp,
    write_crystal,
    write_dart,
    write_flutter,
    write_haskell,
    write_rust,
    write_swift,
    write_zig,
)
from bot.inspect.generate.dotnet import write_dotnet
from bot.inspect.generate.go import write_go
from bot.inspect.generate.jvm import write_clojure, write_jvm, write_scala
from bot.inspect.generate.node import write_node
from bot.inspect.generate.python import write_python
from bot.inspect.generate.scripted import write_deno, write_php, write_ruby, write_shell
from bot.inspect.generate.site import write_site
from bot.inspect.generate.writer import Writer
from bot.inspect.model import AppPlan

Template = Callable[[Writer, AppPlan, Folder], None]

TEMPLATES: dict[str, Template] = {
    "go": write_go,
    "node": write_node,
    "bun": write_node,
    "python": write_python,
    "site": write_site,
    "jvm": write_jvm,
    "scala": write_scala,
    "clojure": write_clojure,
    "dotnet": write_dotnet,
    "ruby": write_ruby,
    "php": write_php,
    "deno": write_deno,
    "shell": write_shell,
    "elixir": write_elixir,
    "gleam": write_gleam,
    "rust": write_rust,
    "dart": write_dart,
    "flutter": write_flutter,
    "swift": write_swift,
    "crystal": write_crystal,
    "zig": write_zig,
    "haskell": write_haskell,
    "cpp": write_cpp,
}


def template_for(plan: AppPlan) -> Template:
    """The template of the plan's toolchain; CannotGenerate when there is none."""
    template = TEMPLATES.get(plan.family or "")
    if template is None:
        raise CannotGenerate(
            "no_template",
            f"No Dockerfile can be generated for {plan.language or 'an unknown language'} in {plan.path}.",
            "build:\n  dockerfile: Dockerfile  # write one, or name the language: language: python",
        )
    return template
