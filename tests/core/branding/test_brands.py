"""Brands: whose is in force, and which one a broadcast keeps."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.branding import brands
from webapp.core.branding.brands import EVERYONE, Wanted
from webapp.core.content.compiling import compiled
from webapp.core.errors import Invalid
from webapp.core.rules.branding.look import LIGHT, FontStack, Palette
from webapp.core.rules.statuses import MessageType
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

URL = "https://mail.example.com"
RED = Palette("#aa0000", "#111111", "#ffffff", "#aa0000")


def brand(session: Session, address: str = EVERYONE, **wanted: object) -> int:
    return brands.save(session, address, Wanted(**wanted), "uma@example.org", NOW).id


def html_of(session: Session, broadcast: Broadcast) -> str:
    mail = compiled(session, broadcast, URL)
    return mail.mail(0, "zoe@example.net", NOW, ["x" for _ in mail.tags]).data.decode().replace("=\r\n", "")


def test_a_new_draft_stands_in_the_brand_and_an_older_one_does_not(session: Session):
    from_addresses.add(session, "Example", "support@example.com")
    old = broadcasts.create(session, MessageType.GENERAL, None, NOW)
    assert not old.in_brand and brands.of_broadcast(session, old) is None
    saved = brand(session, light=RED)
    new = broadcasts.create(session, MessageType.GENERAL, None, NOW)
    assert new.in_brand and brands.of_broadcast(session, new).id == saved
    assert brands.of_broadcast(session, old) is None


def test_mails_that_stand_in_none_are_what_they_were(session: Session):
    broadcast = factories.broadcast(session)
    before = html_of(session, broadcast)
    brand(session, light=RED)
    assert html_of(session, broadcast) == before
    broadcast.in_brand = True
    assert html_of(session, broadcast) != before


def test_what_is_scheduled_keeps_its_brand_until_it_is_a_draft_again(session: Session):
    first = brand(session, light=RED)
    broadcast = factories.broadcast(session, in_brand=True)
    broadcasts.schedule(session, broadcast.id, None, NOW)
    before = html_of(session, broadcast)
    second = brand(session, letters=FontStack.GEORGIA)
    assert broadcast.brand_id == first and html_of(session, broadcast) == before
    broadcasts.unschedule(session, broadcast.id, None, NOW)
    assert brands.of_broadcast(session, broadcast).id == second and html_of(session, broadcast) != before


def test_what_was_scheduled_without_a_brand_gets_none(session: Session):
    broadcast = factories.broadcast(session, in_brand=True)
    broadcasts.schedule(session, broadcast.id, None, NOW)
    before = html_of(session, broadcast)
    brand(session)
    assert html_of(session, broadcast) == before


def test_a_sender_has_its_own_brand_else_that_of_everyone(session: Session):
    from_addresses.add(session, "News", "News@Example.com")
    everyone = brand(session)
    assert brands.in_force(session, "news@example.com").id == everyone and brands.own(session) == []
    own = brand(session, "news@example.com", light=RED)
    assert brands.in_force(session, "news@example.com").id == own and brands.in_force(session).id == everyone
    assert brands.own(session) == ["news@example.com"]
    row = factories.broadcast(session, in_brand=True, from_address="News <News@Example.com>")
    assert brands.of_broadcast(session, row).id == own
    brands.remove(session, "news@example.com", "uma@example.org", NOW + timedelta(days=1))
    assert brands.of_broadcast(session, row).id == everyone and brands.own(session) == []
    brands.remove(session, EVERYONE, "uma@example.org", NOW)
    assert brands.of_broadcast(session, row) is None and not brands.is_any(session)


def test_what_makes_no_sense_is_refused_at_its_field(session: Session):
    for field, wanted in (
        ("light_text", {"light": Palette("#0b3a75", "black", "#ffffff", "#000000")}),
        ("dark_link", {"dark": Palette("#0b3a75", "#ffffff", "#000000", "")}),
        ("footer", {"footer": "[x](nowhere)"}),
    ):
        with pytest.raises(Invalid) as refused:
            brand(session, **wanted)
        assert refused.value.field == field
    with pytest.raises(Invalid):
        brand(session, "nobody@example.com")
    assert brands.in_force(session) is None
    assert brand(session, light=LIGHT) and brands.in_force(session).made_by == "uma@example.org"
