"""A test send is no way to mail whom one likes, as whom one likes, unseen."""

import threading
from datetime import timedelta

import pytest
import time_machine

from tests import factories
from tests.visitors import sign_in
from webapp.adapters import clock
from webapp.adapters.clock import now
from webapp.core import users
from webapp.core.content import trial_sends
from webapp.core.errors import Invalid
from webapp.core.ledger import ceiling, lines
from webapp.core.ports import Mail
from webapp.core.rules.limits import Limits
from webapp.core.rules.pacing import Opening
from webapp.core.rules.receivers import MINUTE_S, ReceiverLimit
from webapp.core.settings import from_addresses, limits, receivers

HTMX = {"HX-Request": "true"}
LISTED, FOREIGN = "Example Hosting <support@example.com>", "Your Bank <security@bank.example>"


@pytest.fixture
def draft(sqlite_session):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session)
    row = factories.broadcast(sqlite_session, subject="News", html="<p>Hello</p>", from_address=LISTED)
    sqlite_session.commit()
    return row


@pytest.fixture
def visitor(sqlite_app, sqlite_session, mail_server):
    sqlite_app.config["RELAY"] = mail_server.relay
    return sign_in(sqlite_app, sqlite_session)


def send(visitor, draft, to="me@example.org"):
    return visitor.post(f"/mass-mail/{draft.id}/content/test", data={"to": to}, headers=HTMX)


def test_only_senders_of_the_list_send_tests_or_mass_mails(visitor, draft, sqlite_session, mail_server):
    draft.from_address = FOREIGN
    sqlite_session.commit()
    answer = send(visitor, draft)
    assert answer.status_code == 422 and "is not in the list of senders" in answer.text
    page = visitor.get(f"/mass-mail/{draft.id}/review/").text
    assert "Your Bank &lt;security@bank.example&gt; is not in the list of senders" in page
    answer = visitor.post(f"/mass-mail/{draft.id}/review/", data={"version": draft.version, "count": "1"})
    sqlite_session.rollback()
    assert draft.state == "draft"
    assert mail_server.mails == [] and trial_sends.listing(sqlite_session) == []


def test_a_name_that_the_list_does_not_have_is_no_sender_of_the_list(visitor, draft, sqlite_session):
    draft.from_address = "Your Bank <support@example.com>"
    sqlite_session.commit()
    assert send(visitor, draft).status_code == 422


def test_each_test_leaves_a_record_that_outlives_its_draft(visitor, draft, sqlite_session, mail_server):
    assert send(visitor, draft, "me@example.org, you@example.org").status_code == 200
    (user,) = users.listing(sqlite_session)
    page = visitor.get(f"/mass-mail/{draft.id}/content/").text
    assert "2 test mails sent" in page and user.email in page and "you@example.org" in page
    assert "you@example.org" in visitor.get(f"/mass-mail/{draft.id}/content/tests").text
    visitor.post(f"/mass-mail/{draft.id}/delete", data={"version": draft.version})
    sqlite_session.rollback()
    kept = trial_sends.listing(sqlite_session)
    assert {(row.user_email, row.address, row.sender, row.is_accepted) for row in kept} == {
        (user.email, address, LISTED, True) for address in ("me@example.org", "you@example.org")
    }
    assert "you@example.org" in visitor.get("/settings/test-sends").text


def test_no_more_leave_in_an_hour_than_are_set(visitor, draft, sqlite_app, mail_server):
    sqlite_app.config["TESTS_PER_HOUR"] = 3
    with time_machine.travel(now(), tick=False) as time:
        assert send(visitor, draft, "a@example.org, b@example.org").status_code == 200
        answer = send(visitor, draft, "c@example.org, d@example.org")
        assert answer.status_code == 422 and "At most 3 tests leave in an hour, and 2 have" in answer.text
        assert send(visitor, draft, "c@example.org").status_code == 200
        time.shift(timedelta(minutes=59))
        assert "free in 1 minute." in send(visitor, draft, "d@example.org").text
        time.shift(timedelta(minutes=2))
        assert send(visitor, draft, "d@example.org").status_code == 200
    assert [mail.rcpt_to[0][0] for mail in mail_server.mails] == ["a", "b", "c", "d"]


@pytest.fixture
def batch(session):
    from_addresses.add(session, "Example Hosting", "support@example.com")
    user = factories.user(session)
    broadcast = factories.broadcast(session, from_address=LISTED)
    tester = trial_sends.Tester(user.id, user.email)
    kind, broadcast_id = type(broadcast), broadcast.id
    session.commit()

    def begin(count: int, per_hour: int = 20, on=session) -> list[int]:
        mails = [Mail(0, "support@example.com", f"{number}@example.org", b"x") for number in range(count)]
        return trial_sends.begin(on, on.get(kind, broadcast_id), mails, tester, per_hour, clock.reading())

    return begin


def test_tests_count_against_the_limits_of_the_site_and_these_against_tests(session, batch):
    above = Limits(per_day=5)
    limits.save(session, above)
    assert len(batch(3)) == 3
    (opened,) = ceiling.openings(session, above, clock.reading())
    assert sum(one.count for one in opened) == 2, "a mass mail has what the tests left"
    with pytest.raises(Invalid, match="hold for tests, too: now it takes 2"):
        batch(3)
    assert len(batch(2)) == 2
    with pytest.raises(Invalid, match="now it takes none"):
        batch(1)


def test_tests_count_in_the_second_they_leave(session, batch):
    above = Limits(per_second=2)
    limits.save(session, above)
    with time_machine.travel(now(), tick=False):
        batch(2)
        (opened,) = ceiling.openings(session, above, clock.reading())
        assert not any(one.delay <= 0 for one in opened)
        with pytest.raises(Invalid, match="now it takes none"):
            batch(1)


def test_tests_take_places_of_the_limit_of_their_domain(session, batch):
    limit = receivers.add(session, ReceiverLimit(("example.org",), 3, MINUTE_S))
    elsewhere = receivers.add(session, ReceiverLimit(("gmail.com",), 3))
    with time_machine.travel(now(), tick=False):
        batch(2)
        assert lines.openings(session, limit, clock.reading())[0] == Opening(0.0, 1)
        batch(3)
        assert all(one.delay > 0 for one in lines.openings(session, limit, clock.reading()))
        assert lines.openings(session, elsewhere, clock.reading()) == [Opening(0.0, 3)]


def test_two_who_test_at_once_do_not_pass_the_limit_together(app, session, batch):
    from webapp.adapters.database import will_write
    from webapp.extensions import db

    start, done = threading.Barrier(2), []

    def test() -> None:
        with app.app_context():
            start.wait()
            will_write(db.session)
            try:
                done.append(len(batch(2, 3, db.session)))
                db.session.commit()
            except Invalid:
                db.session.rollback()

    threads = [threading.Thread(target=test) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [2]


def test_what_became_of_a_test_is_unknown_until_the_relay_has_answered(session, batch):
    ids = batch(2)
    assert {row.is_accepted for row in trial_sends.listing(session)} == {None}
    results = [
        trial_sends.Result("0@example.org", True, "accepted", "250 ok"),
        trial_sends.Result("1", False, "no", ""),
    ]
    trial_sends.settle(session, ids, results)
    session.expire_all()
    assert [(row.is_accepted, row.answer) for row in trial_sends.listing(session)] == [
        (False, "no"),
        (True, "accepted: 250 ok"),
    ]
