"""The time, for shells to hand to the core, which never looks at a clock itself."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
