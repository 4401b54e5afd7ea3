"""Sources of events: their secrets, and what becomes of what they report."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.consent import event_sources
from webapp.core.consent.event_sources import Given, KnownSource, TakenEvents
from webapp.core.errors import Invalid, NotFound
from webapp.core.events import Recorded
from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events import passwords
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import TOPIC
from webapp.core.tables.deliveries import MinuteCount
from webapp.core.tables.event_sources import Became, EventSource, ReceivedEvent

NOW = factories.NOW
LATER = NOW + timedelta(minutes=1)
KEY = "0123456789abcdef"


class Book:
    """Where events of mails are recorded, as far as sources are concerned: of the address ada@example.com there is a mail."""

    def __init__(self) -> None:
        self.events: list[RelayEvent] = []

    def record(self, _session: Session, event: RelayEvent, _now: datetime) -> Recorded:
        is_new = event.event_key not in [one.event_key for one in self.events]
        self.events.append(event)
        return Recorded(is_new, 7 if event.address == "ada@example.com" else None)


def event(key: str = "e1", kind: EventKind = EventKind.BOUNCED, address: str = "ada@example.com") -> RelayEvent:
    return RelayEvent(kind, "mailgun", key, address=address, words="No such mailbox", raw=f"{key} {kind}".encode())


def known(session: Session, provider: Provider = Provider.MAILGUN) -> KnownSource:
    given = event_sources.add(session, provider, "" if provider in (Provider.POSTMARK, Provider.BREVO) else KEY, NOW)
    session.commit()
    return called(session, given, provider)


def called(session: Session, given: Given, provider: Provider = Provider.MAILGUN, now: datetime = NOW) -> KnownSource:
    found = event_sources.called(session, provider, given.secret, now)
    assert found is not None
    return found


def test_an_address_leads_to_its_source_and_no_other_address_does(session: Session):
    given = event_sources.add(session, Provider.MAILGUN, KEY, NOW)
    other = event_sources.add(session, Provider.MAILGUN, KEY, NOW)
    assert called(session, given) == KnownSource(given.source_id, Provider.MAILGUN, KEY)
    assert called(session, other).id == other.source_id
    for provider, secret in (
        (Provider.BREVO, given.secret),
        (Provider.MAILGUN, given.secret[:-1]),
        (Provider.MAILGUN, ""),
    ):
        assert event_sources.called(session, provider, secret, NOW) is None


def test_the_database_holds_neither_the_secret_nor_the_password(session: Session):
    given = event_sources.add(session, Provider.POSTMARK, "", NOW)
    row = session.get_one(EventSource, given.source_id)
    held = " ".join(str(value) for value in vars(row).values())
    assert given.secret not in held and given.password and given.password not in held
    assert called(session, given, Provider.POSTMARK).key == passwords.kept(given.password)


@pytest.mark.parametrize(
    ("provider", "key"), [(Provider.SES, ""), (Provider.SES, "x"), (Provider.MAILGUN, "x"), (Provider.BREVO, "my own")]
)
def test_a_key_that_cannot_be_one_makes_no_source(sqlite_session: Session, provider: Provider, key: str):
    if provider is Provider.BREVO:
        assert event_sources.add(sqlite_session, provider, key, NOW).password != key
        return
    with pytest.raises(Invalid):
        event_sources.add(sqlite_session, provider, key, NOW)
    assert event_sources.listing(sqlite_session) == []


def test_the_address_before_counts_for_a_day_with_its_password(sqlite_session: Session):
    first = event_sources.add(sqlite_session, Provider.POSTMARK, "", NOW)
    second = event_sources.new_address(sqlite_session, first.source_id, NOW)
    for given in (first, second):
        found = called(sqlite_session, given, Provider.POSTMARK, NOW + timedelta(hours=23))
        assert found.key == passwords.kept(given.password)
    assert event_sources.called(sqlite_session, Provider.POSTMARK, first.secret, NOW + timedelta(hours=25)) is None
    assert called(sqlite_session, second, Provider.POSTMARK, NOW + timedelta(hours=25))


def test_a_new_address_keeps_the_signing_key(sqlite_session: Session):
    first = event_sources.add(sqlite_session, Provider.MAILGUN, KEY, NOW)
    second = event_sources.new_address(sqlite_session, first.source_id, NOW)
    event_sources.change_key(sqlite_session, first.source_id, KEY * 2)
    assert called(sqlite_session, first).key == called(sqlite_session, second).key == KEY * 2
    assert first.password == second.password == ""


def test_what_is_switched_off_or_removed_is_not_there(sqlite_session: Session):
    given = event_sources.add(sqlite_session, Provider.SES, TOPIC, NOW)
    event_sources.switch(sqlite_session, given.source_id, on=False)
    assert event_sources.called(sqlite_session, Provider.SES, given.secret, NOW) is None
    event_sources.switch(sqlite_session, given.source_id, on=True)
    assert called(sqlite_session, given, Provider.SES).key == TOPIC
    event_sources.remove(sqlite_session, given.source_id)
    assert event_sources.called(sqlite_session, Provider.SES, given.secret, NOW) is None
    with pytest.raises(NotFound):
        event_sources.get(sqlite_session, given.source_id)


def test_each_event_is_kept_with_what_became_of_it(session: Session):
    source, book = known(session), Book()
    events = [event(), event("e2", address="nobody@example.com"), event("e3", EventKind.OTHER)]
    assert event_sources.take(session, source, events, LATER, book.record) == TakenEvents(1, 1, 1)
    session.commit()
    assert [one.event_key for one in book.events] == ["e1", "e2"], "what nobody heeds is not recorded"
    rows = {row.event_key: row for row in session.scalars(select(ReceivedEvent))}
    assert {key: row.became for key, row in rows.items()} == {
        "e1": Became.RECORDED,
        "e2": Became.NO_MAIL,
        "e3": Became.IGNORED,
    }
    assert (rows["e1"].raw, rows["e1"].delivery_id, rows["e3"].raw) == (None, 7, b"e3 other")
    row = event_sources.get(session, source.id)
    assert (row.events, row.repeats, row.seen_at) == (3, 0, LATER)


def test_a_repeat_is_counted_and_nothing_is_recorded_twice(session: Session):
    source, book = known(session), Book()
    events = [event(), event("e3", EventKind.OTHER)]
    event_sources.take(session, source, events, NOW, book.record)
    assert event_sources.take(session, source, [*events, event("e4"), event("e4")], LATER, book.record) == TakenEvents(
        1, repeats=3
    )
    assert len(book.events) == 2
    row = event_sources.get(session, source.id)
    assert (row.events, row.repeats) == (3, 3)


def test_what_was_recorded_before_is_a_repeat_though_it_is_forgotten_here(sqlite_session: Session):
    source, book = known(sqlite_session), Book()
    event_sources.take(sqlite_session, source, [event()], NOW, book.record)
    assert event_sources.forget_old(sqlite_session, NOW + timedelta(days=4), 10) == 1
    assert event_sources.take(sqlite_session, source, [event()], LATER, book.record) == TakenEvents(repeats=1)


def test_a_token_that_comes_again_with_another_report_is_refused(sqlite_session: Session):
    source, book = known(sqlite_session), Book()
    event_sources.take(sqlite_session, source, [event()], NOW, book.record)
    with pytest.raises(Refused, match="another report") as refusal:
        event_sources.take(sqlite_session, source, [replace(event(), raw=b"forged")], NOW, book.record)
    assert refusal.value.is_final and len(book.events) == 1


def test_the_same_name_at_another_source_is_another_event(sqlite_session: Session):
    book = Book()
    for source in (known(sqlite_session, Provider.BREVO), known(sqlite_session, Provider.POSTMARK)):
        event_sources.take(sqlite_session, source, [event("1", EventKind.OTHER)], NOW, book.record)
    assert len(event_sources.latest(sqlite_session, 10)) == 2


def test_what_a_removed_source_reports_is_not_taken(sqlite_session: Session):
    source = known(sqlite_session)
    event_sources.remove(sqlite_session, source.id)
    with pytest.raises(NotFound):
        event_sources.take(sqlite_session, source, [event()], NOW, Book().record)


def test_refusals_and_subscriptions_are_noted(sqlite_session: Session):
    source = known(sqlite_session)
    event_sources.was_refused(sqlite_session, source.id, "Its signature " * 50, NOW)
    event_sources.was_refused(sqlite_session, source.id, "Its signature", LATER)
    event_sources.was_subscribed(sqlite_session, source.id, NOW)
    row = event_sources.get(sqlite_session, source.id)
    assert (row.refusals, row.refused_at, row.refused_why) == (2, LATER, "Its signature")
    assert (row.confirmed_at, row.ended_at) == (NOW, None)
    event_sources.was_subscribed(sqlite_session, source.id, LATER, ended=True)
    assert event_sources.get(sqlite_session, source.id).ended_at == LATER


def test_raw_events_are_removed_after_thirty_days_and_recorded_ones_after_three(session: Session):
    source, book = known(session), Book()
    event_sources.take(session, source, [event(), event("e3", EventKind.OTHER)], NOW, book.record)
    assert event_sources.forget_old(session, NOW + timedelta(days=2), 10) == 0
    assert event_sources.forget_old(session, NOW + timedelta(days=29), 10) == 1
    assert [row.event_key for row, _source in event_sources.latest(session, 10)] == ["e3"]
    assert event_sources.forget_old(session, NOW + timedelta(days=31), 10) == 1
    event_sources.remove(session, source.id)
    session.commit()
    assert event_sources.latest(session, 10) == []


def test_silence_is_told_by_the_mails_that_went_out_meanwhile(session: Session):
    source = known(session)
    broadcast = factories.broadcast(session)
    for minutes, accepted in ((-5, 100), (5, 30), (60, 12)):
        minute = NOW + timedelta(minutes=minutes)
        session.add(MinuteCount(broadcast_id=broadcast.id, sender_id=0, minute=minute, accepted=accepted))
    session.flush()
    row = event_sources.get(session, source.id)
    assert event_sources.unheard(session, row, NOW + timedelta(days=2)) == 0
    assert event_sources.unheard(session, row, NOW + timedelta(days=4)) == 42
    event_sources.take(session, source, [event()], NOW + timedelta(minutes=30), Book().record)
    assert event_sources.unheard(session, row, NOW + timedelta(days=4)) == 12
    event_sources.switch(session, source.id, on=False)
    assert event_sources.unheard(session, row, NOW + timedelta(days=4)) == 0


def test_mails_bear_the_headers_of_relays_that_name_mails_anew_each_once(sqlite_session: Session):
    keys = {Provider.POSTMARK: "", Provider.MAILGUN: KEY, Provider.SES: TOPIC}
    made = {one: event_sources.add(sqlite_session, one, key, NOW).source_id for one, key in keys.items()}
    event_sources.add(sqlite_session, Provider.POSTMARK, "", NOW)

    def names() -> list[str]:
        return [header.name for header in event_sources.headers_of_mails(sqlite_session)]

    assert names() == ["X-PM-Metadata-mail-id", "X-SES-MESSAGE-TAGS"]
    event_sources.add_header(sqlite_session, made[Provider.MAILGUN], on=True)
    event_sources.switch(sqlite_session, made[Provider.SES], on=False)
    assert names() == ["X-Mailgun-Variables", "X-PM-Metadata-mail-id"]
