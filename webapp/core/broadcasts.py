"""A broadcast from draft to finished. Every change of state is one compare-and-set, so that two people, two tabs or two workers
can press the same button at the same instant and it happens once."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session, joinedload

from webapp.core import from_addresses, ledger
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules import schedule as calendar
from webapp.core.rules.lifecycle import CHANGEABLE, OPEN, BroadcastState, DeliveryState, sources
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast, Content, Pick

State = BroadcastState

ON_BROADCAST = frozenset(
    {
        "name",
        "message_type",
        "audience_filter",
        "from_address",
        "reply_to",
        "start_wall",
        "time_zone",
        "batch_size",
        "interval_s",
        "uncertain_policy",
    }
)
ON_CONTENT = frozenset({"subject", "html", "text"})
START = frozenset({"start_wall", "time_zone", "start_second"})
EDITABLE = ON_BROADCAST | ON_CONTENT | START
"""What `edit` takes. `start_second` (bool, not stored) chooses the later instant of a wall time that comes twice."""


def create(session: Session, message_type: MessageType, user_id: int | None, now: datetime) -> Broadcast:
    """A new draft with empty content, from the default sender."""
    broadcast = Broadcast(
        message_type=MessageType(message_type),
        from_address=from_addresses.default(session),
        secret=secrets.token_hex(16),
        created_by=user_id,
        created_at=now,
        updated_at=now,
        content=Content(),
    )
    session.add(broadcast)
    session.flush()
    return broadcast


def get(session: Session, broadcast_id: int) -> Broadcast:
    """The broadcast. Raises NotFound."""
    broadcast = session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise NotFound("This mass mail does not exist (any more).")
    return broadcast


def named(session: Session, broadcast_id: int) -> Broadcast:
    """The broadcast with its subject in one query; its texts, up to a megabyte, are read when somebody looks at them. Raises NotFound."""
    subject = joinedload(Broadcast.content).load_only(Content.subject)
    broadcast = session.get(Broadcast, broadcast_id, options=[subject])
    return broadcast or get(session, broadcast_id)


def edit(
    session: Session, broadcast_id: int, version: int | None, changes: Mapping[str, Any], now: datetime
) -> Broadcast:
    """Change a draft; a scheduled broadcast falls back to draft, because what was confirmed is no longer what would be sent.

    `version` is the one the editor saw (None: whatever there is). Raises NotFound; Conflict when sending has begun or somebody
    else has saved meanwhile; Invalid for a start that does not exist or has passed.
    """
    unknown = changes.keys() - EDITABLE
    if unknown:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    broadcast = get(session, broadcast_id)
    columns = {name: changes[name] for name in changes.keys() & ON_BROADCAST}
    if changes.keys() & START:
        columns |= _start(broadcast, changes, now)
    _check_pace(columns)
    _claim_edit(session, broadcast, version, now)
    for name, value in columns.items():
        setattr(broadcast, name, value)
    for name in changes.keys() & ON_CONTENT:
        setattr(broadcast.content, name, changes[name])
    session.flush()
    return broadcast


def _start(broadcast: Broadcast, changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    wall = changes.get("start_wall", broadcast.start_wall) or None
    zone = changes.get("time_zone", broadcast.time_zone)
    if wall is None:
        return {"start_wall": None, "time_zone": zone, "starts_at": None}
    chosen = calendar.start(wall, zone, now, second=bool(changes.get("start_second")))
    if chosen.instant is None:
        raise Invalid(chosen.problem or "This start cannot be used.", chosen.field)
    return {"start_wall": wall, "time_zone": zone, "starts_at": chosen.instant}


def _check_pace(columns: Mapping[str, Any]) -> None:
    for field in ("batch_size", "interval_s"):
        if columns.get(field, 0) < 0:
            raise Invalid("Use 0 or a positive number.", field)


def _claim_edit(session: Session, broadcast: Broadcast, version: int | None, now: datetime) -> None:
    """Take the next version, or raise Conflict: the database decides between two editors."""
    seen = broadcast.version if version is None else version
    taken = session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.version == seen, Broadcast.state.in_(CHANGEABLE))
        .values(version=seen + 1, state=State.DRAFT, scheduled_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    session.refresh(broadcast)
    if taken.rowcount == 1:  # type: ignore[attr-defined]
        return
    if broadcast.state not in CHANGEABLE:
        raise Conflict("This mass mail cannot be changed any more: sending has begun.")
    raise Conflict("Somebody else has changed this mass mail meanwhile. Reload the page to see their version.")


def duplicate(session: Session, broadcast_id: int, user_id: int | None, now: datetime) -> Broadcast:
    """A new draft with the same audience, content, pace and picks; its start is "now", as the old one's has passed."""
    original = get(session, broadcast_id)
    copy = create(session, original.message_type, user_id, now)
    copy.name = f"{original.name} (copy)"[:200] if original.name else ""
    for name in ON_BROADCAST - START - {"name"}:
        setattr(copy, name, getattr(original, name))
    copy.time_zone = original.time_zone
    for name in ON_CONTENT:
        setattr(copy.content, name, getattr(original.content, name))
    session.flush()
    picks = select(literal(copy.id), Pick.client_id, Pick.kind).where(Pick.broadcast_id == original.id)
    session.execute(Pick.__table__.insert().from_select(["broadcast_id", "client_id", "kind"], picks))  # type: ignore[attr-defined]
    return copy


def delete_draft(session: Session, broadcast_id: int) -> None:
    """Forget a draft. Raises NotFound; Conflict for anything but a draft, whose ledger must stay."""
    broadcast = get(session, broadcast_id)
    if broadcast.state != State.DRAFT:
        raise Conflict("Only a draft can be deleted. Cancel this mass mail instead.")
    session.execute(delete(Content).where(Content.broadcast_id == broadcast_id))
    gone = session.execute(
        delete(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.state == State.DRAFT)
        .execution_options(synchronize_session=False)
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("This mass mail is not a draft any more.")
    session.expunge(broadcast)


def schedule(session: Session, broadcast_id: int, version: int | None, now: datetime) -> Broadcast:
    """ "Create Broadcast": draft -> scheduled. Pressing twice is harmless: the second returns what the first did.

    Raises NotFound; Conflict when it was changed since `version`; Invalid (with the field) for what no broadcast can go without.
    """
    broadcast = get(session, broadcast_id)
    if broadcast.state == State.DRAFT:
        _check_complete(broadcast, now)
    seen = broadcast.version if version is None else version
    moved = _move(session, broadcast, State.SCHEDULED, [Broadcast.version == seen], scheduled_at=now, updated_at=now)
    if moved or (broadcast.state not in (State.DRAFT, State.CANCELLED) and broadcast.version == seen):
        return broadcast
    if broadcast.state == State.CANCELLED:
        raise Conflict("This mass mail was cancelled.")
    raise Conflict("This mass mail was changed meanwhile. Look at it again before you send it.")


def _check_complete(broadcast: Broadcast, now: datetime) -> None:
    if not broadcast.from_address:
        raise Invalid("Choose who the mail is from.", "from_address")
    if not broadcast.content.subject.strip():
        raise Invalid("The subject is empty.", "subject")
    if not (broadcast.content.html.strip() or (broadcast.content.text or "").strip()):
        raise Invalid("The mail has no text.", "html")
    if broadcast.starts_at and broadcast.starts_at + timedelta(minutes=1) <= now:
        raise Invalid("The chosen start has passed. Choose a later one, or send now.", "start_wall")


def start(session: Session, broadcast_id: int, now: datetime) -> bool:
    """scheduled -> sending, if it is due. True for the one caller that started it; `ledger.freeze_chunk` is next."""
    broadcast = get(session, broadcast_id)
    due = (Broadcast.starts_at.is_(None)) | (Broadcast.starts_at <= now)
    from_here = Broadcast.state == State.SCHEDULED
    return _move(session, broadcast, State.SENDING, [from_here, due], started_at=now, updated_at=now)


def pause(
    session: Session, broadcast_id: int, reason: str | None, now: datetime, *, probing: bool = False
) -> Broadcast:
    """sending -> paused. Mails already on the wire are settled, nothing new is handed over once this is committed.

    `reason` is shown in the console. `probing`: the breaker opened, so a resume tries a single mail first. Pausing what is
    paused changes nothing. Raises NotFound; Conflict when it is not sending.
    """
    broadcast = get(session, broadcast_id)
    columns: dict[str, Any] = {"pause_reason": reason, "paused_at": now, "updated_at": now}
    if probing:
        columns["probing"] = True
    if not _move(session, broadcast, State.PAUSED, [], **columns) and broadcast.state != State.PAUSED:
        raise Conflict(f"A mass mail that is {broadcast.state.label} cannot be paused.")
    return broadcast


def resume(session: Session, broadcast_id: int, now: datetime) -> Broadcast:
    """paused -> sending; mails held for the relay's sake are due at once. Resuming what is sending changes nothing.

    Raises NotFound; Conflict in any other state.
    """
    broadcast = get(session, broadcast_id)
    if broadcast.state == State.SENDING:
        return broadcast
    from_here = Broadcast.state == State.PAUSED
    if broadcast.state != State.PAUSED or not _move(
        session, broadcast, State.SENDING, [from_here], pause_reason=None, paused_at=None, updated_at=now
    ):
        raise Conflict(f"A mass mail that is {broadcast.state.label} cannot be resumed.")
    ledger.release_held(session, broadcast_id, now)
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
    if broadcast.frozen_at is None or broadcast.state not in (*_REOPENED, State.SENDING, State.PAUSED):
        raise Conflict("This mass mail has not been sent yet, so nobody of it has failed.")
    if resends is not None and broadcast.resends != resends:
        raise Conflict("Meanwhile mails that failed were sent again. Look at what has failed now, and decide again.")
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values(resends=broadcast.resends + (resends is not None), updated_at=now)
        .execution_options(synchronize_session=False)
    )
    _move(session, broadcast, State.SENDING, [Broadcast.state.in_(_REOPENED)], finished_at=None)
    return broadcast


_REOPENED = (State.FINISHED, State.NEEDS_ATTENTION)


def probe_succeeded(session: Session, broadcast_id: int) -> None:
    """The relay took a mail again after the breaker had opened: the broadcast goes on at its pace."""
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


def cancel(session: Session, broadcast_id: int, now: datetime) -> Broadcast:
    """Stop for good, from any state before finished. What waits is cancelled by `ledger.cancel_waiting`, in chunks.

    Cancelling what is cancelled changes nothing. Raises NotFound; Conflict when it is finished.
    """
    broadcast = get(session, broadcast_id)
    if not _move(session, broadcast, State.CANCELLED, [], finished_at=now, updated_at=now):
        if broadcast.state == State.CANCELLED:
            return broadcast
        raise Conflict("This mass mail is finished: there is nothing left to cancel.")
    return broadcast


def finish_if_done(session: Session, broadcast_id: int, now: datetime) -> BroadcastState:
    """Move on what has no row in work any more: to finished when the counted rows add up to the number frozen, to needs_attention when
    all that is left is uncertain; and back to sending when uncertain rows are to be sent again. Returns the state afterwards.
    """
    broadcast = get(session, broadcast_id)
    # The lock keeps two senders, each with the last row of its own, from both seeing the other's as still open.
    session.refresh(broadcast, with_for_update={"key_share": True})
    if broadcast.frozen_at is None or broadcast.state not in (State.SENDING, State.NEEDS_ATTENTION):
        return broadcast.state
    counts = ledger.counts(session, broadcast_id)
    if any(counts.get(state) for state in OPEN):
        _move(session, broadcast, State.SENDING, [Broadcast.state == State.NEEDS_ATTENTION], updated_at=now)
    elif sum(counts.values()) != broadcast.frozen_count:
        raise AssertionError(f"broadcast {broadcast_id}: {counts} do not add up to {broadcast.frozen_count}")
    elif not counts.get(DeliveryState.UNCERTAIN):
        _move(session, broadcast, State.FINISHED, [], finished_at=now, updated_at=now)
    elif broadcast.state == State.SENDING and ledger.next_due(session, broadcast_id) is None:
        _move(session, broadcast, State.NEEDS_ATTENTION, [], updated_at=now)
    return broadcast.state


def _move(session: Session, broadcast: Broadcast, target: BroadcastState, conditions: list, **columns: Any) -> bool:
    """Compare-and-set `state` to `target`, from the states that may lead there. True when this call moved it."""
    moved = session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.state.in_(sources(target)), *conditions)
        .values(state=target, **columns)
        .execution_options(synchronize_session=False)
    )
    session.refresh(broadcast)
    return moved.rowcount == 1  # type: ignore[attr-defined]
