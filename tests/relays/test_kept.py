import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.relays import kept
from tests.relays.kept import Kept
from webapp.core.broadcasts import delivered
from webapp.core.content.compiling import compiled
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState

NOW = factories.NOW
ABOVE = (
    "Return-Path: <support@example.com>\nDelivered-To: {address}\nReceived: from a.example (a.example [127.0.0.1])\n"
    "\tby b.example for <{address}>; Mon, 30 Nov 2026 08:10:11 +0000 (UTC)\n"
)


class Beside:
    """A broadcast with one row, and the Maildir of a relay."""

    def __init__(self, session: Session, folder: Path, state: DeliveryState) -> None:
        self._session, self._folder = session, folder
        for part in ("new", "cur"):
            (folder / part).mkdir()
        broadcast = factories.broadcast(session, state=BroadcastState.SENDING)
        values = json.dumps(["Ada"] * len(compiled(session, broadcast, engine.URL).tags))
        row = factories.delivery(session, broadcast, state=state, merge_values=values, stamped_at=NOW)
        broadcast.frozen_count = 1
        session.commit()
        mail = delivered.mail(session, broadcast, row, NOW, engine.URL)
        assert mail is not None
        self._key, self.made, self.address = broadcast.id, mail.data.replace(b"\r\n", b"\n"), row.address or ""

    def has(self, *mails: bytes, above: str = ABOVE) -> Kept:
        for number, mail in enumerate(mails):
            (self._folder / "new" / str(number)).write_bytes(above.format(address=self.address).encode() + mail)
        return kept.compare(self._session, [self._key], self._folder, NOW)[self._key]


@pytest.fixture
def relay(session: Session, tmp_path: Path) -> Beside:
    return Beside(session, tmp_path, DeliveryState.ACCEPTED)


def test_a_mail_below_the_fields_of_the_relay_is_well(relay: Beside):
    found = relay.has(relay.made)
    assert found.is_well, found.words
    assert (found.mails, found.accepted) == (1, 1)
    assert found.came_at == [datetime(2026, 11, 30, 8, 10, 11, tzinfo=UTC)]


def test_one_that_is_not_there_is_lost(relay: Beside):
    assert relay.has().lost == 1


def test_one_that_is_there_twice_counts(relay: Beside):
    assert relay.has(relay.made, relay.made).twice == 1


@pytest.mark.parametrize(
    ("one", "other"), [(b"Hello", b"Hallo"), (b"Ada", b"Ada "), (b"Subject: News", b"Subject:  News")]
)
def test_one_other_octet_is_found(relay: Beside, one: bytes, other: bytes):
    assert one in relay.made
    found = relay.has(relay.made.replace(one, other))
    assert found.differing == 1
    assert "not as it was made" in found.words[0]


def test_a_field_that_is_no_trace_is_found(relay: Beside):
    assert relay.has(relay.made, above=ABOVE + "X-Spam: yes\n").differing == 1


def test_another_recipient_of_the_envelope_is_found(relay: Beside):
    assert relay.has(relay.made, above=ABOVE.replace("To: {address}", "To: other@example.com")).differing == 1


def test_a_mail_of_no_row_is_found(relay: Beside):
    assert relay.has(relay.made, b"Message-ID: <other@example.com>\n\nHello\n").strangers == 1


def test_a_mail_of_a_row_that_denies_it_is_found(session: Session, tmp_path: Path):
    relay = Beside(session, tmp_path, DeliveryState.FAILED)
    assert relay.has().is_well
    assert relay.has(relay.made).strangers == 1


def test_the_fullest_window_counts_stamps_of_whole_seconds():
    began = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    stamps = [began + timedelta(seconds=second) for second in (0, 0, 2, 2, 3, 5)]
    assert kept.most_in_any(stamps, 2) == 3
    assert kept.most_in_any(stamps, 1) == 2
    assert kept.most_in_any([], 2) == 0


def test_a_relay_that_says_not_when_a_mail_came_is_told_of(relay: Beside):
    assert "no Received" in relay.has(relay.made, above="Return-Path: <support@example.com>\n").words[0]
