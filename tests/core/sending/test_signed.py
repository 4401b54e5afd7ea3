"""Mails leave signed: those of a broadcast, again with the same bytes, and those of a test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import engine
from tests.core.rules.dkim.dkimpy import verdicts
from tests.dns_server import dns_server
from webapp.core.content.compiling import compiled
from webapp.core.domains import keys
from webapp.core.domains.keys import SIGNS_AFTER
from webapp.core.domains.sealing import Seal
from webapp.core.domains.signing import signed_trial
from webapp.core.ports import Mail
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending.signed import SignedContent

SEAL = Seal("a secret")
SENDER, DOMAIN = "News <news@example.com>", "example.com"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def content(session: Session) -> SignedContent:
    broadcast = engine.sending_broadcast(session)
    broadcast.from_address = SENDER
    return SignedContent(compiled(session, broadcast, engine.URL), session, SENDER, SEAL)


def mail(content: SignedContent, date: datetime) -> Mail:
    return content.mail(7, "anna@example.com", date, ["Anna"] * len(content.tags))


def new_keys(session: Session, at: datetime) -> dict[tuple[str, str], list[str]]:
    """Keys of the domain that DNS shows at once, and what DNS shows then."""
    keys.make(session, DOMAIN, SEAL, at)
    made = keys.listing(session, DOMAIN, SEAL, at)
    keys.seen(session, DOMAIN, [key.public for key in made], at)
    session.commit()
    return {(key.record.name, "TXT"): [key.record.value] for key in made}


def test_a_running_sender_learns_of_keys_and_a_repeat_has_the_same_bytes(
    app: Flask, session: Session, content: SignedContent
):
    where = engine.engine_of(app)
    assert b"DKIM-Signature" not in mail(content, NOW).data
    zone = new_keys(session, NOW - DAY)
    content.look_again(where)
    signed = mail(content, NOW).data
    with dns_server(zone) as (server, _):
        assert verdicts([signed], server) == [["good", "good"]]
    new_keys(session, NOW)
    content.look_again(where)
    assert mail(content, NOW).data == signed, "dated before the new keys"
    assert mail(content, NOW + SIGNS_AFTER).data.count(b"DKIM-Signature") == 2
    assert not {*_signatures(mail(content, NOW + SIGNS_AFTER).data)} & {*_signatures(signed)}


def test_nothing_leaves_where_a_key_was_sealed_with_another_secret(app: Flask, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session)
    broadcast.from_address = SENDER
    new_keys(session, NOW - DAY)
    mailer = engine.PlainMailer(lambda _mail: engine.TAKEN)
    engine.send(engine.engine_of(app), broadcast.id, tmp_path, lambda: mailer, seal=Seal("another"))
    session.rollback()
    assert mailer.sent == [] and broadcast.state is BroadcastState.PAUSED
    assert "would leave without a signature" in str(broadcast.pause_reason)


def test_mails_of_a_test_are_signed_too(session: Session, content: SignedContent):
    plain = mail(content, NOW)
    new_keys(session, NOW - DAY)
    (signed,) = signed_trial(session, [plain], SENDER, SEAL, NOW)
    assert signed.data.endswith(plain.data) and len(list(_signatures(signed.data))) == 2
    assert signed_trial(session, [plain], "News <news@other.example>", SEAL, NOW) == [plain]


def _signatures(data: bytes) -> list[bytes]:
    return [part.partition(b";")[0] for part in data.split(b"; s=")[1:]]
