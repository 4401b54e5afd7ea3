"""What becomes of reports of mails: facts, once each, and what follows from them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import ledger
from webapp.core.broadcasts import reported
from webapp.core.events import record
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.message import message_id
from webapp.core.rules.relay_event import EventKind, Fact, RelayEvent
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import ConsentSettings, Suppression
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.events import DeliveryEvent

K = EventKind


def accepted(session: Session, **columns: object) -> Delivery:
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
    values = {"state": DeliveryState.ACCEPTED, "stamped_at": NOW, "changed_at": NOW} | columns
    return factories.delivery(session, broadcast, **values)


def event(
    delivery: Delivery | None = None, kind: EventKind = K.BOUNCED, key: str = "1", **others: object
) -> RelayEvent:
    values = {"status": "5.1.1", "words": "550 5.1.1 User unknown", "at": NOW + timedelta(minutes=3)} | others
    return RelayEvent(kind, "mail", key, delivery_id=delivery.id if delivery else None, **values)


def suppressed(session: Session) -> dict[str, tuple[SuppressionKind, SuppressionScope]]:
    return {row.address_key: (row.kind, row.scope) for row in session.scalars(select(Suppression))}


def words(session: Session, delivery: Delivery) -> list[str]:
    return [one.words for one in reported.of_delivery(session, delivery.id)]


def test_a_late_bounce_adds_a_fact_and_leaves_the_outcome(session: Session):
    delivery = accepted(session)
    made = record(session, event(delivery), NOW + timedelta(minutes=4))
    assert made.is_new
    assert made.delivery_id == delivery.id
    session.refresh(delivery)
    assert (delivery.state, delivery.changed_at) == (DeliveryState.ACCEPTED, NOW)
    assert words(session, delivery) == ["bounced after 3 min: no such mailbox"]
    assert reported.counts_of(session, delivery.broadcast_id) == {Fact.BOUNCED: 1}


def test_the_same_event_again_changes_nothing(session: Session):
    delivery = accepted(session)
    record(session, event(delivery), NOW)
    assert not record(session, event(delivery), NOW).is_new
    assert reported.counts_of(session, delivery.broadcast_id) == {Fact.BOUNCED: 1}
    assert len(session.scalars(select(DeliveryEvent)).all()) == 1


def test_a_delivery_that_bounces_by_two_ways_is_counted_once(session: Session):
    delivery = accepted(session)
    record(session, event(delivery), NOW)
    assert record(session, replace(event(delivery), source="ses"), NOW).is_new
    assert reported.counts_of(session, delivery.broadcast_id) == {Fact.BOUNCED: 1}
    assert len(words(session, delivery)) == 2


def test_a_dead_address_is_suppressed_for_everything(session: Session):
    delivery = accepted(session)
    assert record(session, event(delivery), NOW).is_suppressed
    assert suppressed(session) == {delivery.address_key: (SuppressionKind.BOUNCED, SuppressionScope.EVERYTHING)}
    row = session.scalars(select(Suppression)).one()
    assert (row.reason, row.source, row.delivery_id) == ("no such mailbox", "mail", delivery.id)


def test_a_complaint_suppresses_for_everything(session: Session):
    delivery = accepted(session)
    record(session, event(delivery, K.COMPLAINED), NOW + timedelta(hours=1))
    assert suppressed(session) == {delivery.address_key: (SuppressionKind.COMPLAINED, SuppressionScope.EVERYTHING)}
    assert words(session, delivery) == ["complained about after 3 min"]


def test_whoever_declines_at_the_relay_gets_no_marketing(session: Session):
    delivery = accepted(session)
    record(session, event(delivery, K.UNSUBSCRIBED), NOW)
    assert suppressed(session) == {delivery.address_key: (SuppressionKind.UNSUBSCRIBED, SuppressionScope.MARKETING)}


def test_an_address_that_comes_back_for_a_while_too_often_is_suppressed(session: Session):
    session.execute(update(ConsentSettings).values(soft_bounces=3, soft_bounce_days=14))
    ada = factories.client(session)
    days = (0, 20, 21, 22)  # the first is too long ago by then
    for day in days:
        broadcast = factories.broadcast(session, state=BroadcastState.FINISHED)
        delivery = factories.delivery(session, broadcast, ada, state=DeliveryState.ACCEPTED, stamped_at=NOW)
        for key in ("a", "b"):  # two reports of one mail are one
            one = event(delivery, K.SOFT_BOUNCED, f"{key}{day}", status="5.2.2")
            made = record(session, one, NOW + timedelta(days=day))
            assert made.is_suppressed is (day == days[-1] and key == "a")
    assert session.scalars(select(Suppression)).one().reason == "came back 3 times in 14 days"


@pytest.mark.parametrize("kind", [K.DELAYED, K.CHALLENGED, K.ANSWERED, K.DELIVERED, K.OTHER])
def test_other_reports_suppress_nobody(session: Session, kind: EventKind):
    delivery = accepted(session)
    record(session, event(delivery, kind), NOW)
    assert suppressed(session) == {}


def test_a_mail_is_known_by_its_message_id_and_by_our_own_field(session: Session):
    for field in ("message_id", "mail_id"):
        delivery = accepted(session)
        secret = session.scalars(select(Broadcast.secret).where(Broadcast.id == delivery.broadcast_id)).one()
        mark = message_id(delivery.id, secret, "example.com")
        said = mark if field == "message_id" else mark.partition("@")[0]
        made = record(session, event(key=field, **{field: said}), NOW)
        assert made.delivery_id == delivery.id


def test_nobody_can_have_another_bounce_by_a_message_id_of_their_own_making(session: Session):
    delivery = accepted(session)
    mine = message_id(delivery.id, "not its secret", "example.com")
    made = record(session, event(message_id=mine, address=str(delivery.address)), NOW)
    assert made == (True, None, False, EventKind.BOUNCED)
    assert suppressed(session) == {}
    assert reported.counts_of(session, delivery.broadcast_id) == {}


def test_an_address_alone_counts_only_from_a_source_that_has_proved_itself(session: Session):
    record(session, event(key="1", address="zoe@example.net"), NOW)
    assert suppressed(session) == {}
    record(session, event(key="2", address="Zoe@example.net", is_authentic=True), NOW)
    assert list(suppressed(session)) == ["zoe@example.net"]


@pytest.mark.parametrize("number", ["0", "18446744073709551615", "9223372036854775807"])
def test_numbers_that_are_no_delivery_are_no_error(session: Session, number: str):
    assert record(session, event(message_id=f"{number}.{'0' * 32}@example.com"), NOW).delivery_id is None


@pytest.mark.parametrize("kind", [K.DELIVERED, K.BOUNCED, K.SOFT_BOUNCED, K.DELAYED, K.COMPLAINED])
def test_a_report_decides_a_row_in_doubt(session: Session, kind: EventKind):
    broadcast = factories.broadcast(session, state=BroadcastState.NEEDS_ATTENTION, frozen_at=NOW, frozen_count=1)
    delivery = factories.delivery(session, broadcast, state=DeliveryState.UNCERTAIN, stamped_at=NOW)
    record(session, event(delivery, kind), NOW)
    session.refresh(delivery)
    session.refresh(broadcast)
    assert (delivery.state, delivery.reason) == (DeliveryState.ACCEPTED, "reported_taken")
    assert broadcast.state is BroadcastState.FINISHED
    assert ledger.counts(session, broadcast.id) == {DeliveryState.ACCEPTED: 1}


def test_a_time_that_cannot_be_is_not_believed(session: Session):
    delivery = accepted(session)
    record(session, event(delivery, key="early", at=NOW - timedelta(days=9)), NOW + timedelta(hours=1))
    record(session, event(delivery, key="late", at=NOW + timedelta(days=9)), NOW + timedelta(hours=1))
    assert [one.at for one in reported.of_delivery(session, delivery.id)] == [NOW, NOW + timedelta(hours=1)]


def test_what_no_database_takes_is_left_out_of_what_strangers_say(session: Session):
    delivery = accepted(session)
    assert record(
        session, event(delivery, key="k\0\ud800", words="no\0 such \udcff user", status="5.1.1\0"), NOW
    ).is_new
    session.commit()
    row = session.execute(select(DeliveryEvent.status, DeliveryEvent.words)).one()
    assert tuple(row) == ("5.1.1", "no such ? user")
