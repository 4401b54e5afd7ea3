"""What was reported of mails after the relay took them: in the ledger, its export, the numbers and the chart."""

import csv
import io
from datetime import timedelta

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core.events import record
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery, MinuteCount

AFTER = timedelta(minutes=3)


@pytest.fixture
def told(sqlite_session) -> tuple[Broadcast, dict[EventKind, Delivery]]:
    """A finished broadcast of four mails: one bounced, one was complained about, one delivered, and of one nobody heard."""
    session = sqlite_session
    broadcast = factories.broadcast(session, state=BroadcastState.FINISHED, started_at=NOW, frozen_at=NOW)
    factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    session.add(MinuteCount(broadcast_id=broadcast.id, sender_id=0, minute=NOW, accepted=4, other=0))
    rows = {}
    for kind in (EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.DELIVERED):
        rows[kind] = factories.delivery(session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
        told = RelayEvent(kind, "mail", f"{kind}", NOW + AFTER, delivery_id=rows[kind].id)
        if kind is EventKind.BOUNCED:
            told = RelayEvent(
                kind, "mail", "b", NOW + AFTER, delivery_id=rows[kind].id, status="5.1.1", words="550 User unknown"
            )
        record(session, told, NOW + AFTER)
    session.commit()
    return broadcast, rows


def test_the_ledger_says_what_came_back_and_the_outcome_stays(browser_client, told):
    broadcast, _rows = told
    page = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/").text
    assert "Accepted, bounced after 3 min: no such mailbox" in page
    assert "Accepted, complained about after 3 min" in page
    assert "Accepted, delivered after 3 min" in page
    assert page.count("elivered after") == 1, "of whom nobody said so, it is not said"


@pytest.mark.parametrize("kind", [EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.DELIVERED])
def test_chips_choose_those_of_whom_it_was_reported(browser_client, told, kind: EventKind):
    broadcast, rows = told
    page = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/?group={kind}").text
    assert f'id="chip-{kind}"' in page
    assert [f'id="delivery-{row.id}"' in page for row in rows.values()] == [one is kind for one in rows]
    export = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/export.csv?group={kind}").text
    (row,) = csv.DictReader(io.StringIO(export.removeprefix("\ufeff")))
    assert row["Delivery ID"] == str(rows[kind].id)
    assert row["State"] == "Accepted"
    assert row["Reported"].endswith(("after 3 min", "after 3 min: no such mailbox"))
    assert row["Reported at (UTC)"] == "2026-11-23T09:03:00Z"


def test_the_page_of_the_mass_mail_has_both_as_numbers_and_in_the_chart(browser_client, told):
    broadcast, _rows = told
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert 'id="figure-bounced"' in page
    assert 'id="figure-complained"' in page
    assert "4 mails accepted, 1 of them came back, 1 complained about" in page
    assert "4 accepted, 1 of them came back, 1 complained about" in page


def test_a_mass_mail_of_which_nothing_was_reported_has_neither(browser_client, sqlite_session):
    broadcast = factories.broadcast(sqlite_session, state=BroadcastState.FINISHED, started_at=NOW, frozen_at=NOW)
    factories.delivery(sqlite_session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "figure-bounced" not in page
    assert "chip-bounced" not in page


def test_the_page_of_a_mail_lists_everything_that_was_reported(browser_client, sqlite_session, told):
    broadcast, rows = told
    bounced = rows[EventKind.BOUNCED]
    late = RelayEvent(
        EventKind.DELAYED, "mail", "d", NOW + timedelta(minutes=1), delivery_id=bounced.id, status="4.4.1"
    )
    record(sqlite_session, late, NOW + AFTER)
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/{bounced.id}").text
    first, second = page.index("Delayed on its way after 1 min"), page.index("Bounced after 3 min: no such mailbox")
    assert first < second
    assert "550 User unknown" in page


def test_the_page_of_a_client_says_what_came_back(browser_client, told):
    _broadcast, rows = told
    page = browser_client.get(f"/clients/{rows[EventKind.BOUNCED].client_id}").text
    assert "Bounced after 3 min: no such mailbox" in page
