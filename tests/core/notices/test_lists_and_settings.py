"""Notices in somebody's list, and the address of the webhook."""

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.core.notices.news import NOW, begin, broadcast, later, look, paused
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.notices import lists, webhook
from webapp.core.rules.lifecycle import BroadcastState


def test_the_bell_counts_what_is_new_to_this_user_and_names_the_last(sqlite_session: Session):
    begin(sqlite_session)
    uma, bob = factories.user(sqlite_session), factories.user(sqlite_session)
    assert lists.bell(sqlite_session, uma.id) == lists.Bell(0)
    paused(sqlite_session, created_by=uma.id)
    look(sqlite_session)
    broadcast(sqlite_session, BroadcastState.FINISHED, name="Autumn news", created_by=uma.id)
    look(sqlite_session)
    bell = lists.bell(sqlite_session, uma.id)
    assert (bell.new, bell.newest) == (2, "Finished: Autumn news")
    assert lists.bell(sqlite_session, bob.id).new == 0


def test_what_arrives_while_somebody_marks_all_as_read_stays_new(sqlite_session: Session):
    begin(sqlite_session)
    uma = factories.user(sqlite_session)
    paused(sqlite_session, created_by=uma.id)
    look(sqlite_session)
    seen = lists.listing(sqlite_session, uma.id)[0].id
    broadcast(sqlite_session, BroadcastState.FINISHED, created_by=uma.id)
    look(sqlite_session)
    assert lists.mark_read(sqlite_session, uma.id, later(minutes=1), up_to=seen) == 1
    assert lists.mark_read(sqlite_session, uma.id, later(minutes=1), up_to=seen) == 0
    assert [entry.is_new for entry in lists.listing(sqlite_session, uma.id)] == [True, False]


def test_a_list_goes_on_where_the_page_before_ended(sqlite_session: Session):
    begin(sqlite_session)
    uma = factories.user(sqlite_session)
    for _ in range(3):
        broadcast(sqlite_session, BroadcastState.FINISHED, created_by=uma.id)
    look(sqlite_session)
    first = lists.listing(sqlite_session, uma.id, most=2)
    rest = lists.listing(sqlite_session, uma.id, before=first[-1].id, most=2)
    assert [entry.id for entry in (*first, *rest)] == sorted((entry.id for entry in (*first, *rest)), reverse=True)
    assert len(rest) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://hooks.example.com/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("javascript:alert(1)", "begins with https"),
        ("hooks.example.com", "begins with https"),
        ("", "begins with https"),
        ("https://", "names no server"),
        ("https://hooks.example.com:99999/", "not a URL"),
        ("https://hooks.example.com:0/", "names no server"),
        ("https://[::1/", "not a URL"),
        ("https://me:secret@hooks.example.com/", "Leave out name and password"),
        ("https://häuser.example/", "xn--"),
        ("https://hooks.example.com/a b", "without blanks"),
        ("https://hooks.example.com/\nx-header: y", "not a URL|without blanks"),
        ("https://hooks.example.com/#part", "Leave out what stands behind #"),
        ("https://hooks.example.com/" + "a" * 2000, "at most 2,000"),
    ],
)
def test_a_url_that_is_not_to_be_called_is_refused_with_words(sqlite_session: Session, url: str, words: str):
    with pytest.raises(Invalid, match=words) as refused:
        webhook.set_up(sqlite_session, url, NOW)
    assert refused.value.field == "url"
    assert webhook.read(sqlite_session) is None


def test_a_webhook_is_set_up_once_moved_and_removed(sqlite_session: Session):
    secret = webhook.set_up(sqlite_session, " https://hooks.example.com/a?b=c ", NOW)
    assert secret.startswith("whsec_") and len(secret) == 50
    with pytest.raises(Conflict):
        webhook.set_up(sqlite_session, "https://other.example.com/", NOW)
    webhook.change_url(sqlite_session, "http://127.0.0.1:8080/hook")
    assert (webhook.get(sqlite_session).url, webhook.get(sqlite_session).secret) == (
        "http://127.0.0.1:8080/hook",
        secret,
    )
    webhook.remove(sqlite_session)
    sqlite_session.flush()
    with pytest.raises(NotFound):
        webhook.rotate(sqlite_session, NOW)
