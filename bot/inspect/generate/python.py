"""The Dockerfile of a Python application: a virtual environment made in one stage, used in the next."""

from __future__ import annotations

from bot.inspect.dependencies import gather
from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder, as_map
from bot.inspect.generate.writer import Writer, apt, safe_name
from bot.inspect.manifests import python as manifest
from bot.inspect.model import AppPlan

_CACHE = "/root/.cache"
_NATIVE = {  # distributions that compile, or load a library the slim image lacks: Debian packages to build, to run
    "psycopg2": (("gcc", "libpq-dev", "libc6-dev"), ("libpq5",)),
    "psycopg": ((), ("libpq5",)),
    "mysqlclient": (("gcc", "libc6-dev", "pkg-config", "default-libmysqlclient-dev"), ("libmariadb3",)),
    "uwsgi": (("gcc", "libc6-dev"), ()),
    "pycairo": (("gcc", "libc6-dev", "pkg-config", "libcairo2-dev"), ("libcairo2",)),
    "opencv-python": ((), ("libgl1", "libglib2.0-0")),
    "python-ldap": (("gcc", "libc6-dev", "libldap-dev", "libsasl2-dev"), ("libldap-dev",)),
    "weasyprint": ((), ("libpango-1.0-0", "libpangoft2-1.0-0")),
    "pydub": ((), ("ffmpeg",)),
    "pdf2image": ((), ("poppler-utils",)),
}
_MANIFESTS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pyproject.toml", "poetry.toml")


def write_python(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Install what the lock file holds, copy the sources, run as a plain user."""
    tag = ".".join((plan.runtime_version or "3").split(".")[:2])
    build_needs, run_needs = _system_packages(folder)
    writer.stage(f"python:{tag}-slim", "build")
    if build_needs:
        writer.run(apt(build_needs))
    writer.add("WORKDIR /app")
    writer.env(
        PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONDONTWRITEBYTECODE="1", VIRTUAL_ENV="/venv", PATH="/venv/bin:$PATH"
    )
    writer.run("python -m venv /venv")
    _write_install(writer, plan, folder)
    if plan.build:
        writer.run(plan.build, key="build")
    writer.stage(f"python:{tag}-slim")
    if run_needs:
        writer.run(apt(run_needs))
    inner = plan.docker_context not in (None, plan.path)
    base = "" if plan.docker_context in (None, ".") else f"{plan.docker_context}/"
    writer.add(f"WORKDIR /app/{folder.root.removeprefix(base)}" if inner else "WORKDIR /app")
    writer.env(PYTHONUNBUFFERED="1", VIRTUAL_ENV="/venv", PATH="/venv/bin:$PATH", **_settings(plan))
    writer.copy(["/venv"], "/venv", from_stage="build")
    writer.copy(["/app"], "/app", from_stage="build", owner=True)
    writer.finish(_start(plan), plan.port)


def _settings(plan: AppPlan) -> dict[str, str]:
    if plan.framework == "gradio":
        return {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(plan.port or 7860)}  # noqa: S104
    return {}


def _start(plan: AppPlan) -> str:
    """The start without its tool: the environment is on the path already."""
    start = plan.start or ""
    for prefix in ("uv run ", "poetry run ", "pdm run ", "pipenv run "):
        start = start.removeprefix(prefix)
    if plan.framework == "gradio" and start.startswith("python "):
        return f"env GRADIO_SERVER_PORT=$PORT {start}"
    return start


def _system_packages(folder: Folder) -> tuple[list[str], list[str]]:
    names = gather(manifest.dependencies(folder))
    needed = [packages for name, packages in _NATIVE.items() if name in names]
    build = {package for group, _ in needed for package in group}
    run = {package for _, group in needed for package in group}
    requirements = folder.text(manifest.requirements_file(folder) or "") or ""
    if "git+" in requirements or "git+" in (folder.text("pyproject.toml") or ""):
        build.add("git")
    return sorted(build | (run if build else set())), sorted(run)


def _write_install(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    tool = plan.package_manager or "pip"
    if tool == "conda":
        raise CannotGenerate(
            "conda",
            "conda environments are not turned into an image.",
            "build:\n  install: pip install -r requirements.txt\n  # or: dockerfile: Dockerfile",
        )
    if plan.traits.get("install_override"):
        writer.copy(["."], ".")
        writer.run(plan.install or "true", _CACHE, key="install")
    else:
        {"pip": _pip, "uv": _uv, "poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv}[tool](writer, plan, folder)
    if plan.traits.get("extra_server"):
        pip = "uv pip install" if tool == "uv" else "pip install"
        writer.run(f"{pip} {plan.traits['extra_server']}", _CACHE, key="install")


def _pip(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    name = manifest.requirements_file(folder)
    if name is None:
        writer.copy(["."], ".")
        if folder.first("pyproject.toml", "setup.py"):
            writer.run("pip install .", _CACHE, key="install")
        return
    if _refers_to_files(folder, name):
        writer.copy(["."], ".")
        writer.run(f"pip install -r {safe_name(name, 'requirements file')}", _CACHE, key="install")
        return
    place = name.rpartition("/")[0]
    writer.copy(
        [f"{place}/"] if place else sorted(folder.match(r"(?:[\w-]*requirements[\w-]*|constraints)\.(?:txt|in)")),
        f"./{place}/" if place else "./",
    )
    writer.run(f"pip install -r {safe_name(name, 'requirements file')}", _CACHE, key="install")
    writer.copy(["."], ".")


def _refers_to_files(folder: Folder, name: str) -> bool:
    """Whether the requirements install from the repository itself (`-e .`, `./vendor/x.whl`)."""
    lines = [line.strip() for line in (folder.text(name) or "").splitlines()]
    return any(
        line.startswith(("-e", "--editable", ".", "file:", "--find-links", "-f ")) or "@ file:" in line
        for line in lines
    )


def _copied_manifests(writer: Writer, folder: Folder) -> None:
    writer.copy([name for name in _MANIFESTS if folder.has(name)], "./")


def _is_workspace(folder: Folder) -> bool:
    tool = as_map(as_map(folder.toml("pyproject.toml").get("tool")).get("uv"))
    return "workspace" in tool or "sources" in tool


def _uv(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    above = plan.docker_context if plan.docker_context not in (None, plan.path) else None
    locked = " --locked" if folder.has("uv.lock") or above else ""
    writer.env(
        UV_PROJECT_ENVIRONMENT="/venv", UV_LINK_MODE="copy", UV_PYTHON_DOWNLOADS="never", UV_COMPILE_BYTECODE="1"
    )
    writer.run(
        "python -m venv /opt/tool && /opt/tool/bin/pip install uv && ln -s /opt/tool/bin/uv /usr/local/bin/uv", _CACHE
    )
    if above:
        writer.copy(["."], ".")
        place = folder.root.removeprefix("" if above == "." else f"{above}/")
        writer.add(f"WORKDIR /app/{safe_name(place, 'folder')}")
        writer.run("uv sync --locked --no-dev --no-editable", _CACHE, key="install")
        return
    if locked and not _is_workspace(folder):
        _copied_manifests(writer, folder)
        writer.run(f"uv sync{locked} --no-dev --no-install-project", _CACHE, key="install")
    writer.copy(["."], ".")
    writer.run(f"uv sync{locked} --no-dev --no-editable", _CACHE, key="install")


def _poetry(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    version = f"=={plan.package_manager_version}" if (plan.package_manager_version or "").count(".") == 2 else ""
    _tool(writer, f"poetry{version}", "poetry")
    _copied_manifests(writer, folder)
    writer.run("poetry install --only main --no-root --no-interaction", _CACHE, key="install")
    writer.copy(["."], ".")
    if as_map(folder.toml("pyproject.toml")).get("build-system") and _has_package(folder):
        writer.run("poetry install --only main --no-interaction", _CACHE, key="install")


def _has_package(folder: Folder) -> bool:
    return folder.any(r"(?:src/)?[\w-]+/__init__\.py") and "package-mode = false" not in (
        folder.text("pyproject.toml") or ""
    )


def _pdm(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    _tool(writer, "pdm", "pdm")
    frozen = " --frozen-lockfile" if folder.has("pdm.lock") else ""
    _copied_manifests(writer, folder)
    writer.run(f"pdm install --prod --no-self{frozen}", _CACHE, key="install")
    writer.copy(["."], ".")


def _pipenv(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    _tool(writer, "pipenv", "pipenv")
    _copied_manifests(writer, folder)
    writer.run(
        "pipenv install --deploy" if folder.has("Pipfile.lock") else "pipenv install --skip-lock", _CACHE, key="install"
    )
    writer.copy(["."], ".")


def _tool(writer: Writer, distribution: str, command: str) -> None:
    install = f"/opt/tool/bin/pip install {distribution} && ln -s /opt/tool/bin/{command} /usr/local/bin/{command}"
    writer.run(f"python -m venv /opt/tool && {install}", _CACHE)
