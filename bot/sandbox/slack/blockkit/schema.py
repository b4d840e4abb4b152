"""Makes blockkit.json, the JSON schema of Block Kit, from the types Slack publishes; run by hand when they change.

    python -m bot.sandbox.slack.blockkit.schema [VERSION]

Needs npm and its registry. The result is the schema of `@slack/types` without its prose, about 36 KB.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("blockkit.json")
TYPES_VERSION = "3.2.0"
GENERATOR = "ts-json-schema-generator@2"
ROOT_TYPE = """
import { KnownBlock, View, MessageAttachment } from "@slack/types";
export interface Root { block: KnownBlock; view: View; attachment: MessageAttachment }
"""
COMPILER = {
    "compilerOptions": {"strict": True, "module": "nodenext", "moduleResolution": "nodenext", "skipLibCheck": True},
    "files": ["root.ts"],
}
PROSE = {"description", "deprecated", "$schema"}


def main() -> None:
    """Fetch the types, turn them into one schema, write it beside this module."""
    version = sys.argv[1] if len(sys.argv) > 1 else TYPES_VERSION
    with tempfile.TemporaryDirectory() as folder:
        schema = closed(without_prose(generated(Path(folder), version)))
    schema["$comment"] = f"Made from @slack/types {version} (MIT, Slack Technologies) by schema.py"
    TARGET.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")


def generated(folder: Path, version: str) -> dict[str, Any]:
    """The generator's own output for `@slack/types` at `version`. Raises CalledProcessError when npm fails."""
    (folder / "root.ts").write_text(ROOT_TYPE)
    (folder / "tsconfig.json").write_text(json.dumps(COMPILER))
    packages = [f"@slack/types@{version}", GENERATOR, "typescript@5"]
    subprocess.run(["npm", "install", "--no-save", "--silent", *packages], cwd=folder, check=True)
    options = ["--path", "root.ts", "--tsconfig", "tsconfig.json", "--type", "Root", "--no-top-ref"]
    output = subprocess.run(["npx", "ts-json-schema-generator", *options], cwd=folder, check=True, capture_output=True)
    schema: dict[str, Any] = json.loads(output.stdout)
    return schema


def without_prose(node: Any) -> Any:
    """The same schema without descriptions; a property that is itself called `description` stays."""
    if isinstance(node, dict):
        return {k: without_prose(v) for k, v in node.items() if k not in PROSE or isinstance(v, dict)}
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    return node


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The types let any object with a `type` pass as a block of the future; a strict check knows today's only."""
    schema["definitions"]["AnyBlock"] = {"$ref": "#/definitions/KnownBlock"}
    schema["definitions"].pop("Block", None)
    return schema


if __name__ == "__main__":
    main()
