"""What inspection refuses to do, each with the line of .shipmate.yml that would settle it."""

from __future__ import annotations


class InspectError(Exception):
    """Base of everything this package raises on purpose."""


class CannotGenerate(InspectError):
    """No Dockerfile can be written for an application.

    `code` is stable, `sentence` says what is missing, `fix` is a ready-made piece of .shipmate.yml.
    """

    def __init__(self, code: str, sentence: str, fix: str) -> None:
        super().__init__(f"{sentence} Put this into .shipmate.yml:\n{fix}")
        self.code = code
        self.sentence = sentence
        self.fix = fix


class UnsafeCommand(CannotGenerate):
    """A command taken from the repository holds characters that would change the Dockerfile's meaning."""


class BadInput(InspectError):
    """The shell was given a path, an address or a listing that cannot be read; `str()` says which and why."""
