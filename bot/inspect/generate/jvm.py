"""Dockerfiles of the JVM: Maven, Gradle, sbt, Leiningen and Clojure's own tool, ending on a JRE or on Tomcat."""

from __future__ import annotations

import re

from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder
from bot.inspect.generate.writer import Writer, safe_name
from bot.inspect.model import AppPlan

_RELEASES = (8, 11, 17, 21, 25)
_USUAL = 21
_BUILT_ARCHIVE = re.compile(r"(?:\./)?(?:[\w.-]+/)*(?:target|build/libs)/[\w.*-]+\.(jar|war)")
_SBT = "1.10.11"
_SBT_LAUNCHER = "https://repo1.maven.org/maven2/org/scala-sbt/sbt-launch"
_SBT_CACHES = ("/root/.sbt", "/root/.ivy2", "/root/.cache/coursier")


def _release(plan: AppPlan) -> int:
    """The image's Java: the asked one (`17`, `1.8`, `temurin-21`), rounded up to a release that has images."""
    named = re.search(r"\d+", re.sub(r"\b1\.(?=\d)", "", plan.runtime_version or ""))
    asked = int(named[0]) if named else _USUAL
    return next((release for release in _RELEASES if release >= asked), _RELEASES[-1])


def _glob(text: str) -> str:
    """An artifact's path, where stars are wanted and nothing else is special."""
    safe_name(text.replace("*", "x"), "artifact")
    return text


def write_jvm(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Build with Maven or Gradle, keep the one artifact that starts, run it on a JRE."""
    if plan.package_manager == "maven":
        _write_maven(writer, plan, folder)
    else:
        _write_gradle(writer, plan, folder)
    _write_artifact(writer, plan)
    _write_run(writer, plan)


def _write_maven(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    writer.stage(f"maven:3-eclipse-temurin-{_release(plan)}", "build")
    writer.add("WORKDIR /src")
    writer.copy(["pom.xml"], "./")
    if writer.told("install") or not folder.any(r"(?:[\w.-]+/)+pom\.xml"):
        writer.step("install", "mvn -B -q dependency:go-offline", "/root/.m2")
    writer.copy(["."], ".")
    writer.run((plan.build or "mvn -B -DskipTests package").replace("./mvnw", "mvn"), "/root/.m2", key="build")


def _write_gradle(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    wrapper = folder.has("gradlew") and folder.has("gradle/wrapper/gradle-wrapper.properties")
    release = _release(plan)
    writer.stage(f"eclipse-temurin:{release}-jdk" if wrapper else f"gradle:8-jdk{release}", "build")
    writer.add("WORKDIR /src")
    names = ("settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts", "gradle.properties")
    writer.copy([n for n in names if folder.has(n)], "./")
    if wrapper:
        writer.copy(["gradlew"], "./")
        writer.copy(["gradle"], "./gradle")
        writer.run("chmod +x gradlew && ./gradlew --no-daemon --version", "/root/.gradle", key="install")
    if writer.told("install"):
        writer.step("install", "gradle --no-daemon dependencies", "/root/.gradle")
    writer.copy(["."], ".")
    command = plan.build or "gradle --no-daemon build -x test"
    if wrapper:
        command = f"chmod +x gradlew && {command}"
    elif command.startswith("./gradlew"):
        command = command.removeprefix("./").replace("gradlew", "gradle", 1)
    writer.run(command, "/root/.gradle", key="build")


def _write_artifact(writer: Writer, plan: AppPlan) -> None:
    """Move what starts to /out, whatever version its name holds; never the `-plain` jar."""
    artifact = _glob(plan.traits.get("artifact") or "target/*.jar")
    packaging = plan.traits.get("packaging")
    if packaging == "install":
        writer.run(f"mkdir /out && cp -r {artifact}/. /out/")
    elif packaging == "quarkus":
        writer.run(f"mkdir /out && cp -r {artifact.rpartition('/')[0]}/. /out/")
    else:
        ending = artifact.rpartition(".")[2]
        pick = f"ls {artifact} | grep -v -e '-plain[.]jar$' -e '-sources[.]jar$' -e '/original-' | head -n 1"
        writer.run(f'mkdir /out && cp "$({pick})" /out/app.{ending}')


def _write_run(writer: Writer, plan: AppPlan) -> None:
    packaging = plan.traits.get("packaging")
    if packaging == "war":
        writer.stage(f"tomcat:10.1-jre{max(11, _release(plan))}")
        writer.run("cd /usr/local/tomcat && chmod -R a+rwX logs work temp webapps")
        writer.copy(["/out/app.war"], "/usr/local/tomcat/webapps/ROOT.war", from_stage="build")
        writer.finish("catalina.sh run", plan.port or 8080)
        return
    writer.stage(f"eclipse-temurin:{_release(plan)}-jre")
    writer.add("WORKDIR /app")
    writer.copy(["/out/"], "/app/", from_stage="build")
    writer.env(JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75")
    writer.finish(_start(plan), plan.port)


def _start(plan: AppPlan) -> str:
    """The plan's start with the artifact's path replaced by its place in the image."""
    artifact, start = plan.traits.get("artifact", ""), plan.start or ""
    packaging = plan.traits.get("packaging")
    if packaging == "install" and artifact in start:
        return start.replace(f"./{artifact}/", "./")
    if packaging == "quarkus":
        return start.replace(artifact, "quarkus-run.jar")
    return _BUILT_ARCHIVE.sub(lambda found: f"app.{found[1]}", start)


def write_scala(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """sbt's launcher from Maven Central, at the version the project names; staged scripts or one jar."""
    packaging = plan.traits.get("packaging")
    if packaging == "run":
        raise CannotGenerate(
            "no_package",
            "build.sbt has no plugin that packages the program.",
            "build:\n  dockerfile: Dockerfile  # or add sbt-native-packager to project/plugins.sbt",
        )
    writer.stage(f"eclipse-temurin:{_release(plan)}-jdk", "build")
    _build_with_sbt(writer, plan, folder)
    writer.run(
        "mkdir /out && cp -r target/universal/stage/. /out/"
        if packaging == "stage"
        else 'mkdir /out && cp "$(ls target/scala-*/*-assembly-*.jar | head -n 1)" /out/app.jar'
    )
    writer.stage(f"eclipse-temurin:{_release(plan)}-jre")
    writer.add("WORKDIR /app")
    writer.copy(["/out/"], "/app/", from_stage="build")
    start = (
        (plan.start or "")
        .replace("./target/universal/stage/", "./")
        .replace("target/scala-*/*-assembly-*.jar", "app.jar")
    )
    writer.finish(f"{start} -Dpidfile.path=/dev/null" if plan.framework == "play" else start, plan.port)


def _build_with_sbt(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Dependencies first, so that they stay in the cache when only sources change."""
    version = safe_name(plan.package_manager_version or _SBT, "sbt version")
    writer.add(f"ADD {_SBT_LAUNCHER}/{version}/sbt-launch-{version}.jar /usr/local/lib/sbt-launch.jar", "WORKDIR /src")
    writer.copy(["build.sbt"], "./")
    if folder.any(r"project/.+"):
        writer.copy(["project"], "./project")
    sbt = "java -jar /usr/local/lib/sbt-launch.jar"
    writer.step("install", f"{sbt} update", *_SBT_CACHES)
    writer.copy(["."], ".")
    writer.run((plan.build or "sbt stage").replace("sbt ", f"{sbt} ", 1), *_SBT_CACHES, key="build")


def write_clojure(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Leiningen's or tools.build's uberjar on a JRE; a program that only runs from sources keeps the tool."""
    lein = plan.package_manager == "leiningen"
    image = f"clojure:temurin-{_release(plan)}-{'lein' if lein else 'tools-deps'}"
    writer.stage(image, "build")
    writer.add("WORKDIR /src")
    writer.copy(["project.clj" if lein else "deps.edn", *(["build.clj"] if folder.has("build.clj") else [])], "./")
    writer.step("install", "lein deps" if lein else "clojure -P", "/root/.m2")
    writer.copy(["."], ".")
    artifact = plan.traits.get("artifact")
    if artifact is None:
        writer.env(HOME="/src")
        writer.run("clojure -P && chmod -R a+rwX /src")
        writer.finish(plan.start or "", plan.port)
        return
    writer.run(plan.build or "lein uberjar", "/root/.m2", key="build")
    writer.run(f'mkdir /out && cp "$(ls {_glob(artifact)} | head -n 1)" /out/app.jar')
    writer.stage(f"eclipse-temurin:{_release(plan)}-jre")
    writer.add("WORKDIR /app")
    writer.copy(["/out/app.jar"], "/app/app.jar", from_stage="build")
    writer.finish((plan.start or "").replace(artifact, "app.jar"), plan.port)
