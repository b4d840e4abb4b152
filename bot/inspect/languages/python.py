"""Python: framework, package manager, the object a server runs, port and settings of the frameworks."""

from __future__ import annotations

import re

from bot.inspect.dependencies import Dependencies, Match, gather, matches
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.python_entry import Entry, django_module, find_object, find_script, imports_any, package_dir
from bot.inspect.manifests import python as manifest
from bot.inspect.manifests.pins import settle_runtime
from bot.inspect.manifests.web_ports import settle_port_from_code, settle_port_from_command
from bot.inspect.paths import parent, shown
from bot.inspect.rules.table import rules

_PORTS = (
    r"(?:environ\.get|getenv|env(?:\.int)?|config)\(\s*['\"]PORT['\"]\s*,\s*(?:default\s*=\s*)?['\"]?(\d{2,5})",
    r"\bport\s*=\s*(?:int\(\s*)?(?:os\.(?:environ\.get|getenv)\(\s*['\"]\w+['\"]\s*,\s*)?['\"]?(\d{2,5})\b",
    r"\.listen\(\s*(\d{2,5})\b",
    r"\bserver_port\s*=\s*(\d{2,5})\b",
    r"(?:HTTPServer|TCPServer)\(\s*\(\s*['\"][^'\"]*['\"]\s*,\s*(\d{2,5})",
)
_INSTALL = {
    "uv": "uv sync --locked --no-dev",
    "poetry": "poetry install --only main",
    "pdm": "pdm install --prod --frozen-lockfile",
    "pipenv": "pipenv install --deploy",
    "conda": "conda env update --name base --file environment.yml",
}


def inspect_python(draft: Draft) -> None:
    """Fill the draft from the manifests and, where they do not say it, from the sources."""
    folder = draft.folder
    draft.family = "python"
    draft.settle("language", "python", "python/manifest", "its manifests are Python's")
    dependencies = gather(manifest.dependencies(folder))
    _settle_manager(draft)
    settle_runtime(draft, "python", manifest.version_pins(folder))
    match = _settle_framework(draft, dependencies)
    _settle_build(draft, match)
    _settle_start(draft, dependencies, match)
    _settle_port(draft, match)
    draft.rule_out("static_output")


def _settle_manager(draft: Draft) -> None:
    folder = draft.folder
    tool, path, why = manifest.manager(folder)
    draft.settle("package_manager", tool, "python/package-manager", why, path=path)
    if tool == "uv" and path.endswith("uv.lock") and parent(path) != folder.root:
        draft.settle(
            "docker_context", shown(parent(path)), "python/workspace", "the workspace's lock is there", path=path
        )
    version = manifest.manager_version(folder, tool)
    draft.settle("package_manager_version", version, "python/package-manager-version", f"{tool} {version} is named")
    command = _INSTALL.get(tool) or _pip_install(folder)
    if tool == "pipenv" and not folder.has("Pipfile.lock"):
        command = "pipenv install --skip-lock"
    if tool == "poetry" and not _locked(folder, "poetry.lock"):
        folder.reader.notice("no_lock", "no poetry.lock: each install may resolve other versions", path)
    if tool == "uv" and not _locked(folder, "uv.lock"):
        command = "uv sync --no-dev"
    if tool == "pdm" and not _locked(folder, "pdm.lock"):
        command = "pdm install --prod"
    draft.settle("install", command, "python/install", f"{tool} installs production dependencies so")


def _locked(folder: Folder, lock: str) -> bool:
    return any(level.has(lock) for level in folder.upwards())


def _pip_install(folder: Folder) -> str | None:
    name = manifest.requirements_file(folder)
    if name:
        return f"pip install -r {name}"
    return "pip install ." if folder.first("pyproject.toml", "setup.py") else None


def _settle_framework(draft: Draft, dependencies: Dependencies) -> Match | None:
    found = matches(draft.folder, "python", dependencies)
    chosen = max(found, key=lambda match: _weight(draft.folder, match), default=None)
    if chosen and _weight(draft.folder, chosen) < 20:
        chosen = None
    if chosen is None:
        draft.rule_out("framework")
        return None
    why, rule = chosen.why, chosen.framework.id
    if draft.settle("framework", rule, "framework/dependency", why, at=chosen.at, line=chosen.line):
        draft.raise_certainty(0.9)
    return next((match for match in found if match.framework.id == draft.text("framework")), None)


def _weight(folder: Folder, match: Match) -> float:
    """A library that serves only when it is used to serve (aiohttp as a client, tornado below jupyter) weighs less."""
    rule = match.framework
    if rule.id in ("aiohttp", "tornado") and not imports_any(folder, rule.imports):
        return match.score * 0.2
    if rule.id == "django" and not folder.any(r"(?:[\w-]+/)?manage\.py"):
        return match.score * 0.5
    if rule.id == "starlette" and not find_object(folder, rule.classes):
        return match.score * 0.6
    return match.score


def _settle_build(draft: Draft, match: Match | None) -> None:
    if match is None or match.framework.id != "django":
        return
    settings = [n for n in draft.folder.match(r"(?:[\w-]+/)*settings(?:/\w+)?\.py") if "test" not in n][:6]
    for name, _ in draft.folder.search(r"^[ \t]*STATIC_ROOT\s*=", settings):
        base = package_dir(draft.folder)
        command = f"python {base}manage.py collectstatic --noinput"
        draft.settle(
            "build",
            command,
            "django/static",
            "STATIC_ROOT is set",
            at=name,
            line=draft.folder.line(name, "STATIC_ROOT"),
        )
        return


def _settle_start(draft: Draft, dependencies: Dependencies, match: Match | None) -> None:
    if draft.text("start"):
        draft.has_entry = True
        return
    command = _framework_start(draft, dependencies, match) if match else None
    if command is None:
        command = _script_start(draft) or _file_start(draft)
    draft.has_entry = draft.has_entry or command is not None


def _framework_start(draft: Draft, dependencies: Dependencies, match: Match) -> str | None:
    rule = match.framework
    if rule.id == "django":
        return _django_start(draft, dependencies)
    entry = find_object(draft.folder, rule.classes) if rule.classes and "{app}" in (rule.start or "") else None
    if entry:
        return _start_object(draft, dependencies, match, entry)
    if _script_start(draft):
        return draft.text("start")
    file = find_script(draft.folder, rule.imports or (rule.id,))
    if rule.start is None or file is None:
        return None
    command = rule.start if "{file}" in rule.start else "python {file}"
    command = command.replace("{file}", file)
    draft.settle("start", command, f"{rule.id}/start", f"{file} is the entry", at=file)
    return command


def _start_object(draft: Draft, dependencies: Dependencies, match: Match, entry: Entry) -> str:
    rule = match.framework
    template = rule.start or ""
    if rule.id == "flask" and "gunicorn" not in dependencies and "waitress" in dependencies:
        template = "waitress-serve --port=$PORT {module}:{app}"
    if rule.id == "quart" and "hypercorn" not in dependencies and "uvicorn" in dependencies:
        template = rules().frameworks["starlette"].start or ""
    command = template.replace("{module}", entry.module).replace("{app}", entry.name)
    if entry.factory:
        command = _as_factory(command, entry)
    if entry.app_dir and command.startswith("uvicorn"):
        command += f" --app-dir {entry.app_dir}"
    elif entry.app_dir and command.startswith("gunicorn"):
        command += f" --chdir {entry.app_dir}"
    _note_server(draft, dependencies, command)
    draft.settle("start", command, f"{rule.id}/start", entry.why, at=entry.file, line=entry.line)
    return command


def _as_factory(command: str, entry: Entry) -> str:
    if command.startswith("uvicorn"):
        return f"{command} --factory"
    call = f"{entry.module}:{entry.name}"
    return command.replace(call, f"'{call}()'")


def _note_server(draft: Draft, dependencies: Dependencies, command: str) -> None:
    """Remember a server that the manifests forgot, so that the image installs it."""
    server = command.split()[0].removesuffix("-serve")
    provided = {"uvicorn": ("uvicorn", "fastapi-cli", "python-fasthtml", "litestar")}.get(server, (server,))
    if server in ("gunicorn", "uvicorn", "hypercorn", "waitress") and not any(n in dependencies for n in provided):
        draft.traits["extra_server"] = server
        text = f"{server} is not among the dependencies; the image installs it besides"
        draft.folder.reader.notice("server_missing", text, draft.folder.path(""))


def _django_start(draft: Draft, dependencies: Dependencies) -> str | None:
    module = django_module(draft.folder)
    if module is None:
        return None
    only_async = "gunicorn" not in dependencies and {"daphne", "channels", "uvicorn"} & dependencies.keys()
    has_asgi = module.asgi_file is not None
    if only_async and has_asgi:
        command = f"uvicorn {module.name}.asgi:application --host 0.0.0.0 --port $PORT"
        if "daphne" in dependencies and "uvicorn" not in dependencies:
            command = f"daphne -b 0.0.0.0 -p $PORT {module.name}.asgi:application"
    else:
        command = f"gunicorn {module.name}.wsgi:application --bind 0.0.0.0:$PORT"
    if module.base:
        command += f" --chdir {module.base}" if command.startswith("gunicorn") else ""
    _note_server(draft, dependencies, command)
    draft.settle("start", command, "django/start", module.why, at=module.file, line=module.line)
    return command


def _script_start(draft: Draft) -> str | None:
    """The one console script of pyproject.toml: the project's own idea of how it is run."""
    data = draft.folder.toml("pyproject.toml")
    project = as_map(as_map(data.get("project")).get("scripts"))
    poetry = as_map(as_map(as_map(data.get("tool")).get("poetry")).get("scripts"))
    scripts = project or poetry
    named = [
        n
        for n in ("start", "serve", "app", "main", "web", as_text(as_map(data.get("project")).get("name")) or "")
        if n in scripts
    ]
    name = named[0] if named else next(iter(scripts)) if len(scripts) == 1 else None
    if name is None:
        return None
    tool = draft.text("package_manager")
    command = f"{tool} run {name}" if tool in ("poetry", "uv", "pdm") else name
    line = draft.folder.line("pyproject.toml", name)
    draft.settle("start", command, "python/script", "pyproject.toml declares it", at="pyproject.toml", line=line)
    return command


def _file_start(draft: Draft) -> str | None:
    file = find_script(draft.folder, ())
    if file is None:
        return None
    command = f"python {file}"
    if file.endswith("/__main__.py"):
        command = f"python -m {file.removesuffix('/__main__.py').removeprefix('src/').replace('/', '.')}"
    draft.settle("start", command, "python/file", f"{file} is the conventional entry", at=file)
    return command


def _settle_port(draft: Draft, match: Match | None) -> None:
    settle_port_from_command(draft)
    started = re.findall(r"[\w./-]+\.py\b", draft.text("start") or "")
    modules = [f"{m.replace('.', '/')}.py" for m in re.findall(r"([\w.]+):[\w'\"]+", draft.text("start") or "")]
    names = [
        n
        for n in dict.fromkeys([*started, *modules, "main.py", "app.py", "server.py", "run.py"])
        if draft.folder.has(n)
    ]
    settings = [n for n in (".streamlit/config.toml", "gunicorn.conf.py", "gunicorn_config.py") if draft.folder.has(n)]
    settle_port_from_code(draft, settings, (r"^[ \t]*port\s*=\s*(\d{2,5})", r"bind\s*=.*?:(\d{2,5})"))
    if match is None or not (match.framework.start or "").endswith("$PORT"):
        settle_port_from_code(draft, names[:6], _PORTS)
    if match and match.framework.port:
        settle_port_from_code(draft, names[:6], _PORTS)
        draft.settle("port", match.framework.port, "port/framework", f"{match.framework.id} listens there by default")
