def test_it_answers_without_a_sign_in(app):
    answer = app.test_client().get("/health/")
    assert (answer.status_code, answer.json) == (200, {"database": "ok"})
