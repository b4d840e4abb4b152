"""Parsers for manifests nobody vouches for: bounded in depth and in expansion, and explained when they fail."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any
from xml.etree.ElementTree import Element

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError as XmlParseError
from defusedxml.ElementTree import fromstring as defused_fromstring

MAX_DEPTH = 64
MAX_YAML_ALIASES = 64
MAX_YAML_MERGED = 10_000
MAX_YAML_DIGITS = 32
_TOO_LONG = "holds a number too long to be read"
_JSONC_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"?|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|,(?=\s*[}\]])', re.DOTALL)
_NESTING = re.compile(r"[\[{]|[\]}]")
_TOML_TEXT = re.compile(r""""(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?""")
_DEEP_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")


class Broken(Exception):
    """A manifest that cannot be read; `reason` is one sentence, `line` counts from 1 where it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def parse_json(text: str) -> Any:
    """JSON, with comments and trailing commas allowed as tsconfig.json and deno.jsonc have them."""
    try:
        return json.loads(text)
    except ValueError:
        return _parse_jsonc(text)
    except RecursionError as deep:
        raise Broken("is nested too deeply") from deep


def _parse_jsonc(text: str) -> Any:
    stripped = _JSONC_TOKEN.sub(lambda token: token[0] if token[0].startswith('"') else _blank(token[0]), text)
    stripped = _drop_trailing_commas(stripped)
    try:
        return json.loads(stripped)
    except json.JSONDecodeError as error:
        return _parse_json5(stripped, error)
    except ValueError as error:
        raise Broken(_TOO_LONG) from error
    except RecursionError as deep:
        raise Broken("is nested too deeply") from deep


def _parse_json5(stripped: str, error: json.JSONDecodeError) -> Any:
    """JSON5's bare keys and single quotes are YAML's flow style; the strict parser's complaint stands otherwise."""
    looks_like_json5 = re.search(r"[{,]\s*(?:[A-Za-z_$][\w$]*|'[^'\n]*')\s*:\s", stripped)
    if not looks_like_json5:
        raise Broken(f"is not valid JSON: {error.msg}", error.lineno) from error
    return parse_yaml(stripped)


def _drop_trailing_commas(text: str) -> str:
    return _JSONC_TOKEN.sub(lambda token: token[0] if token[0].startswith('"') else " ", text)


def _blank(comment: str) -> str:
    return "\n" * comment.count("\n") if comment.startswith("/") else " "


def parse_toml(text: str) -> dict[str, Any]:
    """TOML; nesting beyond any real manifest's is refused before the parser recurses into it."""
    if _is_deep(_TOML_TEXT.sub("s", text)):
        raise Broken("is nested too deeply")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        raise Broken(f"is not valid TOML: {error}", int(place[1]) if place else None) from error
    except ValueError as error:
        raise Broken(_TOO_LONG) from error
    except RecursionError as deep:
        raise Broken("is nested too deeply") from deep


def _is_deep(text: str) -> bool:
    """Whether brackets, or the parts of one dotted key, stand deeper than MAX_DEPTH in TOML without its texts."""
    depth = deepest = 0
    for bracket in _NESTING.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH or _DEEP_KEY.search(text) is not None


class _TolerantLoader(yaml.CSafeLoader):
    """A safe loader to which unknown tags (CloudFormation's `!Ref`) are plain values, and merges have an end."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Take in what `<<` names; a merge of merges that doubles at each level is refused at MAX_YAML_MERGED."""
        own = len(node.value)
        super().flatten_mapping(node)
        if len(node.value) > max(own, MAX_YAML_MERGED):
            raise Broken("merges more keys than can be read", node.start_mark.line + 1)


def _plain_value(loader: yaml.CSafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


def _as_written(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> str | float:
    """A number such as `3.10` is a version here, and stays the text it was written as."""
    text = str(node.value)
    return text if re.fullmatch(r"\d+\.\d+", text) else loader.construct_yaml_float(node)


def _short_number(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> str | int:
    """A number of base sixty, as `1:30`, costs the square of its length, so that a long one stays text."""
    text = str(node.value)
    return text if len(text) > MAX_YAML_DIGITS else loader.construct_yaml_int(node)


_TolerantLoader.add_multi_constructor("!", _plain_value)
_TolerantLoader.add_constructor("tag:yaml.org,2002:int", _short_number)
_TolerantLoader.add_constructor("tag:yaml.org,2002:float", _as_written)


def parse_yaml(text: str) -> Any:
    """The first document of a YAML file; depth and aliases are counted before anything is built."""
    try:
        _bound_yaml(text)
        return next(iter(yaml.load_all(text, Loader=_TolerantLoader)), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise Broken(f"is not valid YAML: {problem}", mark.line + 1 if mark else None) from error
    except (RecursionError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise Broken("is not valid YAML") from error  # the library's constructors trip over what a tag does not fit


def _bound_yaml(text: str) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH:
            raise Broken("is nested too deeply", _line(event))
        if aliases > MAX_YAML_ALIASES:
            raise Broken("repeats itself through too many aliases", _line(event))


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark else None


def parse_xml(text: str) -> Element:
    """XML without document types or entities, so that nothing can expand or be fetched."""
    try:
        root: Element = defused_fromstring(text.lstrip("\ufeff \n\r\t"), forbid_dtd=True)
    except DefusedXmlException as refused:
        raise Broken("declares a document type or entities, which is refused") from refused
    except XmlParseError as error:
        raise Broken(f"is not valid XML: {error}", error.position[0]) from error
    except (ValueError, LookupError) as error:  # an encoding that does not exist
        raise Broken(f"is not valid XML: {error}") from error
    return root
