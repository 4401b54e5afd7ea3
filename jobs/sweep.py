"""Sweep: repair what was lost, wake what is due. Asked for by every worker, again and again."""

from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from jobs.run_import import ask_for_waiting
from jobs.runtime import IN_NO_HURRY, inside_app, journals, markers, runtime
from webapp.adapters import journal, notice_round, pulse, retention_round, wakeups
from webapp.core.sending import sweeping
from webapp.core.settings import installation
from webapp.extensions import db


def may_repair() -> bool:
    """Whether what ended senders left can be settled: in a restored database not before a person has looked at it."""
    with Session(db.engine) as session:
        return not installation.is_unsettled(session)


def sweep() -> None:
    """One round over everything that is not finished."""
    with inside_app() as app:
        wakeups.begins(IN_NO_HURRY)
        folder = journals(app)
        find, discard = partial(journal.find, folder), partial(journal.discard, folder)
        pulse.notice(db.engine, markers(app))
        if may_repair():
            for broadcast_id in sweeping.sweep(runtime(), find, discard, ask_after=app.config["MISSED_START"]):
                wakeups.wake(broadcast_id)
        ask_for_waiting()
        retention_round.tidy(db.engine, Path(app.config["INSTANCE"]))
        if notice_round.look(db.engine, app.config["RELAY"].key, app.config["MISSED_START"]):
            wakeups.enqueue(wakeups.NOTIFY, key=wakeups.NOTIFY)
