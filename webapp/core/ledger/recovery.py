"""Recovery: settle what a sender that is no more has left behind, by its journal. Without a journal the honest answer is "uncertain"."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core.cadence import HOST_GRACE, SUSPICION_S
from webapp.core.ledger import order
from webapp.core.ledger.claims import domain_of
from webapp.core.ledger.giving_back import release
from webapp.core.ledger.leases import Lease, take_over
from webapp.core.ledger.outcomes import RecordingSettings, Settled, lost_answer, record
from webapp.core.ports import JournalFinding
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Reply, judge
from webapp.core.rules.pacing import Reading, age
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, Sender

T = TypeVar("T")

GROUP = 500
"""Rows settled in one statement."""


def may_recover(
    session: Session, sender: Sender, finding: JournalFinding, reading: Reading, grace: timedelta = HOST_GRACE
) -> bool:
    """Whether a sender has ended or must be taken as ended. Writes down a first suspicion.

    A sender of this boot whose process does not hold its journal has ended, for sure; the lock of another kernel may not be visible here.
    In all other cases the lease must have run out, by the wall clock and, because that may have been stepped, by a second look
    `SUSPICION_S` seconds later; and a machine that has the journal and is away gets the time `grace` to come back.
    """
    if finding.is_here and not finding.is_held and finding.boot == reading.boot:
        return True
    if sender.expires_at > reading.wall:
        return False
    if sender.suspected_at is None or sender.suspected_boot is None or sender.suspected_ticks is None:
        session.execute(
            update(Sender)
            .where(Sender.id == sender.id, Sender.expires_at == sender.expires_at)
            .values(suspected_at=reading.wall, suspected_boot=reading.boot, suspected_ticks=reading.ticks)
            .execution_options(synchronize_session=False)
        )
        return False
    suspected = Reading(sender.suspected_at, sender.suspected_boot, sender.suspected_ticks)
    since = age(suspected, reading, [reading.wall])
    return since >= (SUSPICION_S if finding.is_here else grace.total_seconds())


def recover(session: Session, sender: Sender, finding: JournalFinding, reading: Reading, *, group: int = GROUP) -> bool:
    """Take a sender's rows over and settle them. A reply in the journal is the outcome; content that began without a reply is uncertain; a
    row with neither was never handed over. Without a journal that can be trusted every row is uncertain. One statement settles at most
    `group` rows. False when somebody else was faster.
    """
    old = Lease(sender.id, sender.broadcast_id, sender.epoch)
    lease = take_over(session, old, sender.expires_at, reading.wall)
    if lease is None:
        return False
    settings = RecordingSettings.of(session.get_one(Broadcast, sender.broadcast_id), limits.read(session))
    rows = session.execute(
        select(Delivery.id, Delivery.attempts, Delivery.stamped_at, Delivery.address, Delivery.due_at)
        .where(
            Delivery.broadcast_id == sender.broadcast_id,
            Delivery.state == DeliveryState.CLAIMED,
            Delivery.sender_id == sender.id,
        )
        .order_by(Delivery.id)
    ).all()
    # A machine that restarted may have lost the end of its journal with its memory; the lines that are there are true nevertheless.
    complete = finding.is_here and sender.boot == finding.boot == reading.boot
    untouched: list[int] = []
    settled: list[Settled] = []
    for delivery_id, attempts, stamped_at, address, due_at in rows:
        reply = _reply((delivery_id, attempts), finding, complete)
        if reply is None:
            untouched.append(delivery_id)
        else:
            assert stamped_at is not None
            whose = (domain_of(address or ""), order.receiver_of(due_at))
            settled.append(Settled(delivery_id, attempts, stamped_at, judge(reply), reply, reading.ticks, *whose))
    for some in _groups(settled, group):
        record(session, lease, some, settings, reading)
    for ids in _groups(untouched, group):
        release(session, lease, ids, reading.wall)
    return True


def _reply(mail: tuple[int, int], finding: JournalFinding, complete: bool) -> Reply | None:
    if mail in finding.replies:
        return finding.replies[mail]
    if mail in finding.begun:
        return lost_answer("the sending process ended before the answer was recorded")
    if complete:
        return None
    if finding.is_here:
        if finding.boot is None:
            return lost_answer("all that is left of the sending process's journal is a copy")
        return lost_answer("the machine restarted while the mail was on its way")
    return lost_answer("the machine that was sending the mail did not come back")


def _groups(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
