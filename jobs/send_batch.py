"""Look at a broadcast: start it, freeze it, send its mails, whatever is due; and say when to look again."""

from jobs.runtime import Turn, host, inside_app, runtime
from webapp.adapters import wakeups
from webapp.core import sending


def send_batch(broadcast_id: int, much: int = sending.MUCH, first_chunk: int = sending.FIRST_CHUNK) -> None:
    """Send what is due of a broadcast; beside another process if at least `much` mails are pending. `first_chunk`: so many clients are
    looked at first, if it has to be frozen."""
    with inside_app() as app:
        wakeups.begins(wakeups.look_key(broadcast_id))
        again = sending.look(
            runtime(Turn(), broadcast_id),
            host(app),
            broadcast_id,
            ask_after=app.config["MISSED_START"],
            much=much,
            first_chunk=first_chunk,
        )
        if again is not None:
            wakeups.wake(broadcast_id, at=again.at)
