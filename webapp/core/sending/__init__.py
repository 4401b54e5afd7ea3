"""Sending: claim -> render -> mail -> record, in rolling groups. The only part of the core that commits.

outbox.py    where the two threads meet: mails on their way, and when nothing more may be handed over
recorder.py  the thread that claims and records
books.py     one of its transactions, one a group
claims_ahead.py  how many mails are claimed ahead
relay_keeper.py  what all processes know of the relay, brought together
letters.py   claimed deliveries as mails
surroundings.py  what a sender is given
trouble.py   when something breaks
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session, joinedload

from webapp.core import broadcasts, ledger
from webapp.core.errors import DomainError
from webapp.core.ledger import Lease, RowsLost
from webapp.core.ports import Journal, Mailer
from webapp.core.rules.evidence import Evidence
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.sending import trouble
from webapp.core.sending.letters import Letters
from webapp.core.sending.outbox import Outbox
from webapp.core.sending.recorder import Recorder
from webapp.core.sending.surroundings import Habits, Shell
from webapp.core.tables.broadcasts import Broadcast

__all__ = ["Ending", "Habits", "Shell", "send"]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a sender has ended, the broadcast's state then, and in how many seconds to look again (None: no need)."""

    why: str
    state: BroadcastState
    next_in: float | None = None


def send(
    shell: Shell,
    broadcast_id: int,
    *,
    mailer: Callable[[], Mailer],
    journal: Callable[[], Journal],
    host: str,
    pid: int,
    machine: str = "",
    habits: Habits | None = None,
) -> Ending:
    """Send a broadcast's mails until nothing is due for a while, the process is asked to end, or others wait.

    Blocks; to be called from the main thread, where signals arrive. Whatever happens, every mail that was claimed is recorded, given back,
    or written in the journal. Raises what broke it: the database was away for long, or a mistake of the program, which pauses the
    broadcast.
    """
    with Session(shell.engine, expire_on_commit=False) as session:
        shell.prepare(session)
        broadcast = session.get_one(Broadcast, broadcast_id, options=[joinedload(Broadcast.content)])
        if broadcast.state is not BroadcastState.SENDING or broadcast.frozen_at is None:
            return Ending("the broadcast is not sending", broadcast.state)
        try:
            letters = Letters(broadcast)
        except DomainError as error:
            broadcasts.stop(session, broadcast_id, str(error), shell.reading().wall)
            session.commit()
            return Ending(str(error), broadcast.state)
        written = journal()
        lease = ledger.open_lease(
            session,
            broadcast_id,
            host=host,
            pid=pid,
            journal=written.name,
            machine=machine,
            reading=shell.reading(),
        )
        evidence = Evidence(
            run=ledger.open_refusals(session, broadcast_id),
            in_a_row=broadcast.relay_errors,
            has_delivered=bool(ledger.counts(session, broadcast_id).get(DeliveryState.ACCEPTED)),
            is_probing=broadcast.probing,
            heeds_content=broadcast.heeds_content,
            spread=ledger.spread(session, broadcast_id),
        )
        session.commit()
        session.expunge_all()
    try:
        why = _send(shell, lease, broadcast, evidence, letters, written, mailer, habits or Habits())
    except Exception as error:
        if not isinstance(error, RowsLost) and not trouble.is_of_the_database(shell.engine, error):
            trouble.pause_for(shell, broadcast_id, error)
        raise
    return _ending(shell, broadcast_id, why)


def _send(
    shell: Shell,
    lease: Lease,
    broadcast: Broadcast,
    evidence: Evidence,
    letters: Letters,
    journal: Journal,
    mailer: Callable[[], Mailer],
    habits: Habits,
) -> str:
    watch = shell.watch(broadcast.id)
    outbox = Outbox(letters, journal, evidence, watch.is_sending, shell.ticks, habits.group)
    recorder = Recorder(shell, habits, lease, broadcast, letters.tags, outbox)
    relay = mailer()
    recorder.start()
    try:
        try:
            relay.run(outbox)
        finally:
            relay.close()  # before the lease ends: then others may have the connections
    finally:
        outbox.break_off("the sending process broke off")
        recorder.mailer_has_ended()
        recorder.join()
        watch.close()
        outbox.close()
        if recorder.error is None:
            journal.discard()
        else:
            journal.leave()
    if recorder.error is not None:
        raise recorder.error
    return outbox.barred or ""


def _ending(shell: Shell, broadcast_id: int, why: str) -> Ending:
    with Session(shell.engine) as session:
        shell.prepare(session)
        reading = shell.reading()
        state = broadcasts.finish_if_done(session, broadcast_id, reading.wall)
        session.commit()
        # Looked at after the lease has ended: a resume or retry that came before that finds no sender, one after it wakes another.
        broadcast = session.get_one(Broadcast, broadcast_id)
        next_in = ledger.next_look(session, broadcast, reading, relay_key=shell.relay_key)
    return Ending(why, state, next_in)
