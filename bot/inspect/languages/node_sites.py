"""Decides whether a JavaScript project ends as static files or as a server, and in which folder the files land."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.inspect.dependencies import Match
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.manifests.package_json import PackageJson, is_dev_server

_CONFIG_ENDINGS = ("js", "mjs", "cjs", "ts", "mts", "cts", "json")
_COMMENTS = re.compile(r"(?<![:'\"\w])//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)", re.DOTALL)
_RUNS_A_SERVER = re.compile(r"\b(?:node|nodejs|tsx|ts-node|bun|srvx|pm2-runtime|deno)\s+(?!ace\b)[\w./-]+")

Verdict = tuple[str, str, str | None]  # folder of the site (`../x`: above the application), why, file that says so


def settle_static(draft: Draft, package: PackageJson, match: Match | None) -> None:
    """Settle the static output when there is one, else rule it out."""
    if draft.settled("static_output"):
        draft.rule_out("start")
        return
    verdict = _verdict(draft, package, match) if match else _bundled(package)
    if verdict is None:
        draft.rule_out("static_output")
        return
    output, why, at = verdict
    if output.startswith("../"):
        draft.traits["writes_above"] = "yes"
        output = output.removeprefix("../")
    if draft.text("start") and not draft.text(
        "dockerfile"
    ):  # a Procfile or .shipmate.yml starts something: then that is what runs
        draft.rule_out("static_output")
        return
    draft.settle("static_output", output, "static/framework", why, at=at)
    draft.rule_out("start")
    draft.has_entry = _is_a_site(draft.folder, package, match)
    if match and match.framework.id not in _MANY_PAGES:
        draft.traits["single_page"] = "yes"


def _is_a_site(folder: Folder, package: PackageJson, match: Match | None) -> bool:
    """Whether there is something to build, beside a dependency that a library or a workspace's root has as well."""
    configured = match is not None and config_text(folder, f"{match.framework.id}.config")[0] is not None
    page = folder.first("index.html", "public/index.html", "src/index.html", "angular.json", "app.json")
    return configured or page is not None or not _BUILDS.isdisjoint(package.scripts)


_BUILDS = frozenset({"build", "build:prod", "build:production", "docs:build", "export", "generate"})
_MANY_PAGES = frozenset(
    {"nextjs", "astro", "gatsby", "docusaurus", "vitepress", "eleventy", "hexo", "nuxt", "sveltekit"}
)


def config_text(folder: Folder, *stems: str) -> tuple[str | None, str]:
    """The first configuration file with one of these stems, and its text without comments."""
    for stem in stems:
        for ending in _CONFIG_ENDINGS:
            name = f"{stem}.{ending}"
            if folder.has(name):
                return name, _COMMENTS.sub(" ", folder.text(name) or "")
    return None, ""


def _verdict(draft: Draft, package: PackageJson, match: Match) -> Verdict | None:
    framework = match.framework
    special = _SPECIAL.get(framework.id)
    if special:
        return special(draft.folder, package)
    if framework.site and not _runs_server(package):
        return framework.static or "dist", f"{framework.id} builds a static site", match.at
    return None


_BUNDLERS = {
    "parcel": "dist",
    "preact-cli": "build",
    "@rsbuild/core": "dist",
    "@stencil/core": "www",
    "brunch": "public",
    "umi": "dist",
    "vuepress": "docs/.vuepress/dist",
    "webpack-dev-server": "dist",
}


def _bundled(package: PackageJson) -> Verdict | None:
    """A bundler of no framework, used to build for browsers: its usual output folder."""
    if "build" not in package.scripts or _runs_server(package):
        return None
    name = next((name for name in _BUNDLERS if name in package.dependencies), None)
    return (_BUNDLERS[name], f"{name} builds for browsers", "package.json") if name else None


def _runs_server(package: PackageJson) -> bool:
    """Whether a production start script runs a server of the project's own."""
    for name in ("start:prod", "start"):
        script = package.scripts.get(name, "")
        if script and not is_dev_server(script) and _RUNS_A_SERVER.search(script):
            return True
    return False


def _option(text: str, name: str) -> str | None:
    match = re.search(rf"\b{name}['\"]?\s*:\s*['\"`]([^'\"`\n]+)['\"`]", text)
    return match[1].removeprefix("./").rstrip("/") if match else None


def _flag(text: str, name: str, value: str) -> bool:
    return re.search(rf"\b{name}['\"]?\s*:\s*{value}\b", text) is not None


def _next(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "next.config")
    if _option(text, "output") == "export" or "next export" in package.scripts.get("build", ""):
        return _option(text, "distDir") or "out", "next.config exports static files", name or "package.json"
    return None


def _nuxt(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "nuxt.config")
    build = package.scripts.get("build", "")
    if re.search(r"\bnux[ti]\s+generate\b", build):
        return ".output/public", "the build script generates static pages", "package.json"
    preset = _option(text, "preset") or ""
    if _flag(text, "ssr", "false") or "static" in preset:
        return ".output/public", "nuxt.config switches the server off", name
    return None


def _astro(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "astro.config")
    adapter = "@astrojs/node" in text or "@astrojs/node" in package.dependencies
    if adapter or _option(text, "output") in ("server", "hybrid"):
        return None
    return _option(text, "outDir") or "dist", "astro builds static pages unless an adapter or output says else", name


def _react_router(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "react-router.config")
    if _flag(text, "ssr", "false"):
        base = _option(text, "buildDirectory") or "build"
        return f"{base}/client", "react-router.config switches the server off", name
    return None


def _remix(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "vite.config")
    if _flag(text, "ssr", "false"):
        return "build/client", "vite.config switches remix's server off", name
    return None


def _sveltekit(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "svelte.config")
    if "adapter-static" in text or (not text and "@sveltejs/adapter-static" in package.dependencies):
        return _option(text, "pages") or "build", "svelte.config takes adapter-static", name
    if "adapter-node" not in text and "@sveltejs/adapter-node" not in package.dependencies:
        text = "no adapter for a server of your own: add @sveltejs/adapter-node so that `node build` works"
        folder.reader.notice("sveltekit_adapter", text, folder.path(name or "package.json"))
    return None


def _solidstart(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "app.config", "vite.config")
    if _flag(text, "ssr", "false") and "static" in (_option(text, "preset") or ""):
        return ".output/public", "app.config builds static files", name
    return None


def _tanstack(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, "vite.config", "app.config")
    if re.search(r"\bspa\s*:\s*\{[^}]{0,500}enabled\s*:\s*true", text):
        return "dist/client", "vite.config builds a single-page application", name
    return None


def _angular(folder: Folder, package: PackageJson) -> Verdict | None:
    options = _angular_options(folder)
    if "@angular/ssr" in package.dependencies and (options.get("ssr") or options.get("server")):
        return None
    project = _angular_project(folder)
    output = options.get("outputPath")
    base = as_text(as_map(output).get("base")) if isinstance(output, dict) else as_text(output)
    browser = as_text(as_map(output).get("browser")) if isinstance(output, dict) else None
    folder_name = (base or f"dist/{project or as_text(package.data.get('name')) or 'app'}").rstrip("/")
    if _angular_builder(folder).endswith(":application"):
        folder_name = f"{folder_name}/{'browser' if browser is None else browser}".rstrip("/")
    return (
        folder_name,
        "angular.json names the output",
        "angular.json" if folder.has("angular.json") else "package.json",
    )


def _angular_target(folder: Folder) -> dict[str, object]:
    projects = as_map(folder.json("angular.json").get("projects"))
    project = as_map(projects.get(_angular_project(folder) or ""))
    return as_map(as_map(project.get("architect") or project.get("targets")).get("build"))


def _angular_project(folder: Folder) -> str | None:
    data = folder.json("angular.json")
    projects = as_map(data.get("projects"))
    named = as_text(data.get("defaultProject"))
    apps = [name for name, item in projects.items() if as_map(item).get("projectType", "application") == "application"]
    return named if named in projects else next(iter(apps), None)


def _angular_options(folder: Folder) -> dict[str, object]:
    return as_map(_angular_target(folder).get("options"))


def _angular_builder(folder: Folder) -> str:
    return as_text(_angular_target(folder).get("builder")) or ""


def angular_server(folder: Folder) -> str:
    """The start command of an Angular application with server-side rendering."""
    base = as_text(_angular_options(folder).get("outputPath")) or f"dist/{_angular_project(folder) or 'app'}"
    return f"node {base}/server/server.mjs"


def _vite(folder: Folder, package: PackageJson) -> Verdict | None:
    if _runs_server(package):
        return None
    name, text = config_text(folder, "vite.config")
    script = re.search(r"--outDir[ =](\S+)", package.scripts.get("build", ""))
    root = _option(text, "root")
    output = script[1] if script else _option(text, "outDir") or "dist"
    base = f"{root}/{output}" if root and root not in (".", "/") and not output.startswith("../") else output
    place = base.replace(f"{root}/../", "").removeprefix("./")
    if root:
        place = place.removeprefix("../")
    return place, "vite builds static files", name or "package.json"


def _vue_cli(folder: Folder, package: PackageJson) -> Verdict | None:
    if _runs_server(package):
        return None
    name, text = config_text(folder, "vue.config")
    return _option(text, "outputDir") or "dist", "vue-cli builds static files", name or "package.json"


def _vitepress(folder: Folder, package: PackageJson) -> Verdict | None:
    script = package.scripts.get("build") or package.scripts.get("docs:build") or ""
    place = re.search(r"\bvitepress\s+build\s+([\w./-]+)", script)
    config = next(iter(folder.match(r"(?:[\w-]+/)?\.vitepress/config\.(?:[cm]?[jt]s)")), "")
    base = place[1].strip("./") if place else config.partition(".vitepress")[0].rstrip("/")
    return f"{base}/.vitepress/dist".lstrip("/"), "vitepress builds there", config or "package.json"


def _eleventy(folder: Folder, package: PackageJson) -> Verdict | None:
    name, text = config_text(folder, ".eleventy", "eleventy.config")
    script = re.search(r"--output[ =](\S+)", package.scripts.get("build", ""))
    direction = re.search(r"\boutput['\"]?\s*:\s*['\"]([^'\"]+)", text) or re.search(
        r"setOutputDirectory\(\s*['\"]([^'\"]+)", text
    )
    output = script[1] if script else direction[1] if direction else "_site"
    return output.removeprefix("./").rstrip("/"), "eleventy writes there", name or "package.json"


def _hexo(folder: Folder, package: PackageJson) -> Verdict | None:
    output = as_text(folder.yaml("_config.yml").get("public_dir")) if folder.has("_config.yml") else None
    return output or "public", "hexo writes there", "_config.yml" if folder.has("_config.yml") else "package.json"


def _expo(folder: Folder, package: PackageJson) -> Verdict | None:
    script = re.search(r"--output-dir[ =](\S+)", package.scripts.get("build", ""))
    return script[1] if script else "dist", "expo exports the web build there", "package.json"


def _create_react_app(folder: Folder, package: PackageJson) -> Verdict | None:
    if _runs_server(package):
        return None
    script = re.search(r"\bBUILD_PATH=['\"]?([\w./-]+)", package.scripts.get("build", ""))
    return (script[1].removeprefix("./") if script else "build"), "react-scripts builds there", "package.json"


_SPECIAL: dict[str, Callable[[Folder, PackageJson], Verdict | None]] = {
    "nextjs": _next,
    "nuxt": _nuxt,
    "astro": _astro,
    "react-router": _react_router,
    "remix": _remix,
    "sveltekit": _sveltekit,
    "solidstart": _solidstart,
    "tanstack-start": _tanstack,
    "angular": _angular,
    "vite": _vite,
    "vue-cli": _vue_cli,
    "vitepress": _vitepress,
    "eleventy": _eleventy,
    "hexo": _hexo,
    "expo-web": _expo,
    "create-react-app": _create_react_app,
}
