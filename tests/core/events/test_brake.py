"""A broadcast of which too much comes back is paused, once."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.events import brake, record
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.notices import paused_itself
from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import ConsentSettings


def sending(session: Session, mails: int) -> tuple[Broadcast, list[int]]:
    broadcast = factories.broadcast(session, state=BroadcastState.SENDING, frozen_at=NOW, frozen_count=mails)
    rows = [factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW) for _ in range(mails)]
    return broadcast, [row.id for row in rows]


def tell(session: Session, delivery: int, kind: EventKind, key: str = "") -> None:
    record(session, RelayEvent(kind, "mail", key or f"{delivery}", delivery_id=delivery), NOW + timedelta(minutes=1))


def test_it_pauses_at_the_share_of_the_first_thousand_and_says_why(session: Session):
    session.execute(update(ConsentSettings).values(brake_bounced_percent=0.2))
    broadcast, ids = sending(session, 4)
    for delivery in ids[:2]:
        tell(session, delivery, EventKind.BOUNCED)
        tell(session, delivery, EventKind.SOFT_BOUNCED, key=f"again {delivery}")
    session.refresh(broadcast)
    assert broadcast.state is BroadcastState.SENDING
    tell(session, ids[2], EventKind.SOFT_BOUNCED)
    session.refresh(broadcast)
    assert broadcast.state is BroadcastState.PAUSED
    assert broadcast.pause_reason == (
        "3 of the first 1,000 mails came back, which is more than 0.2 %. Look at why before you resume it."
    )
    assert paused_itself(broadcast.pause_reason), "somebody hears of it"


def test_who_resumes_it_has_decided(session: Session):
    session.execute(update(ConsentSettings).values(brake_complained_percent=0.1))
    broadcast, ids = sending(session, 3)
    for delivery in ids[:2]:
        tell(session, delivery, EventKind.COMPLAINED)
    session.refresh(broadcast)
    assert str(broadcast.pause_reason).startswith("2 recipients of the first 1,000 mails complained")
    broadcasts.resume(session, broadcast.id, NOW)
    tell(session, ids[2], EventKind.COMPLAINED)
    session.refresh(broadcast)
    assert broadcast.state is BroadcastState.SENDING


@pytest.mark.parametrize(
    ("accepted", "bounced", "complained", "pauses"),
    [
        (1_000, 20, 1, False),
        (1_000, 21, 0, True),
        (1_000, 0, 2, True),
        (10, 10, 1, False),
        (100_000, 2_000, 100, False),
        (100_000, 2_001, 0, True),
        (100_000, 0, 101, True),
    ],
)
def test_shares_are_of_what_was_accepted_and_of_a_thousand_at_least(accepted, bounced, complained, pauses):
    assert (brake.too_much(accepted, bounced, complained, 2.0, 0.1) is not None) is pauses


def test_a_share_of_nothing_turns_it_off():
    assert brake.too_much(1_000, 1_000, 1_000, 0.0, 0.0) is None
