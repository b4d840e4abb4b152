"""Ruby: Gemfile, framework, the command that serves, the asset build."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependencies, Dependency, Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_text
from bot.inspect.languages.common import settle_framework, settle_framework_port, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command

_GEM = re.compile(r"^(\s*)gem\s*\(?\s*['\"]([\w.-]+)['\"]((?:\s*,\s*['\"][^'\"]+['\"])*)")
_GROUP = re.compile(r"^[ \t]*group\s*\(?(.*?)\)?\s*do\b")
_RUBY = re.compile(r"^[ \t]*ruby\s*\(?\s*['\"]([^'\"]+)['\"](?:\s*,\s*['\"]([^'\"]+)['\"])?", re.MULTILINE)
_LOCKED_RUBY = re.compile(r"^RUBY VERSION\s+ruby (\d+(?:\.\d+)*)", re.MULTILINE)
_BUNDLED = re.compile(r"^BUNDLED WITH\s+(\d[\d.]*)", re.MULTILINE)
_PORTS = (
    r"ENV(?:\.fetch)?[\[(]\s*['\"]PORT['\"]\s*[\])]?\s*(?:\|\||,|\)?\s*\{)\s*['\"]?(\d{2,5})",
    r"^[ \t]*port\s+(\d{2,5})",
    r"set\s+:port\s*,\s*(\d{2,5})",
    r"bind\s+['\"]tcp://[^:]*:(\d{2,5})",
)
_ENTRIES = ("app.rb", "main.rb", "server.rb", "application.rb", "web.rb", "index.rb", "bot.rb", "hello.rb")


def inspect_ruby(draft: Draft) -> None:
    """Fill the draft from the Gemfile, its lock file and the framework's own files."""
    folder = draft.folder
    draft.family = "ruby"
    at = folder.first("Gemfile", "gems.rb", "config.ru")
    draft.settle("language", "ruby", "ruby/manifest", f"{at} is there", at=at)
    _settle_bundler(draft)
    settle_runtime(draft, "ruby", _pins(folder))
    dependencies = gather(_dependencies(folder))
    match = settle_framework(draft, ("ruby",), dependencies)
    match = _drop_rails_part(draft, match)
    _settle_site(draft, match)
    _settle_build(draft, match, dependencies)
    if not draft.settled("start"):
        _settle_start(draft, match, dependencies)
    draft.has_entry = draft.has_entry or draft.text("start") is not None
    settle_port_from_command(draft)
    sources = [n for n in ("config/puma.rb", "puma.rb", "config.ru", *_ENTRIES) if folder.has(n)]
    settle_port_from_code(draft, sources, _PORTS)
    settle_framework_port(draft, match)
    draft.rule_out("static_output")


def _settle_bundler(draft: Draft) -> None:
    folder = draft.folder
    if not folder.has("Gemfile"):
        return
    draft.settle("package_manager", "bundler", "ruby/bundler", "the Gemfile is bundler's", at="Gemfile")
    bundled = _BUNDLED.search(folder.text("Gemfile.lock") or "")
    if bundled:
        line = folder.line("Gemfile.lock", "BUNDLED WITH")
        why = "BUNDLED WITH names it"
        draft.settle("package_manager_version", bundled[1], "ruby/bundled-with", why, at="Gemfile.lock", line=line)
    if not folder.has("Gemfile.lock"):
        folder.reader.notice(
            "no_lock", "no Gemfile.lock: each install may resolve other versions", folder.path("Gemfile")
        )
    draft.settle("install", "bundle install", "ruby/install", "installs the Gemfile's gems")


def _pins(folder: Folder) -> Iterator[Pin]:
    yield from (p for p in file_pins(folder, ".ruby-version", prefix="ruby-") if p.text[:1].isdigit())
    match = _RUBY.search(folder.text("Gemfile") or "")
    if match:
        text = ", ".join(part for part in match.groups() if part)
        yield Pin(text, folder.path("Gemfile"), folder.line("Gemfile", _RUBY), "Gemfile")
    locked = _LOCKED_RUBY.search(folder.text("Gemfile.lock") or "")
    if locked:
        yield Pin(locked[1], folder.path("Gemfile.lock"), folder.line("Gemfile.lock", "RUBY VERSION"), "Gemfile.lock")
    yield from tool_pins(folder, "ruby")


def _dependencies(folder: Folder) -> Iterator[Dependency]:
    dev = False
    for line in (folder.text("Gemfile") or "").splitlines():
        group = _GROUP.match(line)
        if group:
            dev = ":production" not in group[1]
        elif re.match(r"^[ \t]*end\b", line):
            dev = False
        gem = _GEM.match(line)
        if gem:
            inline = re.search(r"group:\s*:?(?:development|test)|:group\s*=>", line)
            yield Dependency(gem[2], "Gemfile", gem[3].strip(" ,'\"") or None, dev or bool(inline))


def _drop_rails_part(draft: Draft, match: Match | None) -> Match | None:
    """`railties` alone, or a config.ru beside no web gem, still count; a gem used for its tests only does not."""
    if (
        match
        and match.framework.id in ("sinatra", "hanami")
        and match.certainty < 1
        and not draft.folder.has("config.ru")
    ):
        return None
    return match


def _settle_site(draft: Draft, match: Match | None) -> None:
    if match is None or not match.framework.site:
        return
    folder = draft.folder
    named = as_text(folder.yaml("_config.yml").get("destination")) if match.framework.id == "jekyll" else None
    output = (named or match.framework.static or "build").removeprefix("./").strip("/")
    if draft.settle("static_output", output, f"{match.framework.id}/output", f"{match.framework.id} writes there"):
        draft.rule_out("start")
        draft.has_entry = True
    draft.settle("build", match.framework.build, f"{match.framework.id}/build", f"{match.framework.id} is run so")


def _settle_build(draft: Draft, match: Match | None, dependencies: Dependencies) -> None:
    if match is None or match.framework.id != "rails" or not _has_assets(draft.folder, dependencies):
        return
    command = "SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile"
    draft.settle("build", command, "rails/assets", "the application has assets to compile")


def _has_assets(folder: Folder, dependencies: Dependencies) -> bool:
    pipelines = (
        "sprockets-rails",
        "propshaft",
        "sprockets",
        "vite_rails",
        "cssbundling-rails",
        "jsbundling-rails",
        "sass-rails",
    )
    return folder.any(r"app/assets/.+") and (
        any(p in dependencies for p in pipelines) or folder.has("app/assets/config/manifest.js")
    )


def _settle_start(draft: Draft, match: Match | None, dependencies: Dependencies) -> None:
    framework = match.framework.id if match else None
    command, at, guessed = _start(draft.folder, framework, dependencies)
    if command:
        start_with(draft, command, f"ruby/{framework or 'file'}", f"{at} is how it is started", at, guessed=guessed)


def _start(folder: Folder, framework: str | None, dependencies: Dependencies) -> tuple[str | None, str | None, bool]:
    if framework == "rails":
        at = folder.first("bin/rails", "config/environment.rb", "Gemfile")
        program = "bin/rails" if at == "bin/rails" else "rails"
        return f"bundle exec {program} server -b 0.0.0.0 -p $PORT", at, False
    if folder.has("config.ru"):
        return _rack_server(folder, dependencies), "config.ru", False
    entry = folder.first(*_ENTRIES) or next(iter(folder.match(r"[\w-]+\.rb")), None)
    if entry is None:
        return None, None, True
    prefix = "bundle exec " if folder.has("Gemfile") else ""
    return f"{prefix}ruby {entry}", entry, framework is None


def _rack_server(folder: Folder, dependencies: Dependencies) -> str:
    if folder.has("config/puma.rb") and "puma" in dependencies:
        return "bundle exec puma -C config/puma.rb"
    if "puma" in dependencies:
        return "bundle exec puma -b tcp://0.0.0.0:$PORT"
    if "unicorn" in dependencies:
        return "bundle exec unicorn -o 0.0.0.0 -p $PORT"
    if "thin" in dependencies:
        return "bundle exec thin start -a 0.0.0.0 -p $PORT -R config.ru"
    if "passenger" in dependencies:
        return "bundle exec passenger start --address 0.0.0.0 --port $PORT"
    return "bundle exec rackup config.ru -o 0.0.0.0 -p $PORT"
