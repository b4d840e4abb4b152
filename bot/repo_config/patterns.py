"""Patterns that settings give for values: whether one can be read, and whether a value fits, told within a moment.

Whoever may write to a repository makes its settings, and says the value, too: with Python's own `re` a pattern that
goes back and forth over the value would hold up everybody else's work for as long as it likes.
"""

from __future__ import annotations

LIMIT_S = 0.1


def fault_in_pattern(pattern: str) -> str | None:
    """Why it is no regular expression, in the words of the library that reads it; None: it is one."""
    import regex  # with the first pattern: it costs a start more than most else

    try:
        regex.compile(pattern)
    except regex.error as error:
        return str(error)
    return None


def fits(pattern: str, value: str) -> bool:
    """Whether the whole value is of the form; one that cannot be told of within `LIMIT_S` is not."""
    import regex  # as above

    try:
        return regex.fullmatch(pattern, value, timeout=LIMIT_S) is not None
    except TimeoutError:
        return False
