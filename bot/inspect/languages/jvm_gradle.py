"""Java and Kotlin with Gradle: the project that starts, its framework, toolchain, task and artifact."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.common import settle_framework, start_with
from bot.inspect.languages.jvm_common import (
    java_release,
    settle_jvm_language,
    settle_jvm_port,
    settle_jvm_start,
    settle_wrapper_version,
    shared_pins,
)
from bot.inspect.manifests import gradle
from bot.inspect.manifests.pins import Pin, settle_runtime
from bot.inspect.paths import join


def inspect_gradle(draft: Draft) -> None:
    """Fill the draft from the build files of the folder and of its modules."""
    folder = draft.folder
    found = gradle.projects(folder)
    program = _gradle_program(draft, found)
    dependencies = gather(gradle.dependencies(folder, found))
    kotlin = any("kotlin" in plugin for project in found for plugin in project.plugins) and "android" not in str(
        dependencies.keys()
    )
    at = program.file if program else folder.first("settings.gradle", "settings.gradle.kts", "gradlew")
    settle_jvm_language(draft, kotlin and folder.any(r"(?:[\w-]+/)*src/main/kotlin/.*|(?:[\w-]+/)*src/.*\.kt"), at)
    draft.settle("package_manager", "gradle", "java/gradle", "its build is Gradle's", at=at)
    settle_wrapper_version(draft, "gradle/wrapper/gradle-wrapper.properties", r"gradle-(\d[\w.]*)-(?:bin|all)")
    settle_runtime(draft, "java", [*shared_pins(folder), *_gradle_pins(folder, found)])
    own = gather(gradle.dependencies(folder, [program])) if program and program.place else dependencies
    match = settle_framework(draft, ("java", "kotlin"), own or dependencies)
    if program:
        _settle_gradle_commands(draft, program, match)
    settle_jvm_port(draft, match, program.place if program else "")


def _gradle_program(draft: Draft, found: list[gradle.Project]) -> gradle.Project | None:
    runnable = [project for project in found if project.packaging]
    if len(runnable) > 1:
        inner = [project for project in runnable if project.place]
        runnable = inner or runnable
    if len(runnable) > 1:
        return runnable[draft.pick_program([project.place for project in runnable])]
    return next(
        iter(runnable), next((p for p in found if p.place), None) if len(found) == 2 else next(iter(found), None)
    )


_GRADLE_TASKS = {
    "boot": ("bootJar", "build/libs/*.jar"),
    "quarkus": ("quarkusBuild", "build/quarkus-app/quarkus-run.jar"),
    "shadow": ("shadowJar", "build/libs/*-all.jar"),
    "fat": ("buildFatJar", "build/libs/*-all.jar"),
    "war": ("war", "build/libs/*.war"),
    "jar": ("jar", "build/libs/*.jar"),
}


def _settle_gradle_commands(draft: Draft, program: gradle.Project, match: Match | None) -> None:
    folder = draft.folder
    tool = "./gradlew" if folder.has("gradlew") else "gradle"
    packaging = program.packaging or ("boot" if match and match.framework.id == "spring-boot" else "jar")
    if packaging == "install" and "-jar " in (draft.text("start") or ""):
        packaging = "jar"
    if packaging == "install":
        name = (program.place.rpartition("/")[2] if program.place else gradle.root_name(folder)) or "app"
        task, artifact = "installDist", join(program.place, f"build/install/{name}")
        draft.traits["script"] = name
    else:
        task, ending = _GRADLE_TASKS[packaging]
        artifact = join(program.place, ending)
    draft.traits |= {"module": program.place, "artifact": artifact, "packaging": packaging}
    task = f"{program.path}:{task}" if program.path else task
    draft.settle("install", f"{tool} --no-daemon dependencies", "java/install", "fetches what the build names")
    draft.settle("build", f"{tool} --no-daemon {task}", "java/build", f"{program.file} makes it so", at=program.file)
    if packaging == "install":
        start_with(
            draft,
            f"./{artifact}/bin/{draft.traits['script']}",
            "java/application",
            "the application plugin makes it",
            program.file,
        )
        return
    runnable = program.packaging is not None or match is not None
    settle_jvm_start(draft, match, artifact, program.file, runnable=runnable)


def _gradle_pins(folder: Folder, found: list[gradle.Project]) -> Iterator[Pin]:
    pattern = re.compile(
        r"JavaLanguageVersion\.of\(\s*['\"]?(\d+)|jvmToolchain\(\s*(\d+)|(?:source|target)Compatibility\s*=\s*"
        r"(?:JavaVersion\.VERSION_|JavaVersion\.toVersion\(['\"]?)?['\"]?(\d[\d._]*)|jvmTarget\s*=\s*['\"](\d[\d.]*)"
    )
    for project in found:
        match = pattern.search(project.text)
        if match:
            text = next(group for group in match.groups() if group).replace("_", ".")
            yield Pin(java_release(text), folder.path(project.file), folder.line(project.file, pattern), "gradle")
