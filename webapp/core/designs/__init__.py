"""Templates: layouts and messages that a mail can be started from, with their versions."""

from pathlib import Path

ALONG = Path(__file__).parent / "along"
"""The folder of those that come along."""
