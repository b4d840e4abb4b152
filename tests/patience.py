"""How long a test waits for what is bound to come: far beyond what a busy machine needs."""

ENOUGH_S = 120.0
"""Whoever waits that long waits for what never comes, and the test fails."""
