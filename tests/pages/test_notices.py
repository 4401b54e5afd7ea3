"""The bell, the list of notices, and who hears of what."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.core.notices.news import begin, broadcast, look, paused
from tests.pages.page import read
from tests.visitors import sign_in
from tests.webhook_receiver import Receiver, status
from webapp.adapters import clock
from webapp.core.cadence import NEWS_UNSEEN
from webapp.core.notices import choices, lists, webhook
from webapp.core.notices.choices import NoticePreference
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.notices import Scope
from webapp.core.tables.notices import Notice, NoticeDispatch, NoticeWatch
from webapp.core.tables.users import User
from webapp.pages.notices import background

URL = "https://hooks.example.com/"


@pytest.fixture
def me(browser_client: FlaskClient, sqlite_session: Session) -> User:
    begin(sqlite_session)
    user = sqlite_session.scalars(select(User)).one()
    sqlite_session.commit()
    sqlite_session.refresh(user)
    sqlite_session.expunge(user)
    sqlite_session.rollback()
    return user


def news(session: Session, user: User, **columns) -> None:
    session.rollback()
    broadcast(session, BroadcastState.FINISHED, finished_at=clock.now(), created_by=user.id, **columns)
    look(session, clock.now())
    session.commit()


def ringing(session: Session, user: User) -> lists.Bell:
    session.rollback()
    return lists.bell(session, user.id)


def bells(page: str) -> list[str]:
    return [one["aria-label"] for one in read(page).all("*[starts-with(@aria-label, 'Notices')]")]


def test_the_bell_of_every_page_says_how_many_are_new(browser_client, sqlite_session, me):
    assert bells(browser_client.get("/mass-mail/").text)[:2] == ["Notices", "Notices"]
    news(sqlite_session, me, name="Autumn news")
    assert bells(browser_client.get("/clients/").text)[:2] == ["Notices, 1 new"] * 2


def test_the_bell_answers_only_when_it_has_something_else_to_show(browser_client, sqlite_session, me):
    assert browser_client.get("/notices/bell?new=0&newest=0").status_code == 204
    news(sqlite_session, me, name="Autumn <news>")
    answer = browser_client.get("/notices/bell?new=0&newest=0")
    assert bells(answer.text) == ["Notices, 1 new"] * 2
    assert "1 new notice. Finished: Autumn &lt;news&gt;" in answer.text
    newest = ringing(sqlite_session, me).newest_id
    assert browser_client.get(f"/notices/bell?new=1&newest={newest}").status_code == 204


def test_what_others_have_read_for_themselves_is_said_to_nobody(browser_client, sqlite_session, me):
    news(sqlite_session, me)
    newest = ringing(sqlite_session, me).newest_id
    browser_client.post("/notices/read", data={"up_to": newest})
    answer = browser_client.get(f"/notices/bell?new=1&newest={newest}")
    assert bells(answer.text) == ["Notices"] * 2 and "new notice" not in answer.text


def test_an_empty_list_says_what_it_is_for(browser_client, me):
    assert "No notices yet" in browser_client.get("/notices/").text


def test_the_list_links_to_the_mass_mail_and_is_marked_as_read(browser_client, sqlite_session, me):
    news(sqlite_session, me, name="Autumn news")
    page = browser_client.get("/notices/").text
    row = sqlite_session.scalars(select(Notice)).one()
    assert f'href="/mass-mail/{row.broadcast_id}/" dir="auto">Finished: Autumn news</a>' in page
    answer = browser_client.post("/notices/read", data={"up_to": read(page).value("up_to")}, follow_redirects=True)
    assert "1 notice marked as read." in answer.text and "Mark all as read" not in answer.text
    assert bells(answer.text)[0] == "Notices"


def test_one_is_marked_as_read_and_the_older_ones_stay_new(browser_client, sqlite_session, me):
    for _ in range(2):
        news(sqlite_session, me)
    newest = ringing(sqlite_session, me).newest_id
    browser_client.post("/notices/read", data={"only": newest})
    assert ringing(sqlite_session, me).new == 1


def test_nobody_reads_or_marks_what_is_somebody_elses(browser_client, sqlite_app: Flask, sqlite_session, me):
    bob = sign_in(sqlite_app, sqlite_session)
    news(sqlite_session, me, name="Autumn news")
    assert "Autumn news" not in bob.get("/notices/").text
    bob.post("/notices/read", data={"up_to": 9999})
    assert ringing(sqlite_session, me).new == 1


def test_a_long_list_goes_on_at_older_ones(browser_client, sqlite_session, me):
    for number in range(52):
        broadcast(sqlite_session, BroadcastState.FINISHED, finished_at=clock.now(), created_by=me.id, name=f"N{number}")
    look(sqlite_session, clock.now())
    sqlite_session.commit()
    page = browser_client.get("/notices/").text
    assert "Finished: N51<" in page and "Finished: N1<" not in page
    rest = browser_client.get(read(page).next).text
    assert "Finished: N1<" in rest and "Finished: N51<" not in rest


def test_where_nobody_looks_the_bell_has_it_done_and_otherwise_not(
    sqlite_app: Flask, sqlite_session, browser_client, me
):
    paused(sqlite_session, created_by=me.id, at=clock.now())
    sqlite_session.execute(update(NoticeWatch).values(looked_at=clock.now()))
    sqlite_session.commit()
    with sqlite_app.app_context():
        assert background.look_if_nobody_does(sqlite_app) is None, "a worker has looked a moment ago"
    sqlite_session.execute(update(NoticeWatch).values(looked_at=clock.now() - NEWS_UNSEEN))
    sqlite_session.commit()
    with sqlite_app.app_context():
        thread = background.look_if_nobody_does(sqlite_app)
        assert thread is not None
        thread.join()
    with sqlite_app.app_context():
        assert background.look_if_nobody_does(sqlite_app) is None
    assert bells(browser_client.get("/notices/").text)[0] == "Notices, 1 new"


def test_the_command_for_a_timer_looks_and_sends(sqlite_app: Flask, sqlite_session, me):
    paused(sqlite_session, created_by=me.id, at=clock.now())
    sqlite_session.commit()
    with Receiver() as receiver:
        webhook.set_up(sqlite_session, receiver.url, clock.now())
        sqlite_session.commit()
        answer = sqlite_app.test_cli_runner().invoke(args=["notices", "send"])
    assert answer.exit_code == 0 and len(receiver.calls) == 1, answer.output


# Settings


def test_who_hears_of_what_is_chosen(browser_client, sqlite_session, me):
    other, locked = factories.user(sqlite_session), factories.user(sqlite_session, is_active=False)
    sqlite_session.commit()
    page = browser_client.get("/settings/notices/").text
    assert f"scope-{other.id}" in page and f"scope-{locked.id}" not in page
    browser_client.post(
        "/settings/notices/who",
        data={f"scope-{me.id}": "all", f"mail-{me.id}": "1", f"scope-{other.id}": "own", "scope-999": "all"},
    )
    sqlite_session.rollback()
    chosen = {user.id: choice for user, choice in choices.listing(sqlite_session)}
    assert chosen == {me.id: NoticePreference(True, Scope.ALL), other.id: NoticePreference(False, Scope.OWN)}


def test_a_choice_that_is_none_changes_nothing(browser_client, sqlite_session, me):
    browser_client.post("/settings/notices/who", data={f"scope-{me.id}": "everything", f"mail-{me.id}": "1"})
    assert [choice for _user, choice in choices.listing(sqlite_session)] == [NoticePreference()]


def test_the_secret_is_shown_once_and_never_again(browser_client, sqlite_session, me):
    first = browser_client.post("/settings/notices/webhook", data={"url": URL}).text
    secret = webhook.get(sqlite_session).secret
    assert secret in first
    assert secret not in browser_client.get("/settings/notices/").text
    sqlite_session.rollback()
    second = browser_client.post("/settings/notices/webhook/secret").text
    assert secret not in second and "The one before it signs, too" in second
    sqlite_session.rollback()
    assert webhook.get(sqlite_session).secret in second
    assert webhook.get(sqlite_session).secret not in browser_client.get("/settings/notices/").text


def test_an_address_that_is_not_to_be_called_is_refused_and_kept_in_the_field(browser_client, sqlite_session, me):
    answer = browser_client.post("/settings/notices/webhook", data={"url": "ftp://hooks.example.com/"})
    assert answer.status_code == 422
    assert "begins with https:// or http://" in answer.text and 'value="ftp://hooks.example.com/"' in answer.text
    assert webhook.read(sqlite_session) is None


def test_an_address_is_changed_under_the_same_secret_and_removed(browser_client, sqlite_session, me):
    browser_client.post("/settings/notices/webhook", data={"url": URL})
    secret = webhook.get(sqlite_session).secret
    sqlite_session.rollback()
    answer = browser_client.post("/settings/notices/webhook", data={"url": URL + "other"}, follow_redirects=True)
    assert "signed by the same secret" in answer.text and secret not in answer.text
    browser_client.post("/settings/notices/webhook/remove")
    sqlite_session.rollback()
    assert webhook.read(sqlite_session) is None
    assert browser_client.post("/settings/notices/webhook/test").status_code == 404


@pytest.mark.parametrize(("code", "words"), [(204, "The test was taken."), (503, "The test was not taken.")])
def test_a_test_is_sent_and_its_answer_shown(browser_client, sqlite_session, me, code: int, words: str):
    with Receiver([status(code, b"" if code == 204 else b"closed <today>")]) as receiver:
        secret = webhook.set_up(sqlite_session, receiver.url, clock.now())
        sqlite_session.commit()
        answer = browser_client.post("/settings/notices/webhook/test").text
    assert words in answer and str(code) in answer and "<today>" not in answer
    assert receiver.calls[0].verified(secret)["type"] == "webhook.test"


def test_what_did_not_arrive_is_shown_with_its_answer_and_tried_again(browser_client, sqlite_session, me):
    news(sqlite_session, me)
    sqlite_session.execute(update(NoticeDispatch).values(state="given_up", answer="550 5.1.1 no such user", attempts=1))
    sqlite_session.commit()
    page = browser_client.get("/settings/notices/").text
    assert "Given up" in page and "550 5.1.1 no such user" in page and f"mail to {me.email}" in page
    row = sqlite_session.scalars(select(NoticeDispatch)).one()
    sqlite_session.rollback()
    for expected in (200, 409):
        answer = browser_client.post(f"/settings/notices/again/{row.id}", follow_redirects=True)
        assert answer.status_code == expected
