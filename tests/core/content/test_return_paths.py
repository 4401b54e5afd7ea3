"""Return paths that name the delivery, and what reads them again."""

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.content.compiling import compiled
from webapp.core.errors import Invalid
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.lifecycle import BroadcastState

URL = "https://mail.example.com"


def test_each_mail_has_its_own_and_it_names_the_delivery(session: Session):
    pattern = ReturnPath.of("bounce@mail.example.com")
    broadcast = factories.broadcast(session, state=BroadcastState.SENDING, started_at=NOW)
    content = compiled(session, broadcast, URL, pattern)
    for delivery_id in (4294967297, 4294967298, 9 * 2**32 + 1_000_000):
        mail = content.mail(delivery_id, "zoe@example.net", NOW, ["Zoe Hall", "Zoe"])
        assert mail.mail_from.endswith("@mail.example.com")
        assert len(mail.mail_from.partition("@")[0]) <= 64
        token = pattern.token_in(mail.mail_from.upper())  # servers may change the case
        assert token is not None
        assert tokens.delivery_of(session, TokenPurpose.BOUNCE, token) == delivery_id
        assert tokens.delivery_of(session, TokenPurpose.UNSUBSCRIBE, token) is None
        assert content.mail(delivery_id, "zoe@example.net", NOW, ["Zoe Hall", "Zoe"]) == mail
        assert b"bounce+" not in mail.data


def test_without_the_setting_and_in_a_test_it_is_the_senders_address(session: Session):
    sending = factories.broadcast(session, state=BroadcastState.SENDING, started_at=NOW)
    draft = factories.broadcast(session)
    for content in (compiled(session, sending, URL), compiled(session, draft, URL, ReturnPath.of("b@example.com"))):
        assert content.mail(1, "zoe@example.net", NOW, ["Zoe Hall", "Zoe"]).mail_from == "support@example.com"


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("bounce@example.com", "bounce+TOKEN@example.com"),
        ("bounce-*@example.com", "bounce-TOKEN@example.com"),
        ("b.*.x@Example.COM", "b.TOKEN.x@example.com"),
    ],
)
def test_where_the_token_stands_can_be_said(setting: str, address: str):
    path = ReturnPath.of(setting)
    assert path.address("TOKEN") == address
    assert path.token_in(f"<{address}>") == "token"
    assert path.token_in(path.plain) is None


@pytest.mark.parametrize("setting", ["", "bounce", "*@example.com", "two words@example.com", f"{'b' * 30}@example.com"])
def test_an_address_that_cannot_be_one_is_refused(setting: str):
    with pytest.raises(Invalid):
        ReturnPath.of(setting)


@pytest.mark.parametrize("address", ["", "bounce+@example.com", "bounce+a@b@example.com", "x+a@example.com", "a" * 400])
def test_other_addresses_have_no_token(address: str):
    assert ReturnPath.of("bounce@example.com").token_in(address) is None
