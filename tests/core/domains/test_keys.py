"""The life of our keys, and that nobody reads them without the installation's secret."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.domains import keys
from webapp.core.domains.keys import SIGNS_AFTER, KeyState
from webapp.core.domains.sealing import Seal, SealBroken
from webapp.core.domains.signing import signer_for
from webapp.core.errors import Conflict
from webapp.core.rules.dkim import VALID_FOR, Algorithm
from webapp.core.tables.domains import DkimKey

D, SENDER, SEAL = "example.com", "news@example.com", Seal("a secret")
MAIL = b"From: news@example.com\r\nSubject: Hello\r\n\r\nDear Anna\r\n"
DAY = timedelta(days=1)


def shown(session: Session, at, *which: int) -> None:
    """DNS shows the keys with these ids, or all."""
    rows = session.scalars(select(DkimKey)).all()
    keys.seen(session, D, [row.public for row in rows if not which or row.id in which], at)


def states(session: Session, at) -> dict[str, str]:
    return {row.selector: keys.state_of(row, at).value for row in session.scalars(select(DkimKey).order_by(DkimKey.id))}


def signed_by(session: Session, at) -> list[str]:
    said = signer_for(session, SENDER, SEAL).fields(MAIL, at).decode()
    return [part.partition(";")[0] for part in said.split("; s=")[1:]]


def test_keys_sign_only_once_dns_shows_them(session: Session):
    keys.make(session, D, SEAL, NOW)
    assert states(session, NOW) == {"mm20261123-rsa": "waiting", "mm20261123-ed": "waiting"}
    assert signed_by(session, NOW + DAY) == []
    shown(session, NOW, 1)
    assert signed_by(session, NOW + SIGNS_AFTER - timedelta(seconds=1)) == []
    assert signed_by(session, NOW + SIGNS_AFTER) == ["mm20261123-rsa"]
    shown(session, NOW + DAY)
    assert signed_by(session, NOW + 2 * DAY) == ["mm20261123-rsa", "mm20261123-ed"]
    with pytest.raises(Conflict):
        keys.make(session, D, SEAL, NOW)
        keys.make(session, D, SEAL, NOW)


def test_a_new_pair_takes_over_when_it_is_seen_and_the_old_one_is_kept_for_a_week(session: Session):
    keys.make(session, D, SEAL, NOW)
    shown(session, NOW)
    keys.make(session, D, SEAL, NOW)
    later = NOW + 30 * DAY
    assert signed_by(session, later) == ["mm20261123-rsa", "mm20261123-ed"]
    before = signer_for(session, SENDER, SEAL).fields(MAIL, later)
    shown(session, later)
    taken_over = later + SIGNS_AFTER
    assert signed_by(session, taken_over) == ["mm20261123-1-rsa", "mm20261123-1-ed"]
    assert signer_for(session, SENDER, SEAL).fields(MAIL, later) == before, "a repeat of an earlier mail has its bytes"
    old = KeyState.KEPT.value
    assert states(session, taken_over) == {
        "mm20261123-rsa": old,
        "mm20261123-ed": old,
        "mm20261123-1-rsa": "signing",
        "mm20261123-1-ed": "signing",
    }
    assert not keys.is_one_over(session, taken_over + VALID_FOR - DAY)
    over = taken_over + VALID_FOR
    assert keys.is_one_over(session, over)
    keys.retire(session, over)
    assert states(session, over)["mm20261123-rsa"] == "retired"
    assert [row.private is None for row in session.scalars(select(DkimKey).order_by(DkimKey.id))] == [
        True,
        True,
        False,
        False,
    ]
    assert len(keys.listing(session, D, SEAL, over)) == 2
    assert signed_by(session, later) == []


def test_signing_can_be_stopped_and_waiting_keys_withdrawn(session: Session):
    keys.make(session, D, SEAL, NOW)
    keys.withdraw(session, D)
    assert states(session, NOW) == {}
    keys.make(session, D, SEAL, NOW)
    shown(session, NOW)
    keys.make(session, D, SEAL, NOW)
    keys.stop(session, D, NOW + DAY)
    assert set(states(session, NOW + DAY + SIGNS_AFTER).values()) == {"kept"}
    assert signed_by(session, NOW + DAY + SIGNS_AFTER) == [] != signed_by(session, NOW + DAY)


def test_another_domain_is_not_signed(session: Session):
    keys.make(session, D, SEAL, NOW)
    shown(session, NOW)
    assert signer_for(session, "news@sub.example.com", SEAL).fields(MAIL, NOW + DAY) == b""


def test_only_a_key_that_still_signs_or_will_must_fit_the_secret(session: Session):
    keys.make(session, D, SEAL, NOW)
    other = Seal("another")
    assert keys.sealed_otherwise(session, SEAL, NOW) == []
    assert len(keys.sealed_otherwise(session, other, NOW)) == 2, "they wait for DNS, and sign then"
    shown(session, NOW)
    keys.stop(session, D, NOW + DAY)
    assert len(keys.sealed_otherwise(session, other, NOW + DAY)) == 2, "for some minutes"
    assert keys.sealed_otherwise(session, other, NOW + 2 * DAY) == []
    assert signer_for(session, SENDER, other).fields(MAIL, NOW + 2 * DAY) == b""


def test_a_private_key_opens_with_the_secret_and_for_its_own_name_alone(session: Session):
    keys.make(session, D, SEAL, NOW)
    shown(session, NOW)
    row = session.scalars(select(DkimKey)).first()
    assert row is not None and row.private is not None
    assert SEAL.open(row.private, f"{row.selector}._domainkey.{D}").startswith(b"\x30\x82")
    for seal, about in ((Seal("another"), f"{row.selector}._domainkey.{D}"), (SEAL, "other._domainkey.example.com")):
        with pytest.raises(SealBroken):
            seal.open(row.private, about)
    assert [one.can_be_used for one in keys.listing(session, D, Seal("another"), NOW)] == [False, False]
    with pytest.raises(Conflict, match="would leave without a signature"):
        signer_for(session, SENDER, Seal("another"))
    assert {one.algorithm for one in keys.listing(session, D, SEAL, NOW)} == {*Algorithm}
