"""What the base images of a repository's own Dockerfile tell: the language, and the version it runs in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.inspect.dockerfile_parser import Dockerfile, parse_dockerfile
from bot.inspect.draft import Draft
from bot.inspect.reader import Reader

RUNTIMES: Mapping[str, str] = {
    "amazoncorretto": "java",
    "deno": "deno",
    "eclipse-temurin": "java",
    "elixir": "elixir",
    "golang": "go",
    "node": "node",
    "openjdk": "java",
    "php": "php",
    "python": "python",
    "ruby": "ruby",
    "rust": "rust",
}
"""Names of official images, and the runtime each brings."""
LANGUAGES: Mapping[str, str] = {"node": "javascript", "deno": "typescript"}
"""Where a runtime's language has another name."""
_IMAGE = re.compile(r"(?:.*/)?(?P<name>[\w.-]+):v?(?P<version>\d+(?:\.\d+)*)[\w.-]*(?:@\S+)?")


def image_versions(reader: Reader, path: str, runtime: str) -> Iterator[tuple[str, str, int | None, str]]:
    """(version, path, line, rule) of the image the last stage stands on, if it is one of this runtime's."""
    for name, version, line in _images(parse_dockerfile(reader.text(path) or "")):
        if RUNTIMES.get(name) == runtime:
            yield version, path, line, "image"
            return


def settle_from_image(draft: Draft, path: str) -> None:
    """Language and version of an application that only its Dockerfile tells about."""
    for name, version, line in _images(parse_dockerfile(draft.folder.reader.text(path) or "")):
        runtime = RUNTIMES.get(name)
        if runtime is not None:
            why = f"its image stands on {name}"
            draft.settle("language", LANGUAGES.get(runtime, runtime), "dockerfile/image", why, line=line, path=path)
            draft.settle("runtime_version", version, "version/image", why, line=line, path=path)
            return


def _images(parsed: Dockerfile) -> Iterator[tuple[str, str, int | None]]:
    """(name, version, line) of official images: what the last stage stands on, then the earlier stages'."""
    stages = [*parsed.ancestry(), *reversed(parsed.stages)]
    for stage in stages:
        match = _IMAGE.fullmatch(parsed.expand(stage.image))
        if match:
            yield match["name"], match["version"], stage.line
