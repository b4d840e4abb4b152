"""Scala with sbt, Clojure with Leiningen or its own command line: the other programs of the JVM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inspect.dependencies import Dependency, Match, gather
from bot.inspect.draft import Draft
from bot.inspect.folder import Folder
from bot.inspect.languages.common import settle_framework, settle_framework_port, start_with
from bot.inspect.manifests.pins import Pin, file_pins, settle_runtime, tool_pins
from bot.inspect.manifests.web_ports import settle_port, settle_port_from_code, settle_port_from_command

_SBT_DEPENDENCY = re.compile(r"\"([\w.-]+)\"\s*%%?%?\s*\"([\w.-]+)\"\s*%\s*(?:\"([^\"]+)\"|\w+)")
_LEIN_DEPENDENCY = re.compile(r"\[\s*([\w./-]+)\s+\"([^\"]+)\"")
_EDN_DEPENDENCY = re.compile(r"\b([\w./-]{1,200})\s*\{\s*:(?:mvn/version|git/(?:tag|url|sha)|local/root)")
_CODE_PORTS = (
    r"(?:sys\.env\.getOrElse|getenv)\(?\s*\"(?:HTTP_)?PORT\"\)?[^;\n]{0,80}?\"?(\d{4,5})\"?",
    r"(?:bind|bindAndHandle|newServerAt|bindHttp|withPort)\([^)]{0,120}?(?:port\")?\b(\d{4,5})",
    r"port\"(\d{4,5})\"",
    r":port\s+(?:\(or\s+[^)]{0,60}?|\(Integer/parseInt\s+[^)]{0,60}?)?\"?(\d{4,5})",
    r"(?i)\b(?:val|def)\s+\w*port\w*\s*(?::\s*\w+\s*)?=\s*(\d{2,5})",
)


def inspect_scala(draft: Draft) -> None:
    """Fill the draft from build.sbt and project/."""
    folder = draft.folder
    draft.family = "scala"
    draft.settle("language", "scala", "scala/manifest", "build.sbt is there", at="build.sbt")
    draft.settle("package_manager", "sbt", "scala/sbt", "build.sbt is sbt's", at="build.sbt")
    version = re.search(r"sbt\.version\s*=\s*([\d.]+)", folder.text("project/build.properties") or "")
    if version:
        draft.settle(
            "package_manager_version",
            version[1],
            "scala/sbt-version",
            "build.properties names it",
            at="project/build.properties",
        )
    settle_runtime(draft, "java", _pins(folder))
    match = settle_framework(draft, ("scala",), gather(_sbt_dependencies(folder)))
    _settle_sbt(draft, match)
    settle_port_from_command(draft)
    conf = next(iter(folder.match(r"(?:[\w-]+/)?(?:conf|src/main/resources)/application\.conf")), None)
    if conf:
        found = re.search(r"^[ \t]*(?:http\.)?port\s*[=:]\s*(\d{2,5})", folder.text(conf) or "", re.MULTILINE)
        settle_port(draft, found[1] if found else "", "port/settings", f"{conf} sets it", conf)
    settle_port_from_code(draft, folder.match(r"(?:[\w-]+/)?(?:src/main/scala|app)/.*\.scala")[:6], _CODE_PORTS)
    settle_framework_port(draft, match)
    draft.rule_out("static_output")


def _pins(folder: Folder) -> Iterator[Pin]:
    system = re.search(r"java\.runtime\.version\s*=\s*(\S+)", folder.text("system.properties") or "")
    if system:
        yield Pin(system[1].removeprefix("1."), folder.path("system.properties"), 1, "system.properties")
    for pin in (*file_pins(folder, ".java-version", ".jdk-version"), *tool_pins(folder, "java")):
        number = re.search(r"\d+(?:\.\d+)*", pin.text)
        if number:
            yield Pin(number[0], pin.path, pin.line, pin.rule)


def _sbt_dependencies(folder: Folder) -> Iterator[Dependency]:
    for name in ("build.sbt", *folder.match(r"project/[\w.-]+\.(?:scala|sbt)"), *folder.match(r"[\w-]+/build\.sbt")):
        for match in _SBT_DEPENDENCY.finditer(folder.text(name) or ""):
            yield Dependency(match[2], name, match[3])


def _settle_sbt(draft: Draft, match: Match | None) -> None:
    folder = draft.folder
    plugins = " ".join(folder.text(n) or "" for n in folder.match(r"project/[\w.-]+\.sbt"))
    build = folder.text("build.sbt") or ""
    name = re.search(r"\b(?:name|normalizedName)\s*:=\s*\"([^\"]+)\"", build)
    program = re.sub(r"[^\w-]+", "-", (name[1] if name else "app").lower())
    executable = re.search(r"executableScriptName\s*:=\s*\"([\w-]+)\"", build)
    program = executable[1] if executable else program
    draft.traits |= {"program": program}
    if "sbt-native-packager" in plugins or (match and match.framework.id == "play"):
        draft.traits["packaging"] = "stage"
        draft.settle("build", "sbt stage", "scala/stage", "the native packager stages it", at="build.sbt")
        option = " -Dhttp.port=$PORT" if match and match.framework.id == "play" else ""
        start_with(
            draft, f"./target/universal/stage/bin/{program}{option}", "scala/stage", "the staged script", "build.sbt"
        )
    elif "sbt-assembly" in plugins:
        draft.traits["packaging"] = "assembly"
        draft.settle("build", "sbt assembly", "scala/assembly", "sbt-assembly makes one jar", at="project/plugins.sbt")
        start_with(
            draft, "java -jar target/scala-*/*-assembly-*.jar", "scala/assembly", "the assembled jar", "build.sbt"
        )
    else:
        draft.traits["packaging"] = "run"
        draft.settle("build", "sbt compile", "scala/compile", "no packaging plugin is there", at="build.sbt")
        start_with(draft, "sbt run", "scala/run", "no packaging plugin is there", "build.sbt", guessed=match is None)


def inspect_clojure(draft: Draft) -> None:
    """Fill the draft from project.clj or deps.edn."""
    folder = draft.folder
    draft.family = "clojure"
    lein = folder.has("project.clj")
    at = "project.clj" if lein else "deps.edn"
    draft.settle("language", "clojure", "clojure/manifest", f"{at} is there", at=at)
    draft.settle("package_manager", "leiningen" if lein else "clojure-cli", "clojure/tool", f"{at} is there", at=at)
    settle_runtime(draft, "java", _pins(folder))
    match = settle_framework(draft, ("clojure",), gather(_clojure_dependencies(folder)))
    if lein:
        _settle_leiningen(draft)
    else:
        _settle_tools_build(draft)
    settle_port_from_command(draft)
    sources = [
        *folder.match(r"src/.*(?:core|server|main|system|service|handler|web)\.clj"),
        *folder.match(r"(?:resources|env/prod/resources)/config\.edn"),
    ]
    settle_port_from_code(draft, sources[:5], _CODE_PORTS)
    settle_framework_port(draft, match)
    draft.rule_out("static_output")


def _clojure_dependencies(folder: Folder) -> Iterator[Dependency]:
    for match in _LEIN_DEPENDENCY.finditer(folder.text("project.clj") or ""):
        yield Dependency(match[1], "project.clj", match[2])
    for match in _EDN_DEPENDENCY.finditer(folder.text("deps.edn") or ""):
        yield Dependency(match[1], "deps.edn")


def _settle_leiningen(draft: Draft) -> None:
    text = draft.folder.text("project.clj") or ""
    project = re.search(r"\(defproject\s+([\w./-]+)\s+\"([^\"]+)\"", text)
    named = re.search(r":uberjar-name\s+\"([^\"]+)\"", text)
    name, version = (project[1].rpartition("/")[2], project[2]) if project else ("*", "*")
    jar = named[1] if named else f"{name}-{version}-standalone.jar"
    folder = "target/uberjar" if re.search(r":target-path\s+\"target/%s", text) else "target"
    ring = "lein-ring" in text and ":ring" in text
    draft.traits["artifact"] = f"{folder}/{jar}"
    draft.settle(
        "build",
        "lein ring uberjar" if ring else "lein uberjar",
        "clojure/build",
        "leiningen makes one jar",
        at="project.clj",
    )
    start_with(draft, f"java -jar {folder}/{jar}", "clojure/jar", "the jar that leiningen leaves", "project.clj")


def _settle_tools_build(draft: Draft) -> None:
    text = draft.folder.text("deps.edn") or ""
    if draft.folder.has("build.clj") or re.search(r":build\s*\{", text):
        draft.traits["artifact"] = "target/*standalone.jar"
        draft.settle("build", "clojure -T:build uber", "clojure/build", "build.clj makes one jar", at="build.clj")
        start_with(
            draft, "java -jar target/*standalone.jar", "clojure/jar", "the jar that build.clj leaves", "build.clj"
        )
        return
    alias = next((a for a in ("run", "start", "server", "main") if re.search(rf":{a}\s*\{{", text)), None)
    main = re.search(
        r"\(:gen-class\)|\(defn\s+-main",
        "".join(draft.folder.text(n) or "" for n in draft.folder.match(r"src/.*(?:core|main|server)\.clj")[:4]),
    )
    if alias or main:
        namespace = _main_namespace(draft.folder)
        command = f"clojure -M:{alias}" if alias else f"clojure -M -m {namespace}"
        start_with(draft, command, "clojure/run", "deps.edn says how it is run", "deps.edn", guessed=alias is None)


def _main_namespace(folder: Folder) -> str:
    for name in folder.match(r"src/.*(?:core|main|server)\.clj"):
        if "-main" in (folder.text(name) or ""):
            return name.removeprefix("src/").removesuffix(".clj").replace("/", ".").replace("_", "-")
    return "core"
