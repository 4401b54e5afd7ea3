"""Look at a broadcast: start it, freeze it, send its mails, whatever is due; and say when to look again."""

import os
import socket
from dataclasses import replace
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from jobs.runtime import Turn, inside_app, journals, markers, runtime
from jobs.start_broadcast import FIRST_CHUNK, start_broadcast
from webapp.adapters import clock, database, journal, machine, wakeups
from webapp.adapters.pulse import Pulse, is_held
from webapp.adapters.smtp import SmtpMailer
from webapp.core import ledger, sending
from webapp.core.cadence import COME_BACK_S, EARLY_S
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import sweeping
from webapp.extensions import db

MUCH = 1000


def send_batch(broadcast_id: int, much: int = MUCH, first_chunk: int = FIRST_CHUNK) -> None:
    """Send what is due of a broadcast; beside another process if at least `much` mails are pending. `first_chunk`: so many clients are
    looked at first, if it has to be frozen."""
    wakeup = wakeups.look_key(broadcast_id)
    with inside_app() as app:
        wakeups.begins(wakeup)
        marks = markers(app)
        if is_held(db.engine, marks, broadcast_id) or not start_broadcast(broadcast_id, first_chunk):
            return
        database.remember_little(db.engine)
        turn = Turn()
        folder = journals(app)
        sweeping.recover(runtime(turn), partial(journal.find, folder), partial(journal.discard, folder), broadcast_id)
        with Session(db.engine) as session:
            if ledger.in_force(session, broadcast_id, clock.now()) and not _may_join(session, broadcast_id, much, turn):
                return
        with Pulse(db.engine, marks, broadcast_id) as pulse:
            surrounded = replace(
                runtime(turn),
                call_for_help=wakeups.helper(broadcast_id),
                must_stop=lambda: turn.must_stop() or pulse.must_stop(),
            )
            ending = sending.send(
                surrounded,
                broadcast_id,
                mailer=lambda: SmtpMailer(app.config["RELAY"]),
                journal=lambda: journal.FileJournal(folder),
                host=socket.gethostname(),
                pid=os.getpid(),
                machine=machine.id_of(folder),
                settings=_settings(app.config["RELAY"].connections),
            )
        if ending.state is BroadcastState.SENDING and ending.next_in is not None:
            _come_back(broadcast_id, ending.next_in)


def _settings(connections: int) -> sending.SenderSettings:
    """A connection carries one mail and has announced the next: groups of so many at least, lest the other mails run out meanwhile."""
    settings = sending.SenderSettings(connections=connections)
    return replace(settings, group=max(settings.group, 2 * connections))


def _may_join(session: Session, broadcast_id: int, much: int, turn: Turn) -> bool:
    """Whether to serve a broadcast beside another process: there is much to send, and nothing else to do here."""
    return ledger.has_much(session, broadcast_id, much) and not turn.somebody_waits()


def _come_back(broadcast_id: int, next_in: float) -> None:
    at = clock.now() + timedelta(seconds=next_in - EARLY_S) if next_in > COME_BACK_S else None
    wakeups.wake(broadcast_id, at=at)
