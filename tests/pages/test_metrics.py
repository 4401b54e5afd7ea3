"""/metrics: for whoever has the token, about everything and nobody."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import engine, factories
from webapp.adapters import clock, database, wakeups
from webapp.core import relay
from webapp.core.sending import workers
from webapp.core.sending.workers import Identity
from webapp.extensions import db
from webapp.paths import VERSION

TOKEN = "a-token-of-24-characters"


def scrape(app: Flask, token: str | None = TOKEN, scheme: str = "Bearer", **headers: str) -> TestResponse:
    given = {"Authorization": f"{scheme} {token}"} if token is not None else {}
    return app.test_client().get("/metrics", headers=given | headers, buffered=True)


def numbers(app: Flask) -> dict[str, float]:
    """Each series as it is written, such as `massmail_deliveries{state="pending"}`."""
    answer = scrape(app)
    assert answer.status_code == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()) if name != "process")
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
def open_app(app: Flask) -> Flask:
    app.config["METRICS_TOKEN"] = TOKEN
    return app


@pytest.fixture
def open_sqlite_app(sqlite_app: Flask) -> Flask:
    sqlite_app.config["METRICS_TOKEN"] = TOKEN
    return sqlite_app


def test_there_is_nothing_unless_a_token_is_set(sqlite_app: Flask, browser_client: FlaskClient):
    assert scrape(sqlite_app).status_code == 404
    assert browser_client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("token", "scheme"),
    [(None, ""), ("", "Bearer"), (TOKEN[:-1], "Bearer"), (TOKEN + "x", "Bearer"), (TOKEN, "Basic"), ("ä", "Bearer")],
)
def test_a_wrong_token_opens_nothing(open_sqlite_app: Flask, token: str | None, scheme: str):
    answer = scrape(open_sqlite_app, token, scheme)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert "massmail_" not in answer.text


def test_a_sign_in_is_no_token(open_sqlite_app: Flask, browser_client: FlaskClient):
    assert browser_client.get("/metrics").status_code == 401


def test_it_tells_mails_broadcasts_senders_workers_and_relay(open_app: Flask, session: Session):
    broadcast = engine.sending_broadcast(session)
    factories.broadcast(session)
    relay.wait(
        session, open_app.config["RELAY"].key, "421 not now", clock.now(), waits_for=open_app.config["MISSED_START"]
    )
    seen_at = database.now(session)
    workers.seen(session, Identity("w", "here", 1, VERSION, ("massmail",)), workers.WAITS, seen_at)
    session.commit()
    engine.lease_for(session, broadcast, engine.Clocks(clock.now()))
    told = numbers(open_app)
    assert told['massmail_deliveries{state="pending"}'] == 3 and told['massmail_deliveries{state="uncertain"}'] == 0
    assert told['massmail_broadcasts{state="sending"}'] == 1 and told['massmail_broadcasts{state="draft"}'] == 1
    assert told["massmail_senders"] == 1 and told["massmail_lost_senders"] == 0
    assert told['massmail_workers{state="waiting"}'] == 1 and told["massmail_worker_seen_seconds"] < 60
    assert told['massmail_relay_state{state="waiting"}'] == 1 and told['massmail_relay_state{state="well"}'] == 0
    assert told["massmail_relay_waiting_seconds"] < 60 and told["massmail_pace_lag_seconds"] == 0
    assert told["massmail_database_up"] == 1 and told["massmail_held"] == 0


def test_it_tells_how_far_the_pace_is_behind(open_app: Flask, session: Session):
    engine.sending_broadcast(session)
    assert numbers(open_app)["massmail_pace_lag_seconds"] > 3600, "frozen long ago, and nothing has left"


def test_it_tells_the_build(open_app: Flask):
    (build,) = [name for name in numbers(open_app) if name.startswith("massmail_build_info")]
    kind = open_app.config["SQLALCHEMY_DATABASE_URI"].partition(":")[0].partition("+")[0]
    assert f'version="{VERSION}"' in build and f'database="{kind}"' in build


def test_it_tells_what_waits_in_redis(open_sqlite_app: Flask, redis_url: str):
    open_sqlite_app.config["REDIS_URL"] = redis_url
    with open_sqlite_app.app_context():
        wakeups.wake(1)
        wakeups.wake(2)
        wakeups.wake(3, at=clock.now().replace(year=2126))
    told = numbers(open_sqlite_app)
    waiting = {
        state: told[f'massmail_queue_jobs{{state="{state}"}}'] for state in ("waiting", "later", "running", "failed")
    }
    assert waiting == {"waiting": 2, "later": 1, "running": 0, "failed": 0} and told["massmail_redis_up"] == 1


def test_a_redis_that_is_away_is_told_and_hides_nothing_else(open_sqlite_app: Flask):
    open_sqlite_app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    told = numbers(open_sqlite_app)
    assert told["massmail_redis_up"] == 0 and 'massmail_deliveries{state="accepted"}' in told
    assert not any(name.startswith("massmail_queue_jobs") for name in told)


def test_a_database_that_cannot_be_used_is_told_and_hides_nothing_else(open_sqlite_app: Flask):
    with open_sqlite_app.app_context():
        db.session.execute(text("ALTER TABLE tally RENAME TO away"))
        db.session.commit()
    told = numbers(open_sqlite_app)
    assert told["massmail_database_up"] == 0 and not any(name.startswith("massmail_deliveries") for name in told)
    assert any(name.startswith("massmail_build_info") for name in told)


def test_request_times_are_by_endpoint_method_and_class_of_status(open_sqlite_app: Flask):
    client = open_sqlite_app.test_client()
    client.get("/sign-in", buffered=True)
    client.post("/sign-in", data={}, buffered=True)
    for odd in ("/Sentinel", "/Sentinel/2"):
        client.get(odd, buffered=True)
    client.open("/sign-in", method="SENTINEL", buffered=True)
    told = {name: value for name, value in numbers(open_sqlite_app).items() if "request_seconds_count" in name}
    assert told['massmail_http_request_seconds_count{endpoint="sign_in.form",method="GET",status="2xx"}'] == 1
    assert told['massmail_http_request_seconds_count{endpoint="sign_in.submit",method="POST",status="4xx"}'] == 1
    assert told['massmail_http_request_seconds_count{endpoint="-",method="GET",status="4xx"}'] == 2
    assert "entinel" not in scrape(open_sqlite_app).text.lower()


def test_a_series_of_requests_bears_its_process(open_sqlite_app: Flask):
    open_sqlite_app.test_client().get("/sign-in", buffered=True)
    lines = [
        line for line in scrape(open_sqlite_app).text.splitlines() if line.startswith("massmail_http_request_seconds")
    ]
    assert lines and all(re.search(r'process="\d+"', line) for line in lines)


def test_openmetrics_is_spoken_to_who_asks_for_it(open_sqlite_app: Flask):
    answer = scrape(open_sqlite_app, Accept="application/openmetrics-text; version=1.0.0")
    assert answer.content_type.startswith("application/openmetrics-text")
    assert {family.name for family in open_metrics(answer.text)} >= {"massmail_deliveries", "massmail_build"}


def test_labels_have_only_words_of_the_program(open_app: Flask, session: Session):
    """However many mass mails, workers and clients there are, there are as many series."""
    before = set(numbers(open_app))
    for number in range(5):
        engine.sending_broadcast(session)
        workers.seen(
            session, Identity(f"w{number}", f"host{number}", number, VERSION, ()), "waits", database.now(session)
        )
    session.commit()
    news = set(numbers(open_app)) - before - {"massmail_worker_seen_seconds"}
    assert not [name for name in news if not name.startswith("massmail_http_")]
    answer = scrape(open_app).text
    assert "host1" not in answer and "example" not in answer
