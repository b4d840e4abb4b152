"""Java and Kotlin: Maven or Gradle decides who fills the draft in."""

from __future__ import annotations

from bot.inspect.draft import Draft
from bot.inspect.languages.jvm_gradle import inspect_gradle
from bot.inspect.languages.jvm_maven import inspect_maven


def inspect_jvm(draft: Draft) -> None:
    """Fill the draft from the pom or the Gradle build, whichever stands there; Maven wins a tie."""
    draft.family = "jvm"
    if draft.folder.has("pom.xml"):
        inspect_maven(draft)
    else:
        inspect_gradle(draft)
    draft.rule_out("static_output")
