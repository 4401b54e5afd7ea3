"""Sweep: repair what was lost, wake what is due. Asked for by every worker, again and again."""

from functools import partial

from jobs.run_import import ask_for_waiting, tidy_up
from jobs.surroundings import IN_NO_HURRY, inside_app, journals, shell
from webapp.adapters import journal, wakeups
from webapp.core.sending import sweeping


def sweep() -> None:
    """One round over everything that is not finished."""
    with inside_app() as app:
        wakeups.begins(IN_NO_HURRY)
        folder = journals(app)
        for broadcast_id in sweeping.sweep(shell(), partial(journal.find, folder), partial(journal.discard, folder)):
            wakeups.wake(broadcast_id)
        ask_for_waiting()
        tidy_up()
