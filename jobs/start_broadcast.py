"""Start a broadcast that is due, and freeze its audience."""

from jobs.runtime import inside_app, runtime
from webapp.adapters import wakeups
from webapp.core import sending


def start_broadcast(broadcast_id: int, first_chunk: int = sending.FIRST_CHUNK) -> bool:
    """Take a broadcast from scheduled to frozen, as far as it is time. True when it sends and everything is frozen."""
    with inside_app() as app:
        begun = sending.begin(runtime(), broadcast_id, ask_after=app.config["MISSED_START"], first_chunk=first_chunk)
        if begun.begins_at is not None:
            wakeups.wake(broadcast_id, at=begun.begins_at)
        return begun.is_ready
