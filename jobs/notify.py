"""Notify: send what of the notices is to leave by mail and webhook."""

from jobs.runtime import Turn, inside_app
from webapp.adapters import notice_round, wakeups
from webapp.extensions import db, mail


def notify() -> None:
    """One round over what is due."""
    with inside_app() as app:
        wakeups.begins(wakeups.NOTIFY)
        turn = Turn()
        carry = notice_round.carrier(db.engine, mail, *(app.config[name] for name in notice_round.CARRIED_BY))
        notice_round.work_off(db.engine, carry, turn.must_stop)
