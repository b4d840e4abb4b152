"""The .dockerignore that keeps history, secrets and build output out of the context."""

from __future__ import annotations

from bot.inspect.model import AppPlan

_ALWAYS = (
    ".git",
    ".gitignore",
    ".dockerignore",
    "Dockerfile*",
    "**/*.pem",
    "**/*.key",
    "**/.DS_Store",
    ".github",
    ".idea",
    ".vscode",
)
_SETTINGS = ("**/.env", "**/.env.*", "!**/.env.example")
_OWN_SETTINGS = ("**/.env.local", "**/.env.*.local")
"""Of a site built for browsers, whose other settings are published with it, https://vite.dev/guide/env-and-mode, and of
Symfony, which does not start without its .env: https://symfony.com/doc/current/configuration.html#configuration-multiple-env-files
"""
_BY_FAMILY = {
    "node": ("**/node_modules", ".next", ".nuxt", ".output", ".svelte-kit", "coverage", "**/.turbo", "npm-debug.log*"),
    "deno": ("**/node_modules",),
    "python": (
        "**/__pycache__",
        "**/*.pyc",
        ".venv",
        "venv",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        "*.egg-info",
    ),
    "go": ("bin", "tmp", "*.test"),
    "rust": ("target",),
    "jvm": ("**/target", "**/build", "**/.gradle", "!**/src/**", "!gradle/wrapper/*.jar"),
    "dotnet": ("**/bin", "**/obj"),
    "ruby": (".bundle", "log", "tmp", "vendor/bundle"),
    "php": ("vendor", "node_modules", "storage/logs", "var/cache", "var/log"),
    "elixir": ("_build", "deps", "**/node_modules"),
    "gleam": ("build",),
    "dart": (".dart_tool", "build"),
    "swift": (".build",),
    "crystal": ("bin", "lib"),
    "zig": ("zig-out", "zig-cache", ".zig-cache"),
    "haskell": (".stack-work", "dist-newstyle"),
    "cpp": ("build",),
    "site": ("**/node_modules",),
}


def dockerignore(plan: AppPlan) -> str:
    """What is left out of the build context of a plan's toolchain."""
    family = "node" if plan.family == "bun" else plan.family or ""
    has_public = plan.framework == "symfony" or (family == "node" and plan.static_output is not None)
    lines = [*_ALWAYS, *(_OWN_SETTINGS if has_public else _SETTINGS), *_BY_FAMILY.get(family, ())]
    return "\n".join(lines) + "\n"
