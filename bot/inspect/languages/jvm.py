"""Java and Kotlin with Maven or Gradle: the module that starts, its framework, version, artifact."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import settle_framework, settle_framework_port, start_with
from bot.inspect.manifests import gradle, maven
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port, settle_port_from_code, settle_port_from_command
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
_CODE_PORTS = (
    r"embeddedServer\([^)]{0,120}?port\s*=\s*(?:System\.getenv\(\"PORT\"\)[^\n]{0,60}?\?:\s*)?(\d{2,5})",
    r"getenv\(\"PORT\"\)[^;\n]{0,160}?\"?(\d{4,5})\"?",
    r"\.listen\(\s*(\d{2,5})",
    r"\bport\(\s*(\d{2,5})\s*\)",
    r"\.start\(\s*(\d{2,5})\s*\)",
    r"new\s+InetSocketAddress\(\s*(?:\"[^\"]*\"\s*,\s*)?(\d{2,5})",
    r"(?i)\b(?:int|val|var)\s+\w*port\w*\s*(?::\s*Int\s*)?=\s*(\d{2,5})",
)


def inspect_jvm(draft: Draft) -> None:
    """Fill the draft from the pom or the Gradle build, whichever stands there; Maven wins a tie."""
    draft.family = "jvm"
    if draft.folder.has("pom.xml"):
        _inspect_maven(draft)
    else:
        _inspect_gradle(draft)
    draft.rule_out("static_output")


# ---- Maven


def _inspect_maven(draft: Draft) -> None:
    folder = draft.folder
    poms = maven.all_poms(folder)
    program = _maven_program(draft, poms)
    dependencies = gather(d for pom in poms for d in pom.dependencies())
    own = (
        gather(d for pom in {poms[0].place: poms[0], program.place: program}.values() for d in pom.dependencies())
        if poms
        else {}
    )
    _settle_language(draft, "kotlin-maven-plugin" in {p for pom in poms for p in pom.plugins()}, "pom.xml")
    draft.settle("package_manager", "maven", "java/maven", "pom.xml is Maven's", at="pom.xml")
    _settle_wrapper_version(draft, ".mvn/wrapper/maven-wrapper.properties", r"apache-maven-(\d[\w.]*)-bin")
    settle_runtime(draft, "java", [*_shared_pins(folder), *_maven_pins(folder, poms)])
    match = (
        settle_framework(draft, ("java", "kotlin"), own)
        if own
        else settle_framework(draft, ("java", "kotlin"), dependencies)
    )
    tool = "./mvnw" if folder.has("mvnw") else "mvn"
    module = f" -pl {program.place} -am" if program.place else ""
    draft.settle("install", f"{tool} -B dependency:go-offline", "java/install", "fetches what the pom names")
    draft.settle(
        "build", f"{tool} -B -DskipTests{module} package", "java/build", "Maven's package phase", at=program.file
    )
    artifact = program.artifact_glob()
    if match and match.framework.id == "quarkus":
        artifact = join(program.place, "target/quarkus-app/quarkus-run.jar")
    if match and match.framework.id == "vertx" and "maven-shade-plugin" in program.plugins():
        artifact = join(program.place, "target/*-fat.jar")
    draft.traits |= {
        "module": program.place,
        "artifact": artifact,
        "packaging": _maven_packaging(program, own.keys(), match),
    }
    _settle_start(draft, match, artifact, program.file, runnable=program.is_runnable() or match is not None)
    _settle_port(draft, match, program.place)


def _maven_program(draft: Draft, poms: list[maven.Pom]) -> maven.Pom:
    if not poms:
        return maven.Pom(draft.folder)
    runnable = [pom for pom in poms if pom.packaging != "pom" and pom.is_runnable()]
    leaves = [pom for pom in poms if pom.packaging != "pom"]
    if len(runnable) > 1:
        _several(draft, [pom.place or "." for pom in runnable], "pom.xml")
    return next(iter(runnable or leaves), poms[0])


def _maven_packaging(program: maven.Pom, names: object, match: Match | None) -> str:
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
                yield Pin(_java(text), folder.path(pom.file), folder.line(pom.file, f"<{key}>"), key)
                break
        match = re.search(r"<(?:release|source|target|jvmTarget)>\s*(\d[\d.]*)\s*<", folder.text(pom.file) or "")
        if match:
            yield Pin(_java(match[1]), folder.path(pom.file), folder.line(pom.file, match[0]), "maven-compiler-plugin")


# ---- Gradle


def _inspect_gradle(draft: Draft) -> None:
    folder = draft.folder
    found = gradle.projects(folder)
    program = _gradle_program(draft, found)
    dependencies = gather(gradle.dependencies(folder, found))
    kotlin = any("kotlin" in plugin for project in found for plugin in project.plugins) and "android" not in str(
        dependencies.keys()
    )
    at = program.file if program else folder.first("settings.gradle", "settings.gradle.kts", "gradlew")
    _settle_language(draft, kotlin and folder.any(r"(?:[\w-]+/)*src/main/kotlin/.*|(?:[\w-]+/)*src/.*\.kt"), at)
    draft.settle("package_manager", "gradle", "java/gradle", "its build is Gradle's", at=at)
    _settle_wrapper_version(draft, "gradle/wrapper/gradle-wrapper.properties", r"gradle-(\d[\w.]*)-(?:bin|all)")
    settle_runtime(draft, "java", [*_shared_pins(folder), *_gradle_pins(folder, found)])
    own = gather(gradle.dependencies(folder, [program])) if program and program.place else dependencies
    match = settle_framework(draft, ("java", "kotlin"), own or dependencies)
    if program:
        _settle_gradle_commands(draft, program, match)
    _settle_port(draft, match, program.place if program else "")


def _gradle_program(draft: Draft, found: list[gradle.Project]) -> gradle.Project | None:
    runnable = [project for project in found if project.packaging]
    if len(runnable) > 1:
        inner = [project for project in runnable if project.place]
        runnable = inner or runnable
    if len(runnable) > 1:
        _several(draft, [project.path or "." for project in runnable], runnable[0].file)
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
    _settle_start(draft, match, artifact, program.file, runnable=runnable)


def _gradle_pins(folder: Folder, found: list[gradle.Project]) -> Iterator[Pin]:
    pattern = re.compile(
        r"JavaLanguageVersion\.of\(\s*['\"]?(\d+)|jvmToolchain\(\s*(\d+)|(?:source|target)Compatibility\s*=\s*"
        r"(?:JavaVersion\.VERSION_|JavaVersion\.toVersion\(['\"]?)?['\"]?(\d[\d._]*)|jvmTarget\s*=\s*['\"](\d[\d.]*)"
    )
    for project in found:
        match = pattern.search(project.text)
        if match:
            text = next(group for group in match.groups() if group).replace("_", ".")
            yield Pin(_java(text), folder.path(project.file), folder.line(project.file, pattern), "gradle")


# ---- shared


def _java(text: str) -> str:
    """`1.8` is Java 8."""
    return text.removeprefix("1.") if text.startswith("1.") else text


def _shared_pins(folder: Folder) -> Iterator[Pin]:
    text = folder.text("system.properties") or ""
    match = re.search(r"^java\.runtime\.version\s*=\s*(\S+)", text, re.MULTILINE)
    if match:
        yield Pin(
            _java(match[1]),
            folder.path("system.properties"),
            folder.line("system.properties", "java."),
            "system.properties",
        )
    for pin in (*file_pins(folder, ".java-version"), *tool_pins(folder, "java"), *_sdkman(folder)):
        number = re.search(r"\d+(?:\.\d+)*", pin.text)
        if number:
            yield Pin(_java(number[0]), pin.path, pin.line, pin.rule)


def _sdkman(folder: Folder) -> Iterator[Pin]:
    match = re.search(r"^java\s*=\s*(\d[\d.]*)", folder.text(".sdkmanrc") or "", re.MULTILINE)
    if match:
        yield Pin(match[1], folder.path(".sdkmanrc"), folder.line(".sdkmanrc", "java="), ".sdkmanrc")


def _settle_language(draft: Draft, kotlin: bool, at: str | None) -> None:
    language = "kotlin" if kotlin else "java"
    draft.settle("language", language, f"{language}/manifest", f"{at} builds {language}", at=at)


def _settle_wrapper_version(draft: Draft, name: str, pattern: str) -> None:
    match = re.search(pattern, draft.folder.text(name) or "")
    if match:
        draft.settle("package_manager_version", match[1], "java/wrapper", "the wrapper names it", at=name)


def _several(draft: Draft, places: list[str], at: str) -> None:
    text = (
        f"several modules are programs: {', '.join(places)}; the first is taken, name another with build: under build"
    )
    draft.folder.reader.notice("several_programs", text, draft.folder.path(at))
    draft.traits["several"] = "yes"


def _settle_start(draft: Draft, match: Match | None, artifact: str, at: str, *, runnable: bool) -> None:
    framework = match.framework.id if match else None
    if artifact.endswith(".war") and framework != "spring-boot":
        start_with(draft, "catalina.sh run", "java/war", "a war needs a servlet container", at)
        draft.settle("port", 8080, "port/tomcat", "Tomcat listens there")
        return
    option = {
        "spring-boot": "-Dserver.port=$PORT ",
        "micronaut": "-Dmicronaut.server.port=$PORT ",
        "quarkus": "-Dquarkus.http.port=$PORT ",
    }
    arguments = " server config.yml" if framework == "dropwizard" else ""
    command = f"java {option.get(framework or '', '')}-jar {artifact}{arguments}"
    start_with(draft, command, "java/jar", "the artifact that the build leaves", at, guessed=not runnable)


def _settle_port(draft: Draft, match: Match | None, place: str) -> None:
    folder = draft.folder
    settle_port_from_command(draft)
    base = join(place, "src/main/resources")
    for name in (
        f"{base}/application.properties",
        f"{base}/application.yml",
        f"{base}/application.yaml",
        f"{base}/application.conf",
    ):
        if folder.has(name) and _port_in_settings(draft, name):
            return
    pattern = rf"{re.escape(place + '/' if place else '')}src/(?:main/)?(?:java/|kotlin/)?.*\.(?:java|kt)"
    sources = [
        n
        for n in folder.match(pattern)
        if re.search(r"(?:Main|App\w*|Application|Server\w*|\w*Verticle|Hello\w*|\w*Service)\.(?:java|kt)$", n)
    ]
    settle_port_from_code(draft, sources[:5], _CODE_PORTS)
    settle_framework_port(draft, match)


def _port_in_settings(draft: Draft, name: str) -> bool:
    """`server.port` and its like, in properties, YAML or HOCON; a placeholder's default counts."""
    folder = draft.folder
    text = folder.text(name) or ""
    if name.endswith((".yml", ".yaml")):
        data = folder.yaml(name)
        nested = [
            as_map(data.get("server")).get("port"),
            as_map(as_map(data.get("micronaut")).get("server")).get("port"),
        ]
        nested += [as_map(as_map(data.get("quarkus")).get("http")).get("port"), data.get("server.port")]
        nested += [as_map(as_map(data.get("ktor")).get("deployment")).get("port")]
        value = next((found for item in nested if (found := as_text(item))), "")
    else:
        match = re.search(
            r"^[ \t]*(?:server\.port|micronaut\.server\.port|quarkus\.http\.port|port)\s*[=:]\s*(\S+)",
            text,
            re.MULTILINE,
        )
        value = match[1] if match else ""
    default = re.fullmatch(r"\$\{?\??\w+:?(\d{2,5})\}?|(\d{2,5})", value.strip("\"'"))
    if default is None:
        return False
    line = folder.line(name, "port")
    return settle_port(draft, default[1] or default[2], "port/settings", f"{name} sets it", name, line)
