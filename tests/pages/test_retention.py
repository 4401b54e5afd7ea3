"""Settings, Retention: a shorter time is asked about when it removes something at once."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import engine
from tests.core.broadcasts.test_forgetting import sent
from tests.pages.page import read
from tests.visitors import sign_in
from webapp.adapters.clock import now
from webapp.core.rules.retention import Retention
from webapp.core.settings import retention

URL = "/settings/retention/"


@pytest.fixture
def visitor(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    return sign_in(sqlite_app, sqlite_session)


def save(visitor: FlaskClient, uploads: str, values: str, agreed: str = ""):
    answer = visitor.post(URL, data={"uploads_days": uploads, "values_days": values, "agreed": agreed})
    return answer.status_code, answer.get_data(as_text=True)


def test_what_is_in_force_is_shown_and_changed(visitor: FlaskClient, sqlite_session: Session):
    assert 'value="7"' in (page := visitor.get(URL).get_data(as_text=True)) and 'value="90"' in page
    assert save(visitor, "3", "30")[0] == 302
    assert retention.read(sqlite_session) == Retention(3, 30)


@pytest.mark.parametrize("days", ["0", "-3", "x", "", "4000"])
def test_a_number_that_makes_no_sense_is_refused_at_its_field(visitor: FlaskClient, sqlite_session: Session, days: str):
    status, page = save(visitor, days, "30")
    assert status == 422 and 'aria-invalid="true"' in page and 'value="30"' in page
    assert retention.read(sqlite_session) == Retention()


def test_a_shorter_time_says_what_it_removes_and_asks(visitor: FlaskClient, sqlite_session: Session):
    broadcast = sent(sqlite_session, now() - timedelta(days=40))
    status, page = save(visitor, "7", "30")
    assert status == 409 and "what 3 mails of 1 mass mail said" in page
    assert retention.read(sqlite_session) == Retention()
    agreed = read(page).value("agreed")
    assert save(visitor, "7", "20", agreed)[0] == 409  # another time than the question was about
    assert save(visitor, "7", "30", agreed)[0] == 302
    sqlite_session.rollback()
    assert retention.read(sqlite_session) == Retention(7, 30)
    assert engine.states(sqlite_session, broadcast) == {"accepted": 2, "skipped": 1}
