"""Health: what lives, what is ready, and nothing that tells a stranger where things are."""

from pathlib import Path

import pytest
from flask import Flask

from tests.adapters.test_schema import stamp
from tests.databases import make_app
from tests.engine import engine_of
from tests.factories import NOW
from webapp.adapters import schema
from webapp.core.settings import installation

SECRET = "s3cret"


@pytest.mark.parametrize("url", ["/health/", "/health/ready"])
def test_it_is_ready_when_database_tables_and_redis_answer(app: Flask, redis_url: str, url: str):
    app.config["REDIS_URL"] = redis_url
    answer = app.test_client().get(url)
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in ("database", "schema", "redis")} == dict.fromkeys(
        ("database", "schema", "redis"), "ok"
    )
    assert answer.json["workers"] == (
        "No worker has ever been seen: nothing is sent. Start RQ_CONFIG=jobs.worker rq worker"
    )


def test_without_redis_it_is_not_ready(sqlite_app: Flask):
    sqlite_app.config["REDIS_URL"] = f"redis://someone:{SECRET}@127.0.0.1:1/0"
    answer = sqlite_app.test_client().get("/health/ready")
    assert (answer.status_code, answer.json["redis"], answer.json["database"]) == (503, "does not answer", "ok")
    assert SECRET not in answer.text and "127.0.0.1" not in answer.text


def test_with_other_tables_it_is_not_ready(app: Flask, redis_url: str):
    app.config["REDIS_URL"] = redis_url
    stamp(engine_of(app), "9999")
    answer = app.test_client().get("/health/ready")
    assert (answer.status_code, answer.json["schema"]) == (503, schema.OLD_PROGRAM)


def test_without_its_database_it_lives_and_is_not_ready(tmp_path: Path):
    nobody_listens = make_app(f"postgresql+psycopg://nobody:{SECRET}@127.0.0.1:1/nothing", tmp_path).test_client()
    answer = nobody_listens.get("/health/ready")
    assert (answer.status_code, answer.json["database"]) == (503, "does not answer")
    assert SECRET not in answer.text and "nobody" not in answer.text
    assert nobody_listens.get("/health/").status_code == 503
    answer = nobody_listens.get("/health/live")
    assert (answer.status_code, answer.json) == (200, {"process": "ok"})


def test_it_says_that_everything_is_held(sqlite_app: Flask, sqlite_session, redis_url: str):
    sqlite_app.config["REDIS_URL"] = redis_url
    installation.hold(sqlite_session, "Uma", "", NOW)
    sqlite_session.commit()
    assert sqlite_app.test_client().get("/health/").json["held"] == "by_hand"
