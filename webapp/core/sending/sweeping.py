"""The sweep: repair what was lost, and find what is due. The database is the calendar; a broadcast whose wake was lost gets another."""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.cadence import SWEEP_WAKES_S
from webapp.core.ports import JournalFinding
from webapp.core.rules.lifecycle import WAITING, BroadcastState
from webapp.core.sending import failures
from webapp.core.sending.runtime import Runtime
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Sender

FindJournal = Callable[[str], JournalFinding]
DiscardJournal = Callable[[str], None]
log = logging.getLogger(__name__)


def sweep(
    runtime: Runtime, find_journal: FindJournal, discard_journal: DiscardJournal, *, ask_after: timedelta | None = None
) -> list[int]:
    """One round over everything that is not finished. Returns the broadcasts to wake; not those that missed their start by more than
    `ask_after`, which wait for a person."""
    recover(runtime, find_journal, discard_journal)
    with Session(runtime.engine) as session:
        open_states = (BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.NEEDS_ATTENTION)
        ids = session.scalars(select(Broadcast.id).where(Broadcast.state.in_(open_states)).order_by(Broadcast.id)).all()
        session.rollback()
        due = [broadcast_id for broadcast_id in ids if _looked_at(runtime, session, broadcast_id, ask_after)]
        _cancel_rest(runtime, session)
        _fold_counts(runtime, session)
    return due


def _looked_at(runtime: Runtime, session: Session, broadcast_id: int, ask_after: timedelta | None) -> bool:
    """Finish a broadcast that is done. Returns whether to wake it. A broadcast that breaks the look is paused, where people see it, and the
    look at the others goes on."""
    try:
        runtime.prepare(session)
        broadcast = session.get(Broadcast, broadcast_id)
        is_due = broadcast is not None and _is_due(session, broadcast, runtime, ask_after)
        session.commit()
        return is_due
    except Exception as error:
        session.rollback()
        if failures.is_of_the_database(runtime.engine, error):
            raise
        log.exception("broadcast %s cannot be looked at", broadcast_id)
        failures.pause_for(runtime, broadcast_id, error)
        return False


def recover(
    runtime: Runtime, find_journal: FindJournal, discard_journal: DiscardJournal, broadcast_id: int | None = None
) -> None:
    """Settle what ended senders of one broadcast, or of all, left behind, and delete their journals."""
    with Session(runtime.engine) as session:
        for sender in ledger.open_senders(session, broadcast_id):
            try:
                _recover(runtime, session, sender, find_journal, discard_journal)
            except Exception as error:
                session.rollback()
                if failures.is_of_the_database(runtime.engine, error):
                    raise
                log.exception("sender %s cannot be recovered now", sender.id)


def _recover(
    runtime: Runtime, session: Session, sender: Sender, find_journal: FindJournal, discard_journal: DiscardJournal
) -> None:
    session.rollback()
    runtime.prepare(session)
    session.refresh(sender)
    finding, reading = find_journal(sender.journal), runtime.reading()
    name, served = sender.journal, False
    if sender.ended_at is None and ledger.may_recover(session, sender, finding, reading, runtime.host_grace):
        served = ledger.recover(session, sender, finding, reading)
    session.commit()
    if served:
        about = {
            "broadcast": sender.broadcast_id,
            "sender": sender.id,
            "host": sender.host,
            "has_journal": finding.is_here,
        }
        words = "broadcast %s: taken over what sender %s on %s had claimed, %s its journal"
        by = "by" if finding.is_here else "without"
        log.info(words, sender.broadcast_id, sender.id, sender.host, by, extra={"event": "taken_over"} | about)
        discard_journal(name)


def _is_due(session: Session, broadcast: Broadcast, runtime: Runtime, ask_after: timedelta | None) -> bool:
    reading = runtime.reading()
    if broadcast.state is BroadcastState.SCHEDULED:
        begins_at = broadcasts.begins_at(broadcast)
        is_due = begins_at is None or begins_at <= reading.wall
        return is_due and broadcasts.missed_start(broadcast, reading.wall, ask_after) is None
    if broadcast.frozen_at is None:
        return True
    if broadcasts.finish_if_done(session, broadcast.id, reading.wall) is not BroadcastState.SENDING:
        return False
    next_in = ledger.next_look(session, broadcast, reading, relay_key=runtime.relay_key)
    has_sender = ledger.in_force(session, broadcast.id, reading.wall) > 0
    return next_in is not None and next_in <= SWEEP_WAKES_S and not has_sender


def _cancel_rest(runtime: Runtime, session: Session) -> None:
    """Cancel the waiting rows of cancelled broadcasts, chunk by chunk."""
    waiting = or_(*(Broadcast.id.in_(ledger.with_rows_in(state)) for state in sorted(WAITING)))
    ids = session.scalars(select(Broadcast.id).where(Broadcast.state == BroadcastState.CANCELLED, waiting)).all()
    session.rollback()
    for broadcast_id in ids:
        while True:
            runtime.prepare(session)
            cancelled = ledger.cancel_waiting(session, broadcast_id, runtime.reading().wall)
            session.commit()
            if not cancelled:
                break


def _fold_counts(runtime: Runtime, session: Session) -> None:
    """Keep the number of counts in proportion to the broadcasts, however many senders there were."""
    foldable = ledger.foldable(session, runtime.reading().wall)
    session.rollback()
    for broadcast_id, sender_ids in foldable.items():
        runtime.prepare(session)
        ledger.fold(session, broadcast_id, sender_ids)
        session.commit()
