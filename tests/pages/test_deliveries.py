"""The ledger of a mass mail, its export, and the mail of one recipient."""

import csv
import io
import json
import re
from email import message_from_bytes, policy

import pytest

from tests import factories
from tests.pages.page import Page, read
from webapp.adapters.clock import now
from webapp.core.broadcasts import delivery_list
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState, SkipReason
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt

D = DeliveryState
HTMX = {"HX-Request": "true"}


@pytest.fixture
def broadcast(sqlite_session) -> Broadcast:
    return factories.broadcast(
        sqlite_session,
        state=BroadcastState.SENDING,
        started_at=now(),
        frozen_at=now(),
        subject="Hello {{ first_name }}",
        html='<p>Dear {{ first_name }}</p><script>alert("x")</script>',
    )


@pytest.fixture
def deliver(sqlite_session, broadcast):
    """A row of the ledger with its relay's answer set afterwards, as the sender does it. Commits."""

    def delivered(state=D.ACCEPTED, to=None, **columns):
        row = factories.delivery(sqlite_session, broadcast, to, state=state)
        for name, value in columns.items():
            setattr(row, name, value)
        sqlite_session.commit()
        return row

    return delivered


def url(broadcast, rest=""):
    return f"/mass-mail/{broadcast.id}/deliveries/{rest}"


def test_every_row_has_state_reason_answer_attempts_and_time(browser_client, broadcast, deliver):
    deliver(D.FAILED, reason="no_such_mailbox", reply_code=550, reply_text="5.1.1 user unknown", attempts=2)
    page = browser_client.get(url(broadcast)).text
    for words in ("Failed: no such mailbox", "550 5.1.1 user unknown", "client", ">2<", "<time"):
        assert words in page, words


def test_chips_have_numbers_and_filter(browser_client, sqlite_session, broadcast, deliver):
    deliver(D.ACCEPTED, factories.client(sqlite_session, "fine@example.com"))
    deliver(D.FAILED, factories.client(sqlite_session, "lost@example.com"))
    page = browser_client.get(url(broadcast, "?group=failed")).text
    assert "lost@example.com" in page and "fine@example.com" not in page
    assert read(page).texts("a[@class='chip']") == ["All 2", "Accepted 1", "Failed 1"]


def test_the_fragment_equals_the_pages_part_and_the_one_on_the_broadcasts_page(browser_client, broadcast, deliver):
    deliver()
    page = browser_client.get(url(broadcast)).text
    alone = browser_client.get(url(broadcast), headers=HTMX).text
    assert alone.strip() in page
    here = {"HX-Current-URL": f"http://localhost/mass-mail/{broadcast.id}/"}
    alone = browser_client.get(url(broadcast), headers=HTMX | here).text
    assert alone.strip() in browser_client.get(f"/mass-mail/{broadcast.id}/").text


@pytest.mark.parametrize("page", ["", "deliveries/"])
def test_the_address_of_the_page_follows_what_is_looked_at_so_that_back_leads_there(
    browser_client, broadcast, deliver, page
):
    deliver(D.FAILED)
    here = f"/mass-mail/{broadcast.id}/{page}"
    asked = url(broadcast, "?group=failed&q=client")

    def answer(pressed: str):
        headers = {"HX-Current-URL": f"http://localhost{here}", "HX-Trigger": pressed}
        return browser_client.get(asked, headers=HTMX | headers).headers

    assert answer("chip-failed")["HX-Push-Url"] == f"{here}?group=failed&q=client"
    assert answer("ledger-search")["HX-Replace-Url"] == f"{here}?group=failed&q=client"
    for polling in ("", "ledger"):
        assert not {"HX-Push-Url", "HX-Replace-Url"} & set(answer(polling).keys())
    shown = browser_client.get(f"{here}?group=failed&q=nobody").text
    assert 'value="nobody"' in shown and "Nobody found" in shown


def test_rows_ask_again_only_while_the_broadcast_moves(browser_client, sqlite_session, broadcast, deliver):
    deliver()
    assert "every 5s" in browser_client.get(url(broadcast)).text
    broadcast.state = BroadcastState.PAUSED
    sqlite_session.commit()
    page = browser_client.get(url(broadcast)).text
    assert "every 5s" not in page and "broadcast-changed from:body" in page


def listed(page: Page) -> list[int]:
    """The ids of the deliveries on the page."""
    return [int(row["id"].removeprefix("delivery-")) for row in page.all("*[starts-with(@id, 'delivery-')]")]


def test_pages_lead_through_all_rows_and_back_by_plain_links(browser_client, broadcast, deliver, monkeypatch):
    monkeypatch.setattr(delivery_list, "DELIVERIES_A_PAGE", 2)
    rows = [deliver().id for _ in range(5)]
    seen, here = [], url(broadcast)
    for _ in range(3):
        page = read(browser_client.get(here))
        seen += listed(page)
        here = page.next or ""
    assert seen == rows and not here
    assert page.previous
    assert listed(read(browser_client.get(page.previous))) == rows[2:4]


def test_a_search_finds_by_name_and_says_when_nobody_is_found(browser_client, sqlite_session, broadcast, deliver):
    deliver(to=factories.client(sqlite_session, "ludwig@example.com", last_name="Beethoven"))
    deliver()
    page = read(browser_client.get(url(broadcast, "?q=beethoven")))
    assert "ludwig@example.com" in page and len(listed(page)) == 1
    nobody = browser_client.get(url(broadcast, "?q=zebra")).text
    assert "Nobody found" in nobody and f'<a class="button" href="{url(broadcast)}">Show all recipients</a>' in nobody


def test_the_export_has_every_row_of_the_filter_and_no_formulas(browser_client, sqlite_session, broadcast, deliver):
    evil = factories.client(sqlite_session, first_name='=HYPERLINK("http://evil")', last_name="", company="@SUM(A1)")
    deliver(D.FAILED, evil, reason="no_such_mailbox", reply_code=550, reply_text="-1+1\nunknown", attempts=1)
    deliver(D.ACCEPTED)
    answer = browser_client.get(url(broadcast, "export.csv?group=failed"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="mass-mail-{broadcast.id}-failed.csv"'
    assert answer.is_streamed and answer.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert row["Recipient"] == '\'=HYPERLINK("http://evil")' and row["Company"] == "'@SUM(A1)"
    assert row["The relay said"] == "550 -1+1 unknown"
    assert (row["State"], row["Reason"], row["Attempts"]) == ("Failed", "no such mailbox", "1"), "the page's words"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["At (UTC)"])
    assert len(browser_client.get(url(broadcast, "export.csv")).text.splitlines()) == 3


def test_the_export_follows_the_search(browser_client, sqlite_session, broadcast, deliver):
    deliver(to=factories.client(sqlite_session, "ludwig@example.com"))
    deliver()
    rows = browser_client.get(url(broadcast, "export.csv?q=ludwig")).text.splitlines()
    assert len(rows) == 2 and "ludwig@example.com" in rows[1]


def test_a_mail_that_left_is_shown_with_the_values_it_left_with(browser_client, sqlite_session, broadcast, deliver):
    client = factories.client(sqlite_session, first_name="Old")
    row = deliver(to=client, merge_values=json.dumps(["Old Name", "Old"]), stamped_at=factories.NOW)
    client.first_name = "New"
    sqlite_session.commit()
    page = browser_client.get(url(broadcast, f"{row.id}?as=text")).text
    assert "Dear Old" in page and "Not made yet" not in page
    mail = browser_client.get(url(broadcast, f"{row.id}/message.eml"))
    assert mail.mimetype == "message/rfc822" and "attachment" in mail.headers["Content-Disposition"]
    message = message_from_bytes(mail.data, policy=policy.default)
    assert message["Subject"] == "Hello Old" and message["To"].addresses[0].display_name == "Old Name"
    assert message["Date"].datetime == factories.NOW
    assert mail.data == browser_client.get(url(broadcast, f"{row.id}/message.eml")).data


def test_a_mail_that_waits_is_shown_as_it_would_be_and_says_so(browser_client, sqlite_session, broadcast, deliver):
    row = deliver(D.PENDING, factories.client(sqlite_session, first_name="Present"))
    page = browser_client.get(url(broadcast, f"{row.id}?as=text")).text
    assert "Dear Present" in page and "Not made yet." in page


def test_the_html_stands_in_a_sandbox_with_a_policy_of_its_own(browser_client, broadcast, deliver):
    row = deliver()
    sandbox = read(browser_client.get(url(broadcast, str(row.id)))).at("iframe")["sandbox"]
    assert "allow-scripts" not in sandbox and sandbox.startswith("allow-popups")
    inside = browser_client.get(url(broadcast, f"{row.id}/html"))
    rules = inside.headers["Content-Security-Policy"]
    assert "default-src 'none'" in rules and rules.startswith("sandbox") and "script-src" not in rules
    assert "Dear Ada" in inside.text and "<script" not in inside.text


def test_headers_and_source_are_there_in_full(browser_client, broadcast, deliver):
    row = deliver()
    page = browser_client.get(url(broadcast, f"{row.id}?as=source")).text
    assert "<dt>Message-ID</dt>" in page and "Message-ID: &lt;" in page and "Content-Transfer-Encoding:" in page


def test_attempts_stand_in_order_with_the_relays_words(browser_client, sqlite_session, broadcast, deliver):
    row = deliver(reply_code=250, reply_text="2.0.0 queued as 4XkQ", attempts=2)
    sqlite_session.add(
        Attempt(
            delivery_id=row.id,
            number=1,
            state=D.DEFERRED,
            reply_code=451,
            reply_text="4.2.1 busy",
            ended_at=factories.NOW,
        )
    )
    sqlite_session.commit()
    words = read(browser_client.get(url(broadcast, str(row.id)))).words
    assert "250 2.0.0 queued as 4XkQ" in words.partition("451 4.2.1 busy")[2]


def test_who_was_skipped_has_no_mail_but_a_reason(browser_client, broadcast, deliver):
    row = deliver(D.SKIPPED, reason=SkipReason.SAME_ADDRESS)
    page = browser_client.get(url(broadcast, str(row.id))).text
    assert "gets none: same address as another recipient." in page and "<iframe" not in page
    assert browser_client.get(url(broadcast, f"{row.id}/message.eml")).status_code == 404
    assert browser_client.get(url(broadcast, f"{row.id}/html")).status_code == 404


@pytest.mark.parametrize(
    ("state", "columns", "words"),
    [
        (D.CANCELLED, {}, "No mail was made: the mass mail was cancelled before its turn came."),
        (D.SUPPRESSED, {"reason": "suppressed"}, "No mail was made: its address was suppressed before its turn came."),
    ],
)
def test_a_row_that_was_never_taken_up_has_no_mail_and_no_download(
    browser_client, broadcast, deliver, state, columns, words
):
    row = deliver(state, **columns)
    page = browser_client.get(url(broadcast, str(row.id))).text
    assert words in page and "Not made yet" not in page and "message.eml" not in page and "<iframe" not in page
    for part in ("message.eml", "html"):
        answer = browser_client.get(url(broadcast, f"{row.id}/{part}"))
        assert answer.status_code == 404 and words in answer.text


def test_what_still_waits_in_a_cancelled_mass_mail_is_not_promised(browser_client, sqlite_session, broadcast, deliver):
    row = deliver(D.PENDING)
    broadcast.state = BroadcastState.CANCELLED
    sqlite_session.commit()
    page = browser_client.get(url(broadcast, str(row.id))).text
    assert "the mass mail was cancelled before its turn came" in page and "message.eml" not in page


def test_a_mail_that_was_made_stays_to_be_seen_when_it_is_cancelled(browser_client, broadcast, deliver):
    made = {"merge_values": json.dumps(["Ada Old", "Ada"]), "stamped_at": factories.NOW}
    tried, untried = deliver(D.CANCELLED, attempts=1, **made), deliver(D.CANCELLED, **made)
    page = browser_client.get(url(broadcast, str(tried.id))).text
    assert "message.eml" in page and "Never sent" not in page
    assert browser_client.get(url(broadcast, f"{tried.id}/message.eml")).status_code == 200
    assert "<b>Never sent.</b>" in browser_client.get(url(broadcast, str(untried.id))).text


def test_an_uncertain_mail_can_be_decided_about_on_its_own_page(browser_client, broadcast, deliver):
    row = deliver(D.UNCERTAIN)
    page = browser_client.get(url(broadcast, str(row.id))).text
    assert f'name="delivery_id" value="{row.id}"' in page and "Decide for 1 mail" in page


def test_a_row_of_another_broadcast_is_not_found(browser_client, sqlite_session, broadcast, deliver):
    row = deliver()
    other = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    for rest in (str(row.id), f"{row.id}/html", f"{row.id}/message.eml"):
        assert browser_client.get(url(other, rest)).status_code == 404
