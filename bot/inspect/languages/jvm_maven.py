"""Java and Kotlin with Maven: the module that starts, its framework, version, artifact."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependencies, Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.common import settle_framework
from bot.inspect.languages.jvm_common import (
    java_release,
    settle_jvm_language,
    settle_jvm_port,
    settle_jvm_start,
    settle_wrapper_version,
    shared_pins,
)
from bot.inspect.manifests import maven
from bot.inspect.manifests.pins import Pin, settle_runtime
from bot.inspect.paths import join

_JAVA_KEYS = (
    "maven.compiler.release",
    "java.version",
    "jdk.version",
    "maven.compiler.source",
    "maven.compiler.target",
    "kotlin.compiler.jvmTarget",
    "release.version",
    "java-version",
)


def inspect_maven(draft: Draft) -> None:
    """Fill the draft from the build files of the folder and of its modules."""
    folder = draft.folder
    poms = maven.all_poms(folder)
    program = _maven_program(draft, poms)
    settle_jvm_language(draft, "kotlin-maven-plugin" in {p for pom in poms for p in pom.plugins()}, "pom.xml")
    draft.settle("package_manager", "maven", "java/maven", "pom.xml is Maven's", at="pom.xml")
    settle_wrapper_version(draft, ".mvn/wrapper/maven-wrapper.properties", r"apache-maven-(\d[\w.]*)-bin")
    settle_runtime(draft, "java", [*shared_pins(folder), *_maven_pins(folder, poms)])
    match = settle_framework(draft, ("java", "kotlin"), _dependencies(poms, program))
    _settle_maven_commands(draft, program)
    artifact = _artifact(program, match)
    draft.traits |= {
        "module": program.place,
        "artifact": artifact,
        "packaging": _maven_packaging(program, match),
    }
    settle_jvm_start(draft, match, artifact, program.file, runnable=program.is_runnable() or match is not None)
    settle_jvm_port(draft, match, program.place)


def _dependencies(poms: list[maven.Pom], program: maven.Pom) -> Dependencies:
    """Of the program and the folder's own pom; where these have none, of every module."""
    nearest = {pom.place: pom for pom in [*poms[:1], program]} if poms else {}
    own = gather(one for pom in nearest.values() for one in pom.dependencies())
    return own or gather(one for pom in poms for one in pom.dependencies())


def _settle_maven_commands(draft: Draft, program: maven.Pom) -> None:
    tool = "./mvnw" if draft.folder.has("mvnw") else "mvn"
    module = f" -pl {program.place} -am" if program.place else ""
    build = f"{tool} -B -DskipTests{module} package"
    draft.settle("install", f"{tool} -B dependency:go-offline", "java/install", "fetches what the pom names")
    draft.settle("build", build, "java/build", "Maven's package phase", at=program.file)


def _artifact(program: maven.Pom, match: Match | None) -> str:
    """What the package phase leaves to be started, as a glob."""
    if match and match.framework.id == "quarkus":
        return join(program.place, "target/quarkus-app/quarkus-run.jar")
    if match and match.framework.id == "vertx" and "maven-shade-plugin" in program.plugins():
        return join(program.place, "target/*-fat.jar")
    return program.artifact_glob()


def _maven_program(draft: Draft, poms: list[maven.Pom]) -> maven.Pom:
    if not poms:
        return maven.Pom(draft.folder)
    runnable = [pom for pom in poms if pom.packaging != "pom" and pom.is_runnable()]
    leaves = [pom for pom in poms if pom.packaging != "pom"]
    if len(runnable) > 1:
        return runnable[draft.pick_program([pom.place for pom in runnable])]
    return next(iter(runnable or leaves), poms[0])


def _maven_packaging(program: maven.Pom, match: Match | None) -> str:
    if match and match.framework.id == "quarkus":
        return "quarkus"
    if program.packaging == "war" and "spring-boot-maven-plugin" not in program.plugins():
        return "war"
    return "jar"


def _maven_pins(folder: Folder, poms: list[maven.Pom]) -> Iterator[Pin]:
    for pom in poms:
        for key in _JAVA_KEYS:
            text = pom.properties.get(key, "")
            if re.match(r"\d", text):
                yield Pin(java_release(text), folder.path(pom.file), folder.line(pom.file, f"<{key}>"), key)
                break
        match = re.search(r"<(?:release|source|target|jvmTarget)>\s*(\d[\d.]*)\s*<", folder.text(pom.file) or "")
        if match:
            yield Pin(
                java_release(match[1]), folder.path(pom.file), folder.line(pom.file, match[0]), "maven-compiler-plugin"
            )
