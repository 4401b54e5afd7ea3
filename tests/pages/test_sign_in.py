import pytest

from tests.databases import make_app
from tests.factories import NOW
from tests.pages.test_writing import others_can_write
from webapp.adapters.clock import now
from webapp.core import users
from webapp.core.users import passwords

PASSWORD = "correct horse battery"
ONE_OF_SEVERAL = {"which": "refused", "provider": "brevo"}
OPEN_ROOMS = ("sign_in", "coming_back", "assets", "health", "metrics", "pictures", "static", "unsubscribe", "tracking")
OPEN_TO_PROGRAMS = {"relay_events.receive"}
"""These ask for another proof than a sign-in."""
PICTURE = "media.picture"
"""Mails show it to whoever has them: its name is its proof."""


@pytest.fixture
def stranger(sqlite_app, sqlite_session):
    users.create(sqlite_session, "ada@example.org", PASSWORD, NOW, name="Ada Example")
    sqlite_session.commit()
    return sqlite_app.test_client()


def enter(client, password=PASSWORD, query=""):
    return client.post(f"/sign-in{query}", data={"email": "ada@example.org", "password": password})


def test_every_page_but_the_open_ones_asks_to_sign_in(sqlite_app, stranger):
    asked = []
    for rule in sqlite_app.url_map.iter_rules():
        room = rule.endpoint.partition(".")[0]
        if room in OPEN_ROOMS or rule.endpoint == PICTURE or "GET" not in (rule.methods or ()):
            continue
        values = {name: ONE_OF_SEVERAL.get(name, 1) for name in rule.arguments}
        with sqlite_app.test_request_context():
            url = sqlite_app.url_for(rule.endpoint, **values)
        answer = stranger.get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith("/sign-in"), url
        asked.append(url)
    assert len(asked) > 10


def test_every_address_that_takes_a_form_asks_to_sign_in(sqlite_app, stranger):
    asked, open_to_programs = [], set()
    for rule in sqlite_app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in OPEN_ROOMS or "POST" not in (rule.methods or ()):
            continue
        if rule.endpoint in OPEN_TO_PROGRAMS:
            open_to_programs.add((rule.endpoint, *rule.methods))
            continue
        with sqlite_app.test_request_context():
            url = sqlite_app.url_for(rule.endpoint, **{name: ONE_OF_SEVERAL.get(name, 1) for name in rule.arguments})
        answer = stranger.post(url)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in"), url
        asked.append(url)
    assert len(asked) > 50
    assert open_to_programs == {("relay_events.receive", "POST")}


def test_a_post_by_a_stranger_is_not_carried_out(stranger, sqlite_session):
    stranger.post("/settings/users", data={"email": "eve@example.org"})
    assert [user.email for user in users.listing(sqlite_session)] == ["ada@example.org"]


def test_signing_in_leads_to_the_page_one_wanted(stranger):
    wanted = stranger.get("/settings/users").headers["Location"]
    answer = stranger.post(wanted, data={"email": "ada@example.org", "password": PASSWORD})
    assert answer.headers["Location"] == "/settings/users"
    assert "Ada Example" in stranger.get("/settings/users").text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(stranger, target):
    assert enter(stranger, query=f"?next={target}").headers["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_address(stranger):
    answer = enter(stranger, "wrong")
    assert answer.status_code == 422
    assert "E-mail or password is wrong." in answer.text
    assert "ada@example.org" in answer.text


def test_many_wrong_passwords_make_the_right_one_wait(stranger):
    for _ in range(users.FAILURES_ALLOWED):
        enter(stranger, "wrong")
    assert enter(stranger).status_code == 429


def test_who_has_an_account_cannot_try_others_without_end(stranger):
    for number in range(users.FAILURES_ALLOWED):
        assert enter(stranger).status_code == 302
        stranger.post("/sign-out")
        guess = {"email": f"other{number}@example.org", "password": "a guess"}
        assert stranger.post("/sign-in", data=guess).status_code == 422
    assert stranger.post("/sign-in", data={"email": "one@example.org", "password": "a guess"}).status_code == 429


def test_behind_a_trusted_proxy_the_failures_of_one_address_are_not_those_of_another(sqlite_url, stranger, tmp_path):
    client = make_app(sqlite_url, tmp_path, TRUSTED_PROXIES=1).test_client()

    def come_from(address, email, password):
        told = {"X-Forwarded-For": address}
        return client.post("/sign-in", data={"email": email, "password": password}, headers=told).status_code

    for number in range(users.FAILURES_ALLOWED):
        assert come_from("203.0.113.9", f"other{number}@example.org", "a guess") == 422
    assert come_from("203.0.113.9", "ada@example.org", PASSWORD) == 429
    assert come_from("203.0.113.10", "ada@example.org", PASSWORD) == 302


def test_a_link_is_spent_by_pressing_its_button_not_by_looking(stranger, sqlite_session):
    token = users.make_link(sqlite_session, users.by_email(sqlite_session, "ada@example.org").id, now())
    sqlite_session.commit()
    assert stranger.get("/sign-in/link/").status_code == 200
    assert stranger.post("/sign-in/link/", data={"token": token}).headers["Location"] == "/"
    assert stranger.get("/settings/users").status_code == 200
    stranger.post("/sign-out")
    stranger.post("/sign-in/link/", data={"token": token})
    assert stranger.get("/settings/users").status_code == 302


def test_signing_out_ends_the_sign_in_on_the_server(stranger):
    enter(stranger)
    name = stranger.application.config["SESSION_COOKIE_NAME"]
    cookie = stranger.get_cookie(name).value
    stranger.post("/sign-out")
    stranger.set_cookie(name, cookie)
    assert stranger.get("/settings/users").status_code == 302


def test_others_write_while_a_password_is_checked(stranger, sqlite_session, monkeypatch):
    engine, check, free = sqlite_session.get_bind(), passwords.check_password_hash, []

    def checked(*args):
        free.append(others_can_write(engine))
        return check(*args)

    monkeypatch.setattr(passwords, "check_password_hash", checked)
    assert enter(stranger, "wrong").status_code == 422
    assert enter(stranger).status_code == 302
    assert free == [True, True]


def test_whoever_tries_many_passwords_at_once_learns_of_no_more_than_one_after_the_other(
    stranger, sqlite_session, monkeypatch
):
    check = passwords.check_password_hash

    def checked(*args):
        keys = ["email:ada@example.org" for _ in range(users.FAILURES_ALLOWED)]
        users.authenticate(sqlite_session, "ada@example.org", None, keys, now())
        sqlite_session.commit()
        return check(*args)

    monkeypatch.setattr(passwords, "check_password_hash", checked)
    assert enter(stranger).status_code == 429
