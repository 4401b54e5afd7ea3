"""Tokens of a mail's own links."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens, delivery_of
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.tables.consent import LinkKey

DELIVERY = (17 << 32) | 5
P = TokenPurpose


@pytest.fixture
def made(sqlite_session: Session) -> Callable[..., str]:
    """Makes a token under the key there is."""

    def make(purpose: TokenPurpose = P.UNSUBSCRIBE, delivery_id: int = DELIVERY) -> str:
        key = tokens.key_of(sqlite_session, NOW)
        return Tokens(key.id, key.secret, purpose).of(delivery_id)

    return make


@pytest.mark.parametrize("purpose", P)
def test_a_token_leads_back_to_its_delivery_and_is_good_for_nothing_else(sqlite_session, made, purpose: TokenPurpose):
    token = made(purpose)
    assert delivery_of(sqlite_session, purpose, token) == DELIVERY
    assert [delivery_of(sqlite_session, other, token) for other in P if other is not purpose] == [None] * (len(P) - 1)


@pytest.mark.parametrize("purpose", P)
def test_capitals_are_the_same_as_small_letters(sqlite_session, made, purpose: TokenPurpose):
    assert delivery_of(sqlite_session, purpose, made(purpose).upper()) == DELIVERY


def test_the_token_of_a_return_path_may_stand_before_the_at_of_an_address(made):
    local = f"bounce+{made(P.BOUNCE)}"
    assert re.fullmatch(r"bounce\+[a-z2-7]+", local) and len(local) <= 64, "RFC 5321 section 4.5.3.1.1"


def test_a_token_changed_in_any_place_is_none(sqlite_session, made):
    token = made()
    for place in range(len(token)):
        other = "1" if token[place] != "1" else "2"
        assert delivery_of(sqlite_session, P.UNSUBSCRIBE, token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "x", NO_TOKEN, "0" * 43, "0" * 4000, "f" * 44, "ä" * 44, "\0" * 44, "１" * 44])
def test_what_is_no_token_is_none(sqlite_session, text: str):
    assert [delivery_of(sqlite_session, purpose, text) for purpose in P] == [None] * len(P)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_no_two_deliveries_have_the_same_proof(one: int, other: int):
    maker = Tokens(1, "secret", P.UNSUBSCRIBE)
    alone = Tokens(1, "secret", P.UNSUBSCRIBE).of(other)
    assert maker.of(one) == maker.of(one) and maker.of(other) == alone, "whoever came before"
    assert (maker.of(one)[-24:] == alone[-24:]) is (one == other)


def test_nothing_of_a_token_is_about_a_person(made):
    assert made() == f"0001{DELIVERY:016x}{made()[-24:]}"


def test_a_new_key_breaks_no_mail_under_way(sqlite_session, made):
    before = made()
    old = tokens.key_of(sqlite_session, NOW)
    new = tokens.change_key(sqlite_session, NOW)
    assert new.id == old.id + 1 and sqlite_session.get_one(LinkKey, old.id).retired_at == NOW
    assert tokens.key_of(sqlite_session, NOW - timedelta(days=1)).id == old.id, "what has begun repeats its mails"
    assert tokens.key_of(sqlite_session, NOW + timedelta(seconds=59)).id == old.id, "not every process knows it yet"
    assert tokens.key_of(sqlite_session, NOW + timedelta(seconds=60)).id == new.id
    assert delivery_of(sqlite_session, P.UNSUBSCRIBE, before) == DELIVERY
