"""Sweep: repair what was lost, wake what is due. Asked for by every worker, again and again."""

from functools import partial

from jobs.run_import import ask_for_waiting
from jobs.surroundings import IN_NO_HURRY, inside_app, journals, shell
from webapp.adapters import journal, notice_round, wakeups
from webapp.core.sending import sweeping
from webapp.extensions import db


def sweep() -> None:
    """One round over everything that is not finished."""
    with inside_app() as app:
        wakeups.begins(IN_NO_HURRY)
        folder = journals(app)
        find, discard = partial(journal.find, folder), partial(journal.discard, folder)
        for broadcast_id in sweeping.sweep(shell(), find, discard, ask_after=app.config["MISSED_START"]):
            wakeups.wake(broadcast_id)
        ask_for_waiting()
        if notice_round.look(db.engine):
            wakeups.enqueue(wakeups.NOTIFY, key=wakeups.NOTIFY)
