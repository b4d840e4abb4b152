"""The Dockerfile of a .NET project: published by the SDK's image, run on the framework's."""

from __future__ import annotations

from dataclasses import replace

from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder
from bot.inspect.generate.site import write_server
from bot.inspect.generate.writer import Writer, run_all, safe_name
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

_USER = "1654"  # the `app` user of Microsoft's images
_CACHE = "/root/.nuget/packages"


def write_dotnet(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Restore from project files, publish, run the assembly; a Blazor site is served as files.

    Microsoft's images come from their own registry, which DOTNET_REGISTRY can point at a mirror of.
    """
    project = plan.traits.get("project")
    if project is None:
        raise CannotGenerate(
            "no_project",
            f"No project in {plan.path} is a program.",
            "build:\n  dockerfile: Dockerfile  # or set <OutputType>Exe</OutputType> in the project that starts",
        )
    safe_name(project, "project")
    version = plan.runtime_version or "8.0"
    version = version if "." in version else f"{version}.0"
    writer.argument("DOTNET_REGISTRY", "mcr.microsoft.com/dotnet")
    writer.stage(f"${{DOTNET_REGISTRY}}/sdk:{version}", "build")
    writer.add("WORKDIR /src")
    _write_restore(writer, project, folder)
    writer.copy(["."], ".")
    writer.step("build", f"dotnet publish {project} -c Release -o /out", _CACHE)
    if plan.static_output is not None:
        output = join("/src", plan.static_output) if writer.told("build") else "/out/wwwroot"
        write_server(writer, plan, f"{output}/", from_stage="build")
        return
    image = f"${{DOTNET_REGISTRY}}/{'aspnet' if plan.traits.get('kind') == 'web' else 'runtime'}:{version}"
    if writer.told("build"):
        run_all(writer, replace(plan, start=_listening(plan, plan.start or "")), image, user=_USER)
        return
    writer.stage(image)
    writer.add("WORKDIR /app")
    writer.copy(["/out/"], "/app/", from_stage="build")
    start = (plan.start or "").replace("dotnet out/", "dotnet ")
    writer.finish(_listening(plan, start), plan.port, user=_USER)


def _listening(plan: AppPlan, start: str) -> str:
    """The start of a web project with the address it listens at."""
    is_server = plan.traits.get("kind") == "web" and start.startswith("dotnet ")
    return f"{start} --urls http://0.0.0.0:$PORT" if is_server else start


def _write_restore(writer: Writer, project: str, folder: Folder) -> None:
    """Restore a lone project before its sources are copied; one that needs others is restored with them."""
    if writer.told("install"):
        writer.step("install", f"dotnet restore {project}", _CACHE)
        return
    text = folder.text(project) or ""
    shared = folder.any(r"Directory\.(?:Build|Packages)\.props|nuget\.config|NuGet\.[Cc]onfig|global\.json")
    if "ProjectReference" in text or shared:
        return
    writer.copy([project], f"./{project}")
    writer.run(f"dotnet restore {project}", _CACHE, key="install")
