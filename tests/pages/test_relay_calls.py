"""Calls of relays, and of those who are none: nothing is believed unproved, and nothing of a call is told."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.pages.relay_calling import NoAmazon, P, kept, mark, no_amazon, post, source
from tests.spoken import spoken
from webapp.adapters.clock import now
from webapp.core.consent import event_sources
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.reading import LARGEST_BODY
from webapp.core.rules.relay_events.samples import TOPIC, Sample, sample
from webapp.core.tables.event_sources import Became, ReceivedEvent
from webapp.core.tables.events import DeliveryEvent


@pytest.fixture
def app(sqlite_app: Flask) -> Flask:
    """Here the kind of database does not matter."""
    return sqlite_app


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> NoAmazon:
    return no_amazon(monkeypatch)


REFUSED = {P.SES: 403, P.MAILGUN: 403, P.POSTMARK: 401, P.SENDGRID: 403, P.BREVO: 401}


@pytest.mark.parametrize(("provider", "status"), REFUSED.items())
def test_a_forged_report_is_refused_and_the_page_says_why(
    session: Session, stranger: FlaskClient, amazon: NoAmazon, provider: Provider, status: int
):
    call, forged = sample(provider, now(), mark(session)), sample(provider, now(), "1.0")
    amazon.pem, given = call.certificate, source(session, provider, call)
    answer = post(stranger, provider, given, forged)
    assert answer.status_code == status and ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert kept(session) == [] and session.scalar(select(func.count()).select_from(DeliveryEvent)) == 0
    row = event_sources.get(session, given.source_id)
    assert (row.refusals, row.seen_at) == (1, None) and row.refused_why


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        (P.MAILGUN, "/events/mailgun/{other}"),
        (P.MAILGUN, "/events/brevo/{secret}"),
        (P.MAILGUN, "/events/nobody/{secret}"),
        (P.MAILGUN, "/events/mailgun/{secret}x"),
    ],
)
def test_another_address_is_none(session: Session, stranger: FlaskClient, provider: Provider, path: str):
    call = sample(provider, now(), mark(session))
    given = source(session, provider, call)
    answer = stranger.post(path.format(secret=given.secret, other="x" * 43), data=call.raw)
    assert answer.status_code == 404 and kept(session) == []
    assert event_sources.get(session, given.source_id).refusals == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_only_a_post_is_a_call(sqlite_session: Session, sqlite_app: Flask, method: str):
    given = source(sqlite_session, P.BREVO, sample(P.BREVO, now(), "1.0"))
    answer = sqlite_app.test_client().open(f"/events/brevo/{given.secret}", method=method)
    assert answer.status_code == 405


def test_a_source_that_is_switched_off_is_not_there(session: Session, stranger: FlaskClient):
    call = sample(P.BREVO, now(), mark(session))
    given = source(session, P.BREVO, call)
    event_sources.switch(session, given.source_id, on=False)
    session.commit()
    assert post(stranger, P.BREVO, given, call).status_code == 404


def test_a_stranger_who_has_the_address_and_a_cookie_is_nobody_either(session: Session, app: Flask):
    given = source(session, P.POSTMARK, sample(P.POSTMARK, now(), "1.0"))
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post(f"/events/postmark/{given.secret}", data="{}", content_type="text/plain")
    assert answer.status_code == 401, "no token of a form is asked for, but the password is"


def test_an_old_report_is_refused_for_good(session: Session, stranger: FlaskClient):
    call = sample(P.MAILGUN, now() - timedelta(hours=10), mark(session))
    given = source(session, P.MAILGUN, call)
    assert post(stranger, P.MAILGUN, given, call).status_code == 406
    assert kept(session) == []


def test_a_token_with_another_report_is_refused_for_good(session: Session, stranger: FlaskClient):
    call = sample(P.MAILGUN, now(), mark(session))
    given = source(session, P.MAILGUN, call)
    assert post(stranger, P.MAILGUN, given, call).status_code == 200
    forged = call._replace(raw=call.raw.replace(b'"permanent"', b'"temporary"'))
    assert post(stranger, P.MAILGUN, given, forged).status_code == 406
    assert kept(session) == [Became.RECORDED]


def test_what_nobody_heeds_is_kept_and_taken(session: Session, stranger: FlaskClient):
    call = sample(P.BREVO, now(), mark(session))
    given = source(session, P.BREVO, call)
    opened = call._replace(raw=call.raw.replace(b"hard_bounce", b"unique_opened"))
    assert post(stranger, P.BREVO, given, opened).status_code == 200
    assert kept(session) == [Became.IGNORED]
    (row,) = session.scalars(select(ReceivedEvent))
    assert row.raw == opened.raw and "unique_opened" in row.words


@pytest.mark.parametrize(
    "content_type", ["text/plain; charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_the_body_counts_and_not_what_it_is_called(session: Session, stranger: FlaskClient, content_type: str):
    call = sample(P.SENDGRID, now(), mark(session))
    given = source(session, P.SENDGRID, call)
    assert post(stranger, P.SENDGRID, given, call, content_type=content_type).status_code == 200


def test_ten_megabytes_are_not_read(session: Session, stranger: FlaskClient):
    given = source(session, P.BREVO, sample(P.BREVO, now(), "1.0"))
    big = Sample(b"[" + b" " * LARGEST_BODY + b"]", {}, "")
    answer = post(stranger, P.BREVO, given, big)
    assert (answer.status_code, answer.mimetype) == (413, "text/plain")


def test_neither_the_secret_nor_the_password_stands_in_the_log(session: Session, stranger: FlaskClient):
    call = sample(P.POSTMARK, now(), mark(session))
    given = source(session, P.POSTMARK, call)
    with spoken("debug") as heard:
        assert post(stranger, P.POSTMARK, given, call, buffered=True).status_code == 200
        assert post(stranger, P.POSTMARK, given, call._replace(headers={}), buffered=True).status_code == 401
    assert "/events/<provider>/<secret>" in heard.getvalue() and given.secret not in heard.getvalue()
    assert call.headers["Authorization"][6:] not in heard.getvalue()


def subscription(call: Sample, kind: str, **fields: str) -> Sample:
    url = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
    told = json.loads(call.raw) | {"Type": kind, "Token": "abc", "SubscribeURL": url} | fields
    return call._replace(raw=json.dumps(told).encode())


@pytest.fixture
def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that was changed after it was signed is believed. What is signed is looked at in the tests of the rules."""
    monkeypatch.setattr("webapp.core.rules.relay_events.sns._public_key", lambda *_: _Anybody())


class _Anybody:
    def verify(self, *_: object) -> None:
        pass


@pytest.mark.usefixtures("believed")
def test_amazons_subscription_is_confirmed_and_its_end_is_noted(
    session: Session, stranger: FlaskClient, amazon: NoAmazon
):
    call = sample(P.SES, now(), "1.0")
    amazon.pem, given = call.certificate, source(session, P.SES, call)
    assert post(stranger, P.SES, given, subscription(call, "SubscriptionConfirmation")).status_code == 200
    assert len(amazon.confirmed) == 1 and event_sources.get(session, given.source_id).confirmed_at
    assert post(stranger, P.SES, given, subscription(call, "UnsubscribeConfirmation")).status_code == 200
    session.rollback()
    assert len(amazon.confirmed) == 1 and event_sources.get(session, given.source_id).ended_at


@pytest.mark.usefixtures("believed")
@pytest.mark.parametrize("fields", [{"TopicArn": TOPIC + "2"}, {"SubscribeURL": "https://example.com/"}])
def test_nothing_else_is_confirmed(session: Session, stranger: FlaskClient, amazon: NoAmazon, fields: dict[str, str]):
    call = sample(P.SES, now(), "1.0")
    amazon.pem, given = call.certificate, source(session, P.SES, call)
    assert post(stranger, P.SES, given, subscription(call, "SubscriptionConfirmation", **fields)).status_code == 403
    assert amazon.confirmed == [] and event_sources.get(session, given.source_id).confirmed_at is None


def test_while_amazon_cannot_be_asked_it_is_to_come_again(session: Session, stranger: FlaskClient, amazon: NoAmazon):
    call = sample(P.SES, now(), mark(session))
    given = source(session, P.SES, call)
    assert post(stranger, P.SES, given, call).status_code == 503
    amazon.pem = call.certificate
    assert post(stranger, P.SES, given, call).status_code == 200
    assert kept(session) == [Became.RECORDED]
