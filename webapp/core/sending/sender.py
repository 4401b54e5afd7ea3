"""One sending process of one broadcast: a lease, a mailer in this thread, a recorder in another, and why it ended."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, joinedload

from webapp.core import broadcasts, ledger
from webapp.core.content import link_targets
from webapp.core.content.compiling import all_compiled
from webapp.core.errors import DomainError
from webapp.core.ledger import Lease, RowsLost
from webapp.core.ports import Journal, Mailer
from webapp.core.rules.consent import Purpose
from webapp.core.rules.evidence import Evidence
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.sending import failures
from webapp.core.sending.declines import WhoDeclined
from webapp.core.sending.exchange import SendExchange
from webapp.core.sending.recorder import Recorder
from webapp.core.sending.runtime import Runtime, SenderSettings
from webapp.core.sending.signed import MailSource, SignedContent
from webapp.core.tables.broadcasts import Broadcast

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a sender has ended, the broadcast's state then, and in how many seconds to look again (None: no need)."""

    why: str
    state: BroadcastState
    next_in: float | None = None


def send(
    runtime: Runtime,
    broadcast_id: int,
    *,
    mailer: Callable[[], Mailer],
    journal: Callable[[], Journal],
    host: str,
    pid: int,
    machine: str = "",
    settings: SenderSettings | None = None,
) -> Ending:
    """Send a broadcast's mails until nothing is due for a while, the process is asked to end, or others wait.

    Blocks; call it from the main thread, where signals arrive. Whatever happens, every claimed mail is recorded, given back, or written in
    the journal. Raises what broke it: the database was away for long, or the program has a mistake, which pauses the broadcast.
    """
    with Session(runtime.engine, expire_on_commit=False) as session:
        runtime.prepare(session)
        broadcast = session.get_one(Broadcast, broadcast_id, options=[joinedload(Broadcast.content)])
        if broadcast.state is not BroadcastState.SENDING or broadcast.frozen_at is None:
            return Ending("the broadcast is not sending", broadcast.state)
        try:
            found = all_compiled(session, broadcast, runtime.public_url, runtime.return_path)
            for text in (found, *found.others.values()):
                link_targets.keep(session, broadcast_id, text.message.targets, text.tags)
            content: MailSource = found
            if runtime.seal is not None:
                content = SignedContent(content, session, broadcast.from_address, runtime.seal)
        except DomainError as error:
            return _cannot_compile(runtime, session, broadcast, error)
        written = journal()
        lease = ledger.open_lease(
            session, broadcast_id, host=host, pid=pid, journal=written.name, machine=machine, reading=runtime.reading()
        )
        evidence = _evidence(session, broadcast)
        session.commit()
        session.expunge_all()
    about: dict[str, object] = {"broadcast": broadcast_id, "sender": lease.sender_id}
    log.info("broadcast %s: sender %s begins", broadcast_id, lease.sender_id, extra={**about, "event": "sender_begun"})
    try:
        why = _send(runtime, lease, broadcast, evidence, content, written, mailer, settings or SenderSettings())
    except Exception as error:
        _broke_off(runtime, lease, error)
        raise
    # A verdict's words are the relay's own, which name who was refused.
    told = why if evidence.verdict is None else f"the relay: {evidence.verdict.kind}"
    about |= {"event": "sender_ended", "why": told}
    log.info("broadcast %s: sender %s ends: %s", broadcast_id, lease.sender_id, told, extra=about)
    return _ending(runtime, broadcast_id, why)


def _cannot_compile(runtime: Runtime, session: Session, broadcast: Broadcast, error: DomainError) -> Ending:
    """Pause a broadcast whose mails cannot be made, and commit."""
    broadcasts.stop(session, broadcast.id, str(error), runtime.reading().wall)
    session.commit()
    about = {"event": "breaker", "broadcast": broadcast.id, "kind": "message"}
    log.info("broadcast %s: paused, its mails cannot be made", broadcast.id, extra=about)
    return Ending(str(error), broadcast.state)


def _evidence(session: Session, broadcast: Broadcast) -> Evidence:
    """What earlier senders of the broadcast have found out about the relay."""
    return Evidence(
        run=ledger.open_refusals(session, broadcast.id),
        in_a_row=broadcast.relay_errors,
        has_delivered=bool(ledger.counts(session, broadcast.id).get(DeliveryState.ACCEPTED)),
        is_probing=broadcast.probing,
        heeds_content=broadcast.heeds_content,
        spread=ledger.spread(session, broadcast.id),
    )


def _send(
    runtime: Runtime,
    lease: Lease,
    broadcast: Broadcast,
    evidence: Evidence,
    content: MailSource,
    journal: Journal,
    mailer: Callable[[], Mailer],
    settings: SenderSettings,
) -> str:
    watch = runtime.watch(broadcast.id)
    exchange = SendExchange(
        content, journal, evidence, watch, runtime.ticks, settings.group, _asking(runtime, broadcast)
    )
    look_again = content.look_again if isinstance(content, SignedContent) else None
    recorder = Recorder(runtime, settings, lease, broadcast, content, exchange, look_again)
    relay = mailer()
    recorder.start()
    try:
        try:
            relay.run(exchange)
        finally:
            relay.close()  # before the lease ends: then others may have the connections
    finally:
        exchange.break_off("the sending process broke off")
        recorder.mailer_has_ended()
        recorder.join()
        watch.close()
        exchange.close()
        if recorder.error is None:
            journal.discard()
        else:
            journal.leave()
    if recorder.error is not None:
        raise recorder.error
    return exchange.barred or ""


def _broke_off(runtime: Runtime, lease: Lease, error: Exception) -> None:
    """Log it; a mistake of the program pauses the broadcast, a database that was away does not."""
    broadcast_id, kind = lease.broadcast_id, type(error).__name__
    about = {"broadcast": broadcast_id, "sender": lease.sender_id, "event": "sender_ended", "why": kind}
    log.info("broadcast %s: sender %s broke off: %s", broadcast_id, lease.sender_id, kind, extra=about)
    if not isinstance(error, RowsLost) and not failures.is_of_the_database(runtime.engine, error):
        failures.pause_for(runtime, broadcast_id, error)


def _asking(runtime: Runtime, broadcast: Broadcast) -> WhoDeclined | None:
    """Who asks which of claimed mails must not leave any more; None for a broadcast that nobody can decline."""
    if broadcast.purpose is None:
        return None
    is_marketing = broadcast.purpose is Purpose.MARKETING

    def who_declined(delivery_ids: Sequence[int]) -> Collection[int]:
        with Session(runtime.engine) as session:
            return ledger.who_is_barred(session, delivery_ids, is_marketing=is_marketing)

    return who_declined


def _ending(runtime: Runtime, broadcast_id: int, why: str) -> Ending:
    with Session(runtime.engine) as session:
        runtime.prepare(session)
        reading = runtime.reading()
        state = broadcasts.finish_if_done(session, broadcast_id, reading.wall)
        session.commit()
        # Read after the end of the lease: this look sees a resume or retry from before it; one from after it wakes another sender.
        broadcast = session.get_one(Broadcast, broadcast_id)
        next_in = ledger.next_look(session, broadcast, reading, relay_key=runtime.relay_key)
    return Ending(why, state, next_in)
