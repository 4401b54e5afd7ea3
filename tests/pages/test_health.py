from pathlib import Path

from tests.databases import make_app


def test_it_answers_without_a_sign_in(app):
    answer = app.test_client().get("/health/")
    assert (answer.status_code, answer.json) == (200, {"database": "ok"})


def test_without_its_database_it_answers_503(tmp_path: Path):
    nobody_listens = make_app("postgresql+psycopg://nobody@127.0.0.1:1/nothing", tmp_path)
    assert nobody_listens.test_client().get("/health/").status_code == 503
