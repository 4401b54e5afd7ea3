"""Clients added to an audience by hand, or left out of it."""

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict, NotFound
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, Pick, PickKind
from webapp.core.tables.clients import Client


def pick(session: Session, broadcast_id: int, client_id: int, kind: PickKind | None) -> None:
    """Add the client beyond the filter, leave them out, or (None) let the filter decide again.

    Only a draft takes picks: edit the broadcast first, which returns a scheduled one to draft. Raises NotFound, Conflict.
    """
    state = session.scalar(select(Broadcast.state).where(Broadcast.id == broadcast_id))
    if state is None:
        raise NotFound("This mass mail does not exist any more.")
    if state is not BroadcastState.DRAFT:
        raise Conflict("The recipients of this mass mail can no longer be changed: it is not a draft.")
    session.execute(delete(Pick).where(Pick.broadcast_id == broadcast_id, Pick.client_id == client_id))
    if kind is not None:
        if session.get(Client, client_id) is None:
            raise NotFound("This client does not exist any more.")
        session.add(Pick(broadcast_id=broadcast_id, client_id=client_id, kind=kind))
    session.flush()


def picks_of(session: Session, broadcast_id: int) -> dict[int, PickKind]:
    """Every pick of a broadcast, by client id."""
    rows = session.execute(select(Pick.client_id, Pick.kind).where(Pick.broadcast_id == broadcast_id))
    return dict(rows.all())


def has_picks(session: Session, broadcast_id: int) -> bool:
    return bool(session.scalar(select(exists().where(Pick.broadcast_id == broadcast_id))))
