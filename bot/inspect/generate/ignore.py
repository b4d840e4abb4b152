"""The .dockerignore that keeps history, secrets and build output out of the context."""

from __future__ import annotations

from bot.inspect.model import AppPlan

_ALWAYS = (
    ".git",
    ".gitignore",
    ".dockerignore",
    "Dockerfile*",
    "**/.env",
    "**/.env.*",
    "!**/.env.example",
    "**/*.pem",
    "**/*.key",
    "**/.DS_Store",
    ".github",
    ".idea",
    ".vscode",
    "*.md",
    "!README.md",
)
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
    "jvm": ("**/target", "**/build", "**/.gradle", "!gradle/wrapper/*.jar"),
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
    lines = [*_ALWAYS, *_BY_FAMILY.get(family, ())]
    return "\n".join(lines) + "\n"
