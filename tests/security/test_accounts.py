"""Ways into somebody's account, and ways to keep somebody out of theirs."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.visitors import sign_in
from webapp.adapters.clock import now
from webapp.core import users
from webapp.core.errors import Conflict, DomainError, Invalid
from webapp.core.users import throttle

PASSWORD = "correct horse battery"
NEW = {"password": "a new good password", "again": "a new good password"}


@pytest.fixture
def ada(sqlite_session: Session):
    user = users.create(sqlite_session, "ada@example.org", PASSWORD, now(), name="Ada")
    sqlite_session.commit()
    return user


def enter(client: FlaskClient, password: str = PASSWORD, email: str = "ada@example.org", address: str = "203.0.113.9"):
    environ = {"REMOTE_ADDR": address}
    return client.post("/sign-in", data={"email": email, "password": password}, environ_overrides=environ).status_code


def is_in(client: FlaskClient) -> bool:
    return client.get("/account/").status_code == 200


def by_link(app: Flask, session: Session, user) -> FlaskClient:
    token = users.make_link(session, user.id, now())
    session.commit()
    client = app.test_client()
    client.post("/sign-in/link/", data={"token": token})
    return client


def test_the_right_of_a_link_is_used_once_whatever_cookie_comes_again(sqlite_app, sqlite_session, ada):
    client = by_link(sqlite_app, sqlite_session, ada)
    name = sqlite_app.config["SESSION_COOKIE_NAME"]
    old = client.get_cookie(name).value
    assert client.post("/account/password", data=NEW).status_code == 302
    thief = sqlite_app.test_client()
    thief.set_cookie(name, old)
    assert not is_in(thief), "the token of before the change is worth nothing"
    again = {"password": "yet another one", "again": "yet another one"}
    assert client.post("/account/password", data=again).status_code == 422, "now the present one is asked for"
    assert client.post("/account/password", data={**again, "current": NEW["password"]}).status_code == 302


def test_the_right_of_a_link_ends_after_minutes(sqlite_app, sqlite_session, ada):
    client = by_link(sqlite_app, sqlite_session, ada)
    with time_machine.travel(now() + users.SETS_PASSWORD_FOR + timedelta(seconds=1)):
        assert client.post("/account/password", data=NEW).status_code == 422
        assert "Present password" in client.get("/account/").text
    sqlite_session.expire_all()
    assert users.fitting_hash(sqlite_session, ada.email, PASSWORD)


@pytest.mark.parametrize("ending", ["password", "elsewhere", "lock", "newer"])
def test_a_link_ends_with_what_its_owner_does(sqlite_app, sqlite_session, ada, ending):
    client = sqlite_app.test_client()
    assert enter(client) == 302
    token = users.make_link(sqlite_session, ada.id, now())
    sqlite_session.commit()
    if ending == "password":
        client.post("/account/password", data={**NEW, "current": PASSWORD})
    elif ending == "elsewhere":
        client.post("/account/sign-out-elsewhere")
    elif ending == "lock":
        sign_in(sqlite_app, sqlite_session).post(f"/settings/users/{ada.id}/active/0")
        users.set_active(sqlite_session, ada.id, True)
    else:
        users.make_link(sqlite_session, ada.id, now())
    sqlite_session.commit()
    thief = sqlite_app.test_client()
    thief.post("/sign-in/link/", data={"token": token})
    assert not is_in(thief)


def test_a_user_cannot_become_another_by_a_link(sqlite_app, sqlite_session, ada):
    assert enter(sqlite_app.test_client()) == 302
    mallory = sign_in(sqlite_app, sqlite_session)
    answer = mallory.post(f"/settings/users/{ada.id}/link", follow_redirects=True)
    assert "/sign-in/link/#" not in answer.text
    assert "has signed in before" in answer.text and "users link ada@example.org" in answer.text
    assert f"/settings/users/{ada.id}/link" not in mallory.get("/settings/users").text


def test_the_owner_of_a_link_is_told_by_mail_and_the_link_is_not_in_it(sqlite_app, sqlite_session, ada, mail_server):
    sqlite_app.config |= {"RELAY": mail_server.relay, "MAIL_DEFAULT_SENDER": "console@example.org"}
    sqlite_app.extensions["mail"].suppress = False
    page = sign_in(sqlite_app, sqlite_session).post("/settings/users", data={"email": "new@example.org"}).text
    assert "new@example.org is told by mail" in page
    line = sqlite_app.test_cli_runner().invoke(args=["users", "link", "ada@example.org"])
    assert line.exit_code == 0
    links = re.findall(r"/sign-in/link/#([\w-]+)", page) + re.findall(r"/sign-in/link/#([\w-]+)", line.output)
    first, second = mail_server.mails
    assert (first.rcpt_to, second.rcpt_to) == (("new@example.org",), ("ada@example.org",))
    assert "by Uma Example" in first.message.get_content() and "command line" in second.message.get_content()
    assert len(links) == 2 and not any(token in mail.data.decode() for token in links for mail in (first, second))


def test_a_link_is_made_also_where_its_owner_cannot_be_told_which_is_said(sqlite_app, sqlite_session):
    page = sign_in(sqlite_app, sqlite_session).post("/settings/users", data={"email": "new@example.org"}).text
    assert "/sign-in/link/#" in page and "could not be told by mail" in page


def test_the_token_of_a_link_is_in_no_address_a_server_hears_of(sqlite_app, sqlite_session):
    page = sign_in(sqlite_app, sqlite_session).post("/settings/users", data={"email": "new@example.org"}).text
    (link,) = re.findall(r"http://[^\s<]*/sign-in/link/[^\s<]*", page)
    before, _, token = link.partition("#")
    assert len(token) >= 32 and before.endswith("/sign-in/link/")
    client = sqlite_app.test_client()
    assert client.get(f"/sign-in/link/{token}").status_code == 404
    assert client.post("/sign-in/link/", data={"token": link}).headers["Location"] == "/", (
        "the whole link may be pasted"
    )
    assert is_in(client)


def test_guessing_from_elsewhere_keeps_nobody_out_of_a_browser_or_network_they_use(sqlite_app, ada):
    known, at_home = sqlite_app.test_client(), sqlite_app.test_client()
    assert enter(known, address="203.0.113.9") == 302
    known.post("/sign-out")
    guesser = sqlite_app.test_client()
    codes = [enter(guesser, "a guess", address=f"198.51.100.{number}") for number in range(20)]
    assert codes[-1] == 429, "strangers share one count, wherever they come from"
    assert enter(guesser, address="198.51.100.77") == 429
    assert enter(known, address="192.0.2.1") == 302, "the browser is known, whatever its network"
    assert enter(at_home, address="203.0.113.200") == 302, "the network is known, whatever the browser"


def test_a_known_browser_guesses_no_more_than_others_and_only_at_its_own_account(sqlite_app, sqlite_session, ada):
    users.create(sqlite_session, "bob@example.org", PASSWORD, now())
    sqlite_session.commit()
    client = sqlite_app.test_client()
    assert enter(client) == 302
    client.post("/sign-out")
    assert [enter(client, "a guess") for _ in range(users.FAILURES_ALLOWED + 1)][-1] == 429
    assert enter(client) == 429
    name = f"known-{sqlite_app.config['SESSION_COOKIE_NAME']}"
    cookie = client.get_cookie(name, path="/sign-in")
    assert cookie.http_only and cookie.same_site == "Lax"
    codes = [enter(client, "a guess", "bob@example.org", "198.51.100.1") for _ in range(users.FAILURES_ALLOWED + 1)]
    assert codes[-1] == 429
    other = sqlite_app.test_client()
    other.set_cookie(name, "made.up", path="/sign-in")
    assert enter(other, "a guess", address="192.0.2.9") == 422


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.250", True),
        ("203.0.113.9", "203.0.114.9", False),
        ("2001:db8:0:1200::1", "2001:db8:0:12ff:1::2", True),
        ("2001:db8:0:1200::1", "2001:db8:0:1300::1", False),
        ("::ffff:203.0.113.9", "203.0.113.1", True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_network_is_what_a_provider_hands_out(one, other, same):
    assert (throttle.network(one) == throttle.network(other)) is same
    assert throttle.network("somewhere") == throttle.network(None) == ""


@pytest.mark.parametrize(
    "password", ["password123", "qwertyuiop", "Password1234!", "aaaaaaaaaa", "ada@example.org", "massmail2026"]
)
def test_common_passwords_are_refused_in_words(sqlite_app, sqlite_session, ada, password):
    client = by_link(sqlite_app, sqlite_session, ada)
    answer = client.post("/account/password", data={"password": password, "again": password})
    assert answer.status_code == 422 and "common or easy to guess" in answer.text


def test_a_password_of_any_length_is_judged_in_time_that_does_not_grow(sqlite_session):
    with pytest.raises(Invalid):
        users.create(sqlite_session, "long@example.org", "a" * 60_000, now())
    assert users.create(sqlite_session, "long@example.org", PASSWORD + "x" * 60_000, now())


def test_a_sign_in_ends_when_nobody_uses_it_and_an_open_page_is_no_use(sqlite_app, sqlite_session, ada):
    client = sqlite_app.test_client()
    start = now()
    with time_machine.travel(start) as clock:
        assert enter(client) == 302
        idle = sqlite_app.config["SESSION_IDLE"]
        clock.shift(idle - timedelta(minutes=1))
        assert is_in(client)
        clock.shift(idle - timedelta(minutes=1))
        assert client.get("/account/", headers={"HX-Request": "true"}).status_code == 200
        clock.shift(timedelta(minutes=2))
        assert not is_in(client)


def test_a_sign_in_ends_at_last_however_much_it_is_used(sqlite_app, ada):
    client = sqlite_app.test_client()
    with time_machine.travel(now()) as clock:
        assert enter(client) == 302
        for _ in range(int(sqlite_app.config["SESSION_LASTS"] / timedelta(hours=7)) - 1):
            clock.shift(timedelta(hours=7))
            assert is_in(client)
        clock.shift(timedelta(hours=7))
        assert not is_in(client)


def test_each_sign_in_is_shown_and_can_be_ended_by_its_owner_alone(sqlite_app, sqlite_session, ada):
    here, there = sqlite_app.test_client(), sqlite_app.test_client()
    there.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    enter(there, address="203.0.113.7")
    enter(here)
    page = here.get("/account/").text
    assert "Firefox on Linux" in page and "203.0.113.7" in page and "This browser" in page
    (end,) = re.findall(r"/account/sign-ins/\d+/end", page)
    mallory = sign_in(sqlite_app, sqlite_session)
    mallory.post(end)
    assert is_in(there)
    assert here.post(end).status_code == 302
    assert not is_in(there) and is_in(here)
    assert here.post(end).status_code == 302


def test_of_two_who_lock_each_other_one_stays(app: Flask, session: Session):
    ada, bob = factories.user(session), factories.user(session)
    ids = [ada.id, bob.id]
    session.commit()
    begin, refused = threading.Barrier(2), []

    def lock(by: int, other: int) -> None:
        from webapp.adapters.database import will_write
        from webapp.extensions import db

        with app.app_context():
            begin.wait()
            will_write(db.session)
            try:
                users.set_active(db.session, other, False, by=by)
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                refused.append(error)

    threads = [threading.Thread(target=lock, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.expire_all()
    assert sorted(user.is_active for user in users.listing(session)) == [False, True]
    assert [type(error) for error in refused] == [Conflict]


def test_unlock_lets_somebody_in_who_was_locked_and_has_tried_too_often(sqlite_app, sqlite_session, ada):
    client = sqlite_app.test_client()
    for _ in range(users.FAILURES_ALLOWED):
        enter(client, "a guess")
    users.set_active(sqlite_session, ada.id, False)
    sqlite_session.commit()
    answer = sqlite_app.test_cli_runner().invoke(args=["users", "unlock", "ada@example.org"])
    assert (answer.exit_code, answer.output) == (0, "ada@example.org can sign in again.\n")
    assert enter(client, address="198.51.100.2") == 302
    answer = sqlite_app.test_cli_runner().invoke(args=["users", "unlock", "eve@example.org"])
    assert answer.exit_code == 1 and "There is no user" in answer.output
