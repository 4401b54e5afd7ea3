"""Settings, Events from the relay: sources are added, tried, changed and removed."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.databases import make_app
from tests.visitors import sign_in
from webapp.adapters.clock import now
from webapp.core.consent import event_sources
from webapp.core.consent.event_sources import Given
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.samples import sample
from webapp.core.tables.deliveries import MinuteCount
from webapp.core.tables.event_sources import EventSource, ReceivedEvent
from webapp.core.tables.events import DeliveryEvent
from webapp.extensions import db

P = Provider
URL = "/settings/relay-events/"
KEYS = {P.SES: "arn:aws:sns:eu-central-1:123456789012:mails", P.MAILGUN: "0123456789abcdef"}


def added(session: Session, provider: Provider) -> Given:
    given = event_sources.add(session, provider, KEYS.get(provider, ""), now())
    session.commit()
    return given


def only(session: Session) -> EventSource:
    session.rollback()
    (source,) = event_sources.listing(session)
    return source


@pytest.mark.parametrize("provider", Provider)
def test_a_source_is_added_and_its_address_works(
    browser_client: FlaskClient, sqlite_session: Session, provider: Provider
):
    page = browser_client.get(f"{URL}add/{provider.value}")
    assert page.status_code == 200 and ('name="key"' in page.text) == (provider not in (P.POSTMARK, P.BREVO))
    answer = browser_client.post(f"{URL}add/{provider.value}", data={"key": KEYS.get(provider, "")})
    assert answer.status_code == 200 and "It is shown only now" in answer.text
    (secret,) = re.findall(rf'id="given-address">http[^<]*/events/{provider.value}/([\w-]{{43}})<', answer.text)
    assert event_sources.called(sqlite_session, provider, secret, now())
    assert ('id="given-password"' in answer.text) == (provider in (P.POSTMARK, P.BREVO))
    assert secret not in browser_client.get(f"{URL}{only(sqlite_session).id}/").text
    assert provider.label in browser_client.get(URL).text


def test_the_address_is_that_by_which_the_console_is_reached(tmp_path: Path, sqlite_url: str):
    app = make_app(sqlite_url, tmp_path, PUBLIC_URL="https://intra.example.com/mail")
    with app.app_context():
        session = Session(db.engine)
    client = sign_in(app, session)
    answer = client.post(f"/mail{URL}add/brevo")
    assert 'id="given-address">https://intra.example.com/mail/events/brevo/' in answer.text
    assert "calls by https only" not in answer.text
    session.close()


def test_a_console_without_https_says_that_no_relay_reaches_it(browser_client: FlaskClient, sqlite_session: Session):
    page = browser_client.get(f"{URL}{added(sqlite_session, P.BREVO).source_id}/").text
    assert "calls by https" in page and "MASSMAIL_URL" in page


def test_a_key_that_cannot_be_one_is_refused_at_its_field(browser_client: FlaskClient, sqlite_session: Session):
    answer = browser_client.post(f"{URL}add/ses", data={"key": "my topic"})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text and "my topic" in answer.text
    assert event_sources.listing(sqlite_session) == []
    assert browser_client.get(f"{URL}add/nobody").status_code == 404


def test_the_key_of_sendgrid_is_entered_when_it_is_known(browser_client: FlaskClient, sqlite_session: Session):
    given = added(sqlite_session, P.SENDGRID)
    page = f"{URL}{given.source_id}/"
    assert "No key yet" in browser_client.get(page).text
    assert browser_client.post(page + "key", data={"key": "MFkw"}).status_code == 422
    key = sample(P.SENDGRID, now(), "1.0").key
    assert browser_client.post(page + "key", data={"key": key}).status_code == 303
    assert only(sqlite_session).key == key and "No key yet" not in browser_client.get(page).text


@pytest.mark.parametrize("provider", Provider)
def test_a_sample_goes_the_way_of_a_call_and_leaves_nothing(
    browser_client: FlaskClient, sqlite_session: Session, provider: Provider
):
    given = added(sqlite_session, provider)
    if provider is P.SENDGRID:
        event_sources.change_key(sqlite_session, given.source_id, sample(provider, now(), "1.0").key)
        sqlite_session.commit()
    page = browser_client.post(f"{URL}{given.source_id}/try").text
    assert "The sample was taken" in page and "it was refused, as it must be" in page
    assert "nobody@example.com came back for good" in page and "of no mail of ours" in page
    sqlite_session.rollback()
    for table in (ReceivedEvent, DeliveryEvent):
        assert sqlite_session.scalar(select(table)) is None
    assert (only(sqlite_session).events, only(sqlite_session).seen_at) == (0, None)


def test_a_sample_shows_that_the_key_is_missing(browser_client: FlaskClient, sqlite_session: Session):
    given = added(sqlite_session, P.SENDGRID)
    assert "was not entered here yet" in browser_client.post(f"{URL}{given.source_id}/try").text


def test_a_new_address_is_shown_once_and_the_one_before_counts_for_a_day(
    browser_client: FlaskClient, sqlite_session: Session
):
    given = added(sqlite_session, P.POSTMARK)
    answer = browser_client.post(f"{URL}{given.source_id}/address").text
    assert "The address before it is answered for until" in answer and given.secret not in answer
    assert event_sources.called(sqlite_session, P.POSTMARK, given.secret, now())


def test_a_source_is_switched_off_and_on_and_removed(browser_client: FlaskClient, sqlite_session: Session):
    page = f"{URL}{added(sqlite_session, P.BREVO).source_id}/"
    browser_client.post(page + "switch", data={"on": "0"})
    assert not only(sqlite_session).is_on and "Switch on" in browser_client.get(page).text
    browser_client.post(page + "switch", data={"on": "1"})
    assert only(sqlite_session).is_on
    browser_client.post(page + "remove")
    assert browser_client.get(page).status_code == 404 and browser_client.get(URL).status_code == 200


def test_the_header_of_mails_is_added_and_left_out(browser_client: FlaskClient, sqlite_session: Session):
    page = f"{URL}{added(sqlite_session, P.MAILGUN).source_id}/"
    assert (
        "Mails do not bear it." in browser_client.get(page).text
        and "X-Mailgun-Variables" in browser_client.get(page).text
    )
    browser_client.post(page + "header", data={"on": "1"})
    assert only(sqlite_session).adds_header and "Mails bear it." in browser_client.get(page).text
    browser_client.post(page + "header", data={"on": "0"})
    assert not only(sqlite_session).adds_header


def test_silence_while_mails_went_out_is_said(browser_client: FlaskClient, sqlite_session: Session):
    given = event_sources.add(sqlite_session, P.BREVO, "", now() - timedelta(days=4))
    broadcast = factories.broadcast(sqlite_session)
    minute = (now() - timedelta(days=2)).replace(second=0, microsecond=0)
    sqlite_session.add(MinuteCount(broadcast_id=broadcast.id, sender_id=0, minute=minute, accepted=1234))
    sqlite_session.commit()
    for page in (URL, f"{URL}{given.source_id}/"):
        assert "although 1,234 mails went out meanwhile" in browser_client.get(page).text


def test_refusals_are_shown_until_a_call_is_believed(browser_client: FlaskClient, sqlite_session: Session):
    given = added(sqlite_session, P.MAILGUN)
    event_sources.was_refused(sqlite_session, given.source_id, "Its <signature> is odd.", now())
    sqlite_session.commit()
    page = browser_client.get(f"{URL}{given.source_id}/").text
    assert "The last call was refused" in page and "Its &lt;signature&gt; is odd." in page
    event_sources.was_subscribed(sqlite_session, given.source_id, now() + timedelta(seconds=1))
    sqlite_session.commit()
    assert "The last call was refused" not in browser_client.get(f"{URL}{given.source_id}/").text


def test_strangers_see_nothing_of_it(sqlite_app, sqlite_session: Session):
    given = added(sqlite_session, P.BREVO)
    client = sqlite_app.test_client()
    for path in ("", "try", "address", "remove", "switch", "key"):
        assert client.post(f"{URL}{given.source_id}/{path}").status_code in (302, 401, 405)
    assert only(sqlite_session).is_on
