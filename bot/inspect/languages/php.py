"""PHP: composer, framework, document root, the asset stage that a package.json beside it means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import settle_framework
from bot.inspect.manifests.package_json import PackageJson, find_manager
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins

WEB_ROOTS = ("public", "web", "htdocs", "www", "webroot", "docroot", "public_html")
_WEB_PORT = 8080


def inspect_php(draft: Draft) -> None:
    """Fill the draft from composer.json and where index.php stands."""
    folder = draft.folder
    draft.family = "php"
    at = folder.first("composer.json", "index.php", "public/index.php", "artisan", "wp-load.php")
    draft.settle("language", "php", "php/manifest", f"{at} is there" if at else "its sources are PHP", at=at)
    if folder.has("composer.json"):
        draft.settle("package_manager", "composer", "php/composer", "composer.json is composer's", at="composer.json")
        command = "composer install --no-dev --no-interaction --prefer-dist --optimize-autoloader"
        draft.settle("install", command, "php/install", "installs what composer.lock holds")
    settle_runtime(draft, "php", _pins(folder))
    match = settle_framework(draft, ("php",), gather(_dependencies(folder)))
    _settle_root(draft, match)
    _settle_build(draft)
    draft.rule_out("static_output")


def _pins(folder: Folder) -> Iterator[Pin]:
    composer, lock = folder.json("composer.json"), folder.json("composer.lock")
    platform = as_text(as_map(as_map(composer.get("config")).get("platform")).get("php"))
    wanted = as_text(as_map(composer.get("require")).get("php"))
    locked = as_text(as_map(lock.get("platform")).get("php"))
    for text, name, needle in (
        (platform, "composer.json", '"platform"'),
        (wanted, "composer.json", '"php"'),
        (locked, "composer.lock", '"platform"'),
    ):
        if text and text != "*":
            yield Pin(text, folder.path(name), folder.line(name, needle), name)
    yield from file_pins(folder, ".php-version")
    yield from tool_pins(folder, "php")


def _dependencies(folder: Folder) -> Iterator[Dependency]:
    data = folder.json("composer.json")
    for group, dev in (("require", False), ("require-dev", True)):
        for name, version in as_map(data.get(group)).items():
            yield Dependency(name, "composer.json", as_text(version), dev)


def extensions(folder: Folder) -> list[str]:
    """The PHP extensions that composer.json requires by name."""
    required = as_map(folder.json("composer.json").get("require"))
    return sorted(name.removeprefix("ext-") for name in required if name.startswith("ext-"))


def document_root(folder: Folder, match: Match | None) -> str | None:
    """The folder Apache serves: the framework's, else where index.php stands; None when it stands nowhere."""
    if match and match.framework.docroot:
        return match.framework.docroot
    if folder.has("index.php"):
        return "."
    return next((root for root in WEB_ROOTS if folder.has(f"{root}/index.php")), None)


def _settle_root(draft: Draft, match: Match | None) -> None:
    buildpack = re.search(
        r"\bheroku-php-(?:apache2|nginx)\b(?:\s+-\S+\s+\S+)*(?:\s+([\w./-]+))?", draft.text("start") or ""
    )
    root = (buildpack[1] or ".").rstrip("/") if buildpack else document_root(draft.folder, match)
    if root is None or (draft.text("start") and not buildpack and not draft.text("dockerfile")):
        _settle_script(draft)
        return
    draft.traits["docroot"] = root
    draft.has_entry = True
    if match is None:
        draft.raise_certainty(0.6)
    why = f"apache serves {root}"
    draft.settle("start", "apache2-foreground", "php/apache", why)
    draft.settle("port", _WEB_PORT, "port/apache", "apache listens there in the image")


def _settle_script(draft: Draft) -> None:
    script = draft.folder.first("main.php", "server.php", "app.php", "run.php", "bot.php", "worker.php")
    if script:
        draft.settle("start", f"php {script}", "php/script", f"{script} is the conventional entry", at=script)
        draft.has_entry = draft.guessed_entry = True


def _settle_build(draft: Draft) -> None:
    folder = draft.folder
    package = PackageJson(folder)
    if "build" not in package.scripts:
        return
    manager = find_manager(folder)
    draft.traits["assets"] = manager.name
    why = "package.json builds the assets"
    draft.settle("build", f"{manager.name} run build", "php/assets", why, at="package.json", line=package.line("build"))
