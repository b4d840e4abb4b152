"""Shell scripts: one that is all there is, run by the shell that its first line names."""

from __future__ import annotations

import re

from bot.inspect.draft import Draft
from bot.inspect.languages.common import start_with


def inspect_shell(draft: Draft) -> None:
    """A start script alone: its first line says which shell runs it."""
    folder = draft.folder
    script = folder.first("start.sh", "run.sh", "entrypoint.sh")
    draft.family = "shell"
    draft.settle("language", "shell", "shell/script", f"{script} is all there is", at=script)
    draft.rule_out("framework")
    draft.rule_out("static_output")
    first = (folder.text(script or "") or "").partition("\n")[0]
    match = re.match(r"#!\s*(?:/usr/bin/env\s+)?\S*?(bash|zsh|dash|ash|ksh|sh)\b", first)
    interpreter = match[1] if match else "sh"
    if script:
        start_with(draft, f"{interpreter} {script}", "shell/script", "its first line names the shell", script)
