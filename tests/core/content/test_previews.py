"""Whom a preview is made for."""

import sqlite3
from datetime import date

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.audience import Audience, AudienceFilter, pick
from webapp.core.content import previews
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import PickKind

TODAY = date(2026, 11, 23)
EVERYONE = Audience(AudienceFilter(MessageType.GENERAL))


def test_one_pages_through_those_who_will_get_the_mail_and_nobody_else(session: Session):
    ada = factories.client(session, "ada@example.com")
    factories.client(session, None)
    factories.client(session, "ADA@example.com", address_key="ada@example.com")
    zoe = factories.client(session, "zoe@example.com", first_name="Zoë", last_name="Oster")
    session.commit()
    first = previews.at(session, EVERYONE, TODAY, None)
    assert first and (first.client_id, first.position, first.total) == (ada.id, 1, 2)
    assert (first.previous_id, first.next_id) == (None, zoe.id)
    last = previews.at(session, EVERYONE, TODAY, zoe.id)
    assert last and (last.name, last.address, last.position) == ("Zoë Oster", "zoe@example.com", 2)
    assert (last.previous_id, last.next_id) == (ada.id, None)


def test_a_client_who_will_not_get_it_gives_way_to_the_first(session: Session):
    ada = factories.client(session)
    other = factories.client(session, None)
    session.commit()
    person = previews.at(session, EVERYONE, TODAY, other.id)
    assert person and person.client_id == ada.id
    assert previews.at(session, Audience(AudienceFilter(MessageType.GENERAL, countries=("JP",))), TODAY, None) is None


@pytest.mark.parametrize(("chosen", "words"), [(True, "VPS-2 · b.example, due next of 2"), (False, "Web · a.example")])
def test_the_holding_whose_data_the_tags_take_is_said_in_words(session: Session, chosen: bool, words: str):
    client = factories.client(session)
    web, vps = factories.product(session, "Web"), factories.product(session, "VPS-2")
    factories.service(session, client, web, domain="a.example", next_due_on=date(2026, 12, 1))
    for domain, day in (("c.example", 9), ("b.example", 5)):
        factories.service(session, client, vps, domain=domain, next_due_on=date(2026, 12, day))
    session.commit()
    products = (vps.id,) if chosen else (web.id,)
    person = previews.at(session, Audience(AudienceFilter(MessageType.SERVICES, products=products)), TODAY, None)
    assert person and person.holding == words


def test_a_client_added_beyond_the_filter_is_said_to_be(session: Session):
    client = factories.client(session)
    web, vps = factories.product(session, "Web"), factories.product(session, "VPS-2")
    factories.service(session, client, web, domain="a.example")
    draft = factories.broadcast(session, message_type=MessageType.SERVICES)
    pick(session, draft.id, client.id, PickKind.ADDED)
    session.commit()
    audience = Audience(AudienceFilter(MessageType.SERVICES, products=(vps.id,)), draft.id)
    person = previews.at(session, audience, TODAY, client.id)
    assert person and person.holding == "Web · a.example, which is not among those chosen"


def test_extremes_are_people_who_will_get_it(session: Session):
    factories.client(session, "a@example.com", first_name="Jo", last_name="Li")
    longest = factories.client(session, "b@example.com", first_name="Maximiliane-Katharina", last_name="von der Heide")
    factories.client(session, None, first_name="Wolfeschlegelsteinhausenbergerdorff", last_name="Senior-Schmidt")
    nameless = factories.client(session, "c@example.com", first_name="")
    hebrew = factories.client(session, "d@example.com", first_name="נועה", language="he-IL")
    factories.client(session, "e@example.com", language="hex")
    session.commit()
    found = {extreme.label: extreme.client_id for extreme in previews.extremes(session, EVERYONE)}
    assert found == {"longest name": longest.id, "empty name": nameless.id, "right to left": hebrew.id}


def test_most_services_is_offered_where_services_matter(session: Session):
    product = factories.product(session)
    few, many = factories.client(session), factories.client(session)
    for client, count in ((few, 1), (many, 3)):
        for _ in range(count):
            factories.service(session, client, product)
    session.commit()
    found = previews.extremes(session, Audience(AudienceFilter(MessageType.SERVICES)))
    assert ("most services", many.id) in [(extreme.label, extreme.client_id) for extreme in found]


def test_a_search_for_somebody_to_preview_finds_recipients_in_order(session: Session):
    clients = [factories.client(session, f"p{n}@example.com" if n % 3 else None, last_name="Malá") for n in range(30)]
    other = factories.client(session, last_name="Other")
    for row in clients:
        row.search_text = f"{row.number} mala"
    session.commit()
    usable = [row.id for row in clients if row.address]
    found = [recipient.client.id for recipient in previews.search(session, EVERYONE, TODAY, "MALÁ")]
    assert found == usable[: len(found)] and len(found) == 8
    assert [recipient.client.id for recipient in previews.search(session, EVERYONE, TODAY, " ")] == found
    assert [recipient.client.id for recipient in previews.search(session, EVERYONE, TODAY, other.number)] == [other.id]
    assert previews.search(session, EVERYONE, TODAY, "nobody at all") == []


def test_a_search_for_somebody_to_preview_ends_with_the_first_few(sqlite_session: Session):
    """Counted in the steps of SQLite's machine: ten times as many clients who are called like that make no more of them."""
    driver = sqlite_session.connection().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    steps = []
    for clients in (300, 3000):
        for _ in range(clients):
            factories.client(sqlite_session)
        previews.at(sqlite_session, EVERYONE, TODAY, None)
        sqlite_session.expire_all()
        counted = [0]
        driver.set_progress_handler(lambda counted=counted: counted.append(0), 10)
        assert len(previews.search(sqlite_session, EVERYONE, TODAY, "ada")) == 8
        driver.set_progress_handler(None, 0)
        steps.append(len(counted))
    assert steps[1] < 2 * steps[0]


def test_who_reads_from_right_to_left_is_not_looked_for_among_all_clients(sqlite_session: Session):
    for language in ("de", "ar", "he-IL"):
        factories.client(sqlite_session, language=language)
    sqlite_session.commit()
    previews.at(sqlite_session, EVERYONE, TODAY, None)
    asked = []
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    assert "right to left" in [extreme.label for extreme in previews.extremes(sqlite_session, EVERYONE)]
    assert asked and not [statement for statement in asked if "client.language" in statement]


def test_extremes_are_looked_for_among_a_bounded_number_spread_over_all_who_get_it(sqlite_session: Session):
    """Counted in the steps of SQLite's machine: ten times as many clients make no more of them."""
    driver = sqlite_session.connection().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    audience, steps, found = Audience(AudienceFilter(MessageType.SERVICES)), [], []
    product = factories.product(sqlite_session)
    for clients in (400, 4000):
        for number in range(clients):
            name = "" if number == clients // 2 else "Ada"
            factories.service(sqlite_session, factories.client(sqlite_session, first_name=name), product)
        previews.at(sqlite_session, audience, TODAY, None)
        sqlite_session.expire_all()
        counted = [0]
        driver.set_progress_handler(lambda counted=counted: counted.append(0), 10)
        found = previews.extremes(sqlite_session, audience, look_at=200)
        driver.set_progress_handler(None, 0)
        steps.append(len(counted))
    assert steps[1] < 2 * steps[0]
    assert found[0].label == "longest name of 200"
    assert found[-1].label == "most services of 200"


@pytest.mark.parametrize(("look_at", "labels"), [(20, {"longest name"}), (10, {"longest name of 10"})])
def test_extremes_say_among_how_many_they_were_looked_for_where_it_is_not_all(session: Session, look_at, labels):
    for _ in range(20):
        factories.client(session)
    session.commit()
    assert {extreme.label for extreme in previews.extremes(session, EVERYONE, look_at=look_at)} == labels


def test_extremes_of_a_few_are_found_among_parts_of_all(session: Session):
    """Every second one is looked at, in the last tenth as well."""
    rows = [factories.client(session, first_name="Maximiliane" if number >= 90 else "Jo") for number in range(100)]
    session.commit()
    (longest,) = previews.extremes(session, EVERYONE, look_at=50)
    assert longest.client_id >= rows[90].id


def test_of_equals_the_first_is_the_extreme_and_whoever_was_added_by_hand_is_none(session: Session):
    product = factories.product(session)
    first, second, added = (factories.client(session, first_name=name) for name in ("Jo", "Jo", "Maximiliane"))
    for client in (second, first):
        factories.service(session, client, product)
    draft = factories.broadcast(session, message_type=MessageType.SERVICES)
    pick(session, draft.id, added.id, PickKind.ADDED)
    session.commit()
    found = previews.extremes(session, Audience(AudienceFilter(MessageType.SERVICES), draft.id))
    assert {extreme.client_id for extreme in found} == {first.id}
    assert [extreme.label for extreme in found] == ["longest name", "most services"]
