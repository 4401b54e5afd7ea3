from pathlib import Path

from tests.databases import make_app
from tests.factories import NOW
from webapp.core import installation


def test_it_answers_without_a_sign_in(app):
    answer = app.test_client().get("/health/")
    assert (answer.status_code, answer.json) == (200, {"database": "ok"})


def test_without_its_database_it_answers_503(tmp_path: Path):
    nobody_listens = make_app("postgresql+psycopg://nobody@127.0.0.1:1/nothing", tmp_path)
    assert nobody_listens.test_client().get("/health/").status_code == 503


def test_it_says_that_everything_is_held(sqlite_app, sqlite_session):
    installation.hold(sqlite_session, "Uma", "", NOW)
    sqlite_session.commit()
    assert sqlite_app.test_client().get("/health/").json == {"database": "ok", "held": "by_hand"}
