"""The address that relays call, on both databases: what is taken is committed before it is answered."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.pages.relay_calling import NoAmazon, P, kept, mark, no_amazon, post, source
from webapp.adapters.clock import now
from webapp.core.consent import event_sources
from webapp.core.rules.relay_event import EventKind
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.samples import sample
from webapp.core.tables.event_sources import Became
from webapp.core.tables.events import DeliveryEvent
from webapp.extensions import db


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> NoAmazon:
    return no_amazon(monkeypatch)


@pytest.mark.parametrize("provider", Provider)
def test_a_report_is_recorded_with_its_mail_and_a_repeat_changes_nothing(
    session: Session, stranger: FlaskClient, amazon: NoAmazon, provider: Provider
):
    call = sample(provider, now(), mark(session))
    amazon.pem, given = call.certificate, source(session, provider, call)
    for _time in range(3):
        answer = post(stranger, provider, given, call)
        assert (answer.status_code, answer.text) == (200, "Taken.\n")
    assert "Set-Cookie" not in answer.headers
    assert kept(session) == [Became.RECORDED]
    (recorded,) = session.scalars(select(DeliveryEvent))
    assert (recorded.kind, recorded.source) == (EventKind.BOUNCED, provider.value) and recorded.delivery_id
    row = event_sources.get(session, given.source_id)
    assert (row.events, row.repeats, row.refusals) == (1, 2, 0) and row.seen_at


def test_eight_calls_at_once_are_all_answered_and_recorded_once(session: Session, app: Flask):
    call = sample(P.SENDGRID, now(), mark(session))
    given = source(session, P.SENDGRID, call)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(app.test_client(), P.SENDGRID, given, call).status_code, range(8)))
    assert answers == [200] * 8 and kept(session) == [Became.RECORDED]
    row = event_sources.get(session, given.source_id)
    assert (row.events, row.repeats) == (1, 7) and session.scalar(select(func.count()).select_from(DeliveryEvent)) == 1


def test_letters_that_no_database_keeps_do_not_hinder_a_report(session: Session, stranger: FlaskClient):
    call = sample(P.BREVO, now(), mark(session))
    given = source(session, P.BREVO, call)
    odd = call._replace(raw=call.raw.replace(b"No such mailbox", b"\\u0000\\ud800 gone"))
    assert post(stranger, P.BREVO, given, odd).status_code == 200
    assert kept(session) == [Became.RECORDED]


@pytest.fixture
def failing_commit(app: Flask) -> Iterator[list[str]]:
    """The database is lost with the commit; what was tried is listed."""
    tried: list[str] = []
    with app.app_context():
        engine = db.engine

    def lose(_connection: object) -> None:
        tried.append("commit")
        raise OperationalError("COMMIT", {}, Exception("gone"))

    sqlalchemy_event.listen(engine, "commit", lose)
    yield tried
    if sqlalchemy_event.contains(engine, "commit", lose):
        sqlalchemy_event.remove(engine, "commit", lose)


@pytest.mark.parametrize(("provider", "status"), [(P.MAILGUN, 503), (P.BREVO, 429)])
def test_without_a_commit_the_relay_is_told_to_come_again(
    session: Session, stranger: FlaskClient, provider: Provider, status: int, request: pytest.FixtureRequest
):
    call = sample(provider, now(), mark(session))
    given = source(session, provider, call)
    tried = request.getfixturevalue("failing_commit")
    answer = post(stranger, provider, given, call)
    assert (answer.status_code, answer.headers["Retry-After"], answer.mimetype) == (status, "60", "text/plain")
    assert tried and "Traceback" not in answer.text
    assert kept(session) == []
