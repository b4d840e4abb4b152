"""What others wrote, as a cell of a CSV file that a spreadsheet may open."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets a quote in front, as OWASP advises.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
