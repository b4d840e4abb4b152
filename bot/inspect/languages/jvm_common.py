"""What Maven and Gradle builds share: versions, the start of an artifact, the port, the languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Match
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder, as_map, as_text
from bot.inspect.languages.common import settle_framework_port, start_with
from bot.inspect.manifests.pins import Pin, file_pins, tool_pins
from bot.inspect.manifests.web_ports import settle_port, settle_port_from_code, settle_port_from_command
from bot.inspect.paths import join

_CODE_PORTS = (
    r"embeddedServer\([^)]{0,120}?port\s*=\s*(?:System\.getenv\(\"PORT\"\)[^\n]{0,60}?\?:\s*)?(\d{2,5})",
    r"getenv\(\"PORT\"\)[^;\n]{0,160}?\"?(\d{4,5})\"?",
    r"\.listen\(\s*(\d{2,5})",
    r"\bport\(\s*(\d{2,5})\s*\)",
    r"\.start\(\s*(\d{2,5})\s*\)",
    r"new\s+InetSocketAddress\(\s*(?:\"[^\"]*\"\s*,\s*)?(\d{2,5})",
    r"(?i)\b(?:int|val|var)\s+\w*port\w*\s*(?::\s*Int\s*)?=\s*(\d{2,5})",
)


def java_release(text: str) -> str:
    """`1.8` is Java 8."""
    return text.removeprefix("1.") if text.startswith("1.") else text


def shared_pins(folder: Folder) -> Iterator[Pin]:
    text = folder.text("system.properties") or ""
    match = re.search(r"^java\.runtime\.version\s*=\s*(\S+)", text, re.MULTILINE)
    if match:
        yield Pin(
            java_release(match[1]),
            folder.path("system.properties"),
            folder.line("system.properties", "java."),
            "system.properties",
        )
    for pin in (*file_pins(folder, ".java-version"), *tool_pins(folder, "java"), *_sdkman(folder)):
        number = re.search(r"\d+(?:\.\d+)*", pin.text)
        if number:
            yield Pin(java_release(number[0]), pin.path, pin.line, pin.rule)


def _sdkman(folder: Folder) -> Iterator[Pin]:
    match = re.search(r"^java\s*=\s*(\d[\d.]*)", folder.text(".sdkmanrc") or "", re.MULTILINE)
    if match:
        yield Pin(match[1], folder.path(".sdkmanrc"), folder.line(".sdkmanrc", "java="), ".sdkmanrc")


def settle_jvm_language(draft: Draft, kotlin: bool, at: str | None) -> None:
    language = "kotlin" if kotlin else "java"
    draft.settle("language", language, f"{language}/manifest", f"{at} builds {language}", at=at)


def settle_wrapper_version(draft: Draft, name: str, pattern: str) -> None:
    match = re.search(pattern, draft.folder.text(name) or "")
    if match:
        draft.settle("package_manager_version", match[1], "java/wrapper", "the wrapper names it", at=name)


def settle_jvm_start(draft: Draft, match: Match | None, artifact: str, at: str, *, runnable: bool) -> None:
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


def settle_jvm_port(draft: Draft, match: Match | None, place: str) -> None:
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
