"""How a broadcast goes from draft to finished. Every change of state is one compare-and-set, so that two people, two tabs or two workers
can press the same button at the same instant and it happens once.

Each move names the states it comes from, and does nothing in any other. What a look, a job or a click was meant for may be over when it
arrives: late, early or a second time, it must not act on what has become of the broadcast since. So `start` begins what is scheduled, and
never what is paused.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from webapp.core import guarded, ledger, relay
from webapp.core.broadcasts.drafts import get
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import NOT_BEGUN, OPEN, BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast

State = BroadcastState

UNFINISHED = NOT_BEGUN | {State.SENDING, State.PAUSED, State.NEEDS_ATTENTION}
"""What a cancel may stop."""


def pause(session: Session, broadcast_id: int, reason: str | None, now: datetime) -> Broadcast:
    """sending -> paused, by a person. Mails already on the wire are settled, nothing new is handed over once this is committed.

    `reason` is shown in the console. Pausing what is paused changes nothing. Raises NotFound; Conflict when it is not sending.
    """
    if not stop(session, broadcast_id, reason, now):
        broadcast = get(session, broadcast_id)
        if broadcast.state != State.PAUSED:
            raise Conflict(f"This mass mail is {broadcast.state.label} by now: there is nothing to pause.")
    return get(session, broadcast_id)


def stop(session: Session, broadcast_id: int, reason: str | None, now: datetime, *, probing: bool = False) -> bool:
    """sending -> paused, by the program itself. Does nothing in any other state; True when this call paused it.

    `probing`: the relay refused everybody, so a resume tries a single mail first. Raises NotFound.
    """
    columns: dict[str, Any] = {"pause_reason": reason, "paused_at": now, "updated_at": now}
    if probing:
        columns["probing"] = True
    return move(session, get(session, broadcast_id), {State.SENDING}, State.PAUSED, [], **columns)


def resume(session: Session, broadcast_id: int, now: datetime, *, paused_at: datetime | None = None) -> Broadcast:
    """paused -> sending; mails held for the relay's sake are due at once, and a relay that is not well may be tried at once. Resuming what
    is sending changes nothing.

    `paused_at` is the pause that was seen (None: whichever there is): another pause has a reason of its own, which nobody has read.
    Raises NotFound; Conflict in any other state, or for another pause.
    """
    relay.try_now(session, now)
    broadcast = get(session, broadcast_id)
    conditions = [] if paused_at is None else [Broadcast.paused_at == paused_at]
    columns = {"pause_reason": None, "paused_at": None, "updated_at": now}
    if move(session, broadcast, {State.PAUSED}, State.SENDING, conditions, **columns):
        ledger.release_held(session, broadcast_id, now)
    elif broadcast.state == State.PAUSED:
        raise Conflict("It was paused anew meanwhile. Look at the reason first, then resume it.")
    elif broadcast.state != State.SENDING:
        raise Conflict(f"This mass mail is {broadcast.state.label} by now: there is nothing to resume.")
    return broadcast


def reopen(session: Session, broadcast_id: int, resends: int | None, now: datetime) -> Broadcast:
    """Let failed mails be sent again, which the caller makes pending in this transaction: finished or needs_attention -> sending; one
    that is sending or paused stays so. The number frozen stays what it is.

    `resends` is how often that was done when somebody decided to do it again, which is counted: of two who decide at once, one does
    (None: goes on with what was begun). Raises NotFound; Conflict when somebody else was faster, or in any other state.
    """
    broadcast = get(session, broadcast_id)
    session.refresh(broadcast, with_for_update={"key_share": True})
    if broadcast.state == State.CANCELLED:
        raise Conflict(
            "This mass mail is cancelled: nothing of it is sent any more. Make a new one to those who failed."
        )
    if broadcast.frozen_at is None or broadcast.state not in _REOPENED | {State.SENDING, State.PAUSED}:
        raise Conflict("This mass mail has not been sent yet, so nobody of it has failed.")
    if resends is not None and broadcast.resends != resends:
        raise Conflict("Meanwhile mails that failed were sent again. Look at what has failed now, and decide again.")
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(resends=broadcast.resends + (resends is not None), updated_at=now)
        .execution_options(synchronize_session=False)
    )
    move(session, broadcast, _REOPENED, State.SENDING, [], finished_at=None, values_removed_at=None)
    return broadcast


_REOPENED = frozenset({State.FINISHED, State.NEEDS_ATTENTION})


def probe_succeeded(session: Session, broadcast_id: int) -> None:
    """The relay took a mail again after it had refused everybody: the broadcast goes on at its pace."""
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.probing)
        .values(probing=False)
        .execution_options(synchronize_session=False)
    )


def remember_relay_errors(session: Session, broadcast_id: int, in_a_row: int) -> None:
    """For the next sending process: so many errors of the relay came one after the other up to now."""
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(relay_errors=in_a_row)
        .execution_options(synchronize_session=False)
    )


def content_was_refused(session: Session, broadcast_id: int) -> None:
    """Many were refused for what the mail says, and somebody is asked: whoever resumes it has decided."""
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(heeds_content=False)
        .execution_options(synchronize_session=False)
    )


def cancel(session: Session, broadcast_id: int, now: datetime, *, seen: BroadcastState | None = None) -> Broadcast:
    """Stop for good, from any state before finished. What waits is cancelled by `ledger.cancel_waiting`, in chunks.

    A freeze that is under way ends with the chunk it is at: what was collected by then is cancelled, and `frozen_at` stays None.
    `seen` is the state it was decided in (None: any): who cancels what nobody has got yet has not decided about one that has begun.
    Cancelling what is cancelled changes nothing. Raises NotFound; Conflict when it is finished, or has begun meanwhile.
    """
    broadcast = get(session, broadcast_id)
    sources = NOT_BEGUN if seen in NOT_BEGUN else UNFINISHED
    moved = move(session, broadcast, sources, State.CANCELLED, [], finished_at=now, updated_at=now)
    if not moved and broadcast.state in UNFINISHED - NOT_BEGUN:
        raise Conflict(
            "Sending has begun meanwhile: what has left cannot be called back. Cancel the rest, if you still want to."
        )
    if not moved and broadcast.state != State.CANCELLED:
        raise Conflict("This mass mail is finished: there is nothing left to cancel.")
    return broadcast


def finish_if_done(session: Session, broadcast_id: int, now: datetime) -> BroadcastState:
    """Move on what has no row in work any more: to finished when the counted rows add up to the number frozen, to needs_attention when
    all that is left is uncertain; and back to sending when uncertain rows are to be sent again. Returns the state afterwards.

    Does nothing while recipients are collected, and in any state but sending and needs_attention: what is paused finishes after a resume.
    """
    broadcast = get(session, broadcast_id)
    # The lock keeps two senders, each with the last row of its own, from both seeing the other's as still open.
    session.refresh(broadcast, with_for_update={"key_share": True})
    if broadcast.frozen_at is None or broadcast.state not in (State.SENDING, State.NEEDS_ATTENTION):
        return broadcast.state
    counts = ledger.counts(session, broadcast_id)
    if any(counts.get(state) for state in OPEN):
        move(session, broadcast, {State.NEEDS_ATTENTION}, State.SENDING, [], updated_at=now)
    elif sum(counts.values()) != broadcast.frozen_count:
        raise AssertionError(f"broadcast {broadcast_id}: {counts} do not add up to {broadcast.frozen_count}")
    elif not counts.get(DeliveryState.UNCERTAIN):
        settled = {State.SENDING, State.NEEDS_ATTENTION}
        move(session, broadcast, settled, State.FINISHED, [], finished_at=now, updated_at=now)
    elif ledger.next_due(session, broadcast_id) is None:
        move(session, broadcast, {State.SENDING}, State.NEEDS_ATTENTION, [], updated_at=now)
    return broadcast.state


def values_were_removed(session: Session, broadcast_id: int, now: datetime) -> None:
    """Remember when it was that what the mails of an ended broadcast said was removed."""
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(values_removed_at=now)
        .execution_options(synchronize_session=False)
    )


def move(
    session: Session,
    broadcast: Broadcast,
    sources: Collection[BroadcastState],
    target: BroadcastState,
    conditions: list[ColumnElement[bool]],
    **columns: Any,
) -> bool:
    """Compare-and-set `state` from one of `sources` to `target`. True when this call moved it."""
    moved = guarded.change_one(
        session,
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.state.in_(sources), *conditions)
        .values(state=target, **columns),
    )
    session.refresh(broadcast)
    return moved
