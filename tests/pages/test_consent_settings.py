"""Settings, Consent: topics, how unknown choices count, what bounces, and addresses as hashes."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from webapp.adapters.clock import now
from webapp.core.consent import hashing, settings, suppressions, topics
from webapp.core.rules.consent import Purpose, SuppressionKind
from webapp.core.rules.final_refusals import RefusalRule

URL = "/settings/consent/"
FORM = {
    "unknown_is_in": "y",
    "business_name": " Example Hosting ",
    "colour": "#AA3300",
    "postal_address": "Example Street 1\r\n12345 Berlin",
    "no_such_mailbox": "2",
    "mailbox_disabled": "0",
    "domain_takes_no_mail": "1",
    "soft_bounces": "5",
    "soft_bounce_days": "30",
    "brake_bounced_percent": "1.5",
    "brake_complained_percent": "0.05",
}


def test_what_is_in_force_is_shown_and_changed(browser_client: FlaskClient, sqlite_session: Session):
    page = browser_client.get(URL).get_data(as_text=True)
    assert 'value="#2454a6"' in page and "No such mailbox" in page
    assert browser_client.post(URL, data=FORM).status_code == 303
    kept = settings.read(sqlite_session)
    assert (kept.unknown_is_in, kept.unknown_is_in_europe) == (True, False)
    assert (kept.business_name, kept.colour) == ("Example Hosting", "#aa3300")
    assert kept.postal_address == "Example Street 1\n12345 Berlin"
    assert (kept.soft_bounces, kept.soft_bounce_days) == (5, 30)
    assert (kept.brake_bounced_percent, kept.brake_complained_percent) == (1.5, 0.05)
    assert list(kept.rules.values()) == [RefusalRule.TWICE, RefusalRule.NEVER, RefusalRule.ONCE]
    page = browser_client.get(URL).get_data(as_text=True)
    assert "Example Street 1" in page and 'value="0.05"' in page and 'value="1.5"' in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("soft_bounces", "-1"),
        ("soft_bounce_days", "x"),
        ("brake_bounced_percent", "-1"),
        ("brake_complained_percent", "101"),
        ("brake_bounced_percent", "NaN"),
        ("postal_address", "x" * 401),
        ("no_such_mailbox", "7"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    browser_client: FlaskClient, sqlite_session: Session, name: str, value: str
):
    answer = browser_client.post(URL, data=FORM | {name: value})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert settings.read(sqlite_session).business_name == ""


def test_topics_are_added_renamed_retired_and_brought_back(browser_client: FlaskClient, sqlite_session: Session):
    data = {"name": "  Status   news ", "description": "When something is down."}
    assert browser_client.post(f"{URL}topics", data=data).status_code == 303
    topic = topics.topics(sqlite_session)[-1]
    assert (topic.name, topic.description) == ("Status news", "When something is down.")
    assert browser_client.post(f"{URL}topics", data={"name": "STATUS NEWS"}).status_code == 422
    assert browser_client.post(f"{URL}topics", data={"name": " "}).status_code == 422
    browser_client.post(f"{URL}topics/{topic.id}", data={"name": "Outages", "description": ""})
    sqlite_session.rollback()
    factories.broadcast(sqlite_session, purpose=Purpose.MARKETING, topic_id=topic.id)
    topics.opt_out(sqlite_session, "ada@example.com", topic.id, now())
    sqlite_session.commit()
    browser_client.post(f"{URL}topics/{topic.id}/retire")
    page = browser_client.get(URL).get_data(as_text=True)
    assert "Outages" in page and "1 mass mail, declined by 1" in page and "Bring back" in page
    sqlite_session.rollback()
    assert topic.id not in [one.id for one in topics.topics(sqlite_session)]
    assert topic.id in [one.id for one in topics.topics(sqlite_session, but_also=topic.id)]
    browser_client.post(f"{URL}topics/{topic.id}/bring-back")
    sqlite_session.rollback()
    assert topic.id in [one.id for one in topics.topics(sqlite_session)]
    assert browser_client.post(f"{URL}topics/999", data={"name": "x"}).status_code == 404


def test_the_last_topic_cannot_be_retired(browser_client: FlaskClient, sqlite_session: Session):
    *others, last = [topic.id for topic in topics.topics(sqlite_session)]
    for topic_id in others:
        browser_client.post(f"{URL}topics/{topic_id}/retire")
    assert browser_client.post(f"{URL}topics/{last}/retire").status_code == 409
    sqlite_session.rollback()
    assert [topic.id for topic in topics.topics(sqlite_session)] == [last]


def test_all_addresses_become_hashes_and_there_is_no_way_back(
    browser_client: FlaskClient, sqlite_session: Session, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hashing, "CHUNK", 2)
    for number in range(5):
        suppressions.suppress(sqlite_session, f"c{number}@example.com", SuppressionKind.BY_HAND, now())
    sqlite_session.commit()
    assert "5 suppressions turned" in browser_client.get(URL).get_data(as_text=True)
    answer = browser_client.post(f"{URL}hashes", follow_redirects=True)
    assert 'data-dialog="hash-addresses"' not in answer.get_data(as_text=True)
    sqlite_session.rollback()
    assert settings.read(sqlite_session).keep_hashed and hashing.left(sqlite_session) == 0
    assert suppressions.holding(sqlite_session, ["c3@example.com"])[0].is_hashed
    browser_client.post(URL, data=FORM)
    sqlite_session.rollback()
    assert settings.read(sqlite_session).keep_hashed
