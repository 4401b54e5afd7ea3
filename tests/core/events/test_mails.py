"""Mails that came back, from their octets to the fact, by token, by Message-ID and by the field of ours."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.core.rules.bounces import building
from tests.factories import NOW
from webapp.core.events import keeping, mails
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.message import message_id
from webapp.core.rules.relay_event import EventKind
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.events import DeliveryEvent

PATH = ReturnPath.of("bounce@example.com")


def accepted(session: Session) -> Delivery:
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
    return factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)


def take(session: Session, raw: bytes, known: dict[str, int] | None = None, **others: object) -> mails.Recorded:
    reader = (known or {}).get
    return mails.take(session, raw, NOW, return_path=PATH, token_reader=reader, **others)


BOUNCE = building.own_form("550 5.1.1 no such user", subject="Undeliverable")


def test_the_token_in_the_return_path_names_the_delivery_whatever_the_mail_says(session: Session):
    delivery = accepted(session)
    assert take(session, BOUNCE, {"k7qtoken": delivery.id}).delivery_id == delivery.id
    odd = BOUNCE.replace(b"k7qtoken", b"lost").replace(b"77@mx", b"78@mx")
    made = take(session, odd, {"t2": delivery.id}, recipients=["BOUNCE+T2@EXAMPLE.COM"])
    assert made.delivery_id == delivery.id


def test_without_a_token_the_mail_that_comes_back_names_it(session: Session):
    delivery = accepted(session)
    mark = message_id(delivery.id, "s" * 32, "x").partition("@")[0]
    assert take(session, BOUNCE.replace(building.MARK.encode(), mark.encode())).delivery_id == delivery.id
    by_field = BOUNCE.replace(
        b"Message-ID: <" + building.MESSAGE_ID.encode() + b">", b"X-Massmail-Id: " + mark.encode()
    )
    assert take(session, by_field.replace(b"77@mx", b"79@mx")).delivery_id == delivery.id


def test_the_same_mail_by_another_way_is_known(session: Session):
    assert take(session, BOUNCE).is_new
    assert not take(session, b"Received: by another way\r\n" + BOUNCE).is_new


def test_what_was_received_is_kept_for_thirty_days_and_what_it_says_stays(session: Session):
    take(session, BOUNCE)
    assert keeping.forget_raw(session, NOW + timedelta(days=29), 10) == 0
    assert session.scalars(select(DeliveryEvent.raw)).one() == BOUNCE
    assert keeping.forget_raw(session, NOW + timedelta(days=31), 10) == 1
    row = session.execute(select(DeliveryEvent.raw, DeliveryEvent.kind, DeliveryEvent.status)).one()
    assert tuple(row) == (None, EventKind.BOUNCED, "5.1.1")


def test_a_mailbox_that_was_made_anew_is_read_from_its_beginning(session: Session):
    assert keeping.position(session, "imap.example.com/INBOX", 7) == 0
    keeping.reached(session, "imap.example.com/INBOX", 7, 41, NOW)
    assert keeping.position(session, "imap.example.com/INBOX", 7) == 41
    assert keeping.position(session, "imap.example.com/INBOX", 8) == 0
