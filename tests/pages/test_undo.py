"""Create Broadcast, undo, Send now and the question before Edit, as the pages ask and answer; and what a second press of a button does."""

from datetime import timedelta

import pytest

from tests import factories
from tests.pages.broadcast_page import B, maker, now_in, part
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core.tables.broadcasts import Broadcast, FromAddress


@pytest.fixture
def make(sqlite_app, sqlite_session):
    sqlite_app.config |= {"UNDO": timedelta(seconds=30), "TYPE_NUMBER_ABOVE": 2}
    sqlite_session.add(FromAddress(name="Example Hosting", address="support@example.com"))
    for _ in range(3):
        factories.client(sqlite_session)
    return maker(sqlite_session)


@pytest.fixture
def later(make):
    """What makes a broadcast that is scheduled for a time to come."""
    at = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    wall = at.strftime("%Y-%m-%dT%H:%M")
    return lambda **columns: make(
        B.SCHEDULED, starts_at=at, start_wall=wall, time_zone="UTC", scheduled_at=now(), **columns
    )


def create(browser_client, draft, **fields):
    data = {"version": draft.version, "count": "3"} | fields
    return browser_client.post(f"/mass-mail/{draft.id}/review/", data=data)


@pytest.mark.parametrize("typed", ["", "2", "33", "three", "3e0"])
def test_above_the_set_number_nothing_leaves_before_it_is_typed(browser_client, sqlite_session, make, typed):
    draft = make()
    assert "Type 3 to say that you mean so many" in browser_client.get(f"/mass-mail/{draft.id}/review/").text
    answer = create(browser_client, draft, number=typed)
    assert answer.status_code == 422 and "Nothing was sent." in answer.text and "autofocus" in answer.text
    assert now_in(sqlite_session, draft).state is B.DRAFT
    create(browser_client, draft, number=" 3. ")
    assert now_in(sqlite_session, draft).state is B.SCHEDULED


def test_up_to_the_set_number_nothing_is_typed(browser_client, sqlite_app, sqlite_session, make):
    sqlite_app.config["TYPE_NUMBER_ABOVE"] = 3
    draft = make()
    assert "typed-number" not in browser_client.get(f"/mass-mail/{draft.id}/review/").text
    create(browser_client, draft)
    assert now_in(sqlite_session, draft).state is B.SCHEDULED


def test_what_was_created_can_be_undone_on_its_page_and_on_the_list(browser_client, sqlite_session, make):
    draft = make(name="News")
    create(browser_client, draft, number="3")
    page = browser_client.get(f"/mass-mail/{draft.id}/").text
    undo = f'action="/mass-mail/{draft.id}/undo"'
    assert undo in part(page, "progress") and "Nothing has left yet." in page
    assert 30 >= int(read(page).at("*[@data-left]")["data-left"]) > 20
    assert "action-edit" not in page and "action-send-now" not in page
    listed = browser_client.get("/mass-mail/").text
    assert undo in part(listed, f"row-progress-{draft.id}")
    version = now_in(sqlite_session, draft).version
    answers = [browser_client.post(f"/mass-mail/{draft.id}/undo", data={"version": version}) for _ in range(2)]
    assert {answer.location for answer in answers} == {f"/mass-mail/{draft.id}/review/"}
    assert now_in(sqlite_session, draft).state is B.DRAFT
    assert create(browser_client, draft, version=version, number="3").status_code == 409
    assert now_in(sqlite_session, draft).state is B.DRAFT


def test_when_the_time_is_over_the_button_goes_and_a_page_left_open_undoes_nothing(
    browser_client, sqlite_session, later
):
    broadcast = later(undo_until=now() - timedelta(seconds=1))
    assert "/undo" not in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert "/undo" not in browser_client.get("/mass-mail/").text
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/undo", data={"version": broadcast.version})
    assert answer.status_code == 409 and "time to undo is over" in answer.text
    assert now_in(sqlite_session, broadcast).state is B.SCHEDULED


def test_the_scheduled_page_shows_number_mail_and_time(browser_client, later):
    broadcast = later(subject="Hello {{ first_name }}")
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert ">3</span> recipients" in page and "by today's count" in page
    assert "Hello Ada" in part(page, "mail") and "<mail-preview" in page
    assert "in UTC (UTC)" in part(page, "progress")


def test_send_now_asks_for_the_number_and_can_be_undone(browser_client, sqlite_session, later):
    broadcast = later()
    url = f"/mass-mail/{broadcast.id}/send-now"
    assert 'id="action-send-now"' in browser_client.get(f"/mass-mail/{broadcast.id}/").text
    question = browser_client.get(url).text
    assert "3 mails" in question and "Type 3" in question
    version = broadcast.version
    assert browser_client.post(url, data={"version": version, "count": "3"}).status_code == 422
    assert browser_client.post(url, data={"version": version, "count": "7", "number": "7"}).status_code == 409
    assert now_in(sqlite_session, broadcast).start_confirmed_at is None
    data = {"version": version, "count": "3", "number": "3"}
    for _press in range(2):
        assert browser_client.post(url, data=data).location == f"/mass-mail/{broadcast.id}/"
    confirmed = now_in(sqlite_session, broadcast)
    assert confirmed.state is B.SCHEDULED and confirmed.undo_until > now()
    assert "@" in confirmed.started_by
    browser_client.post(f"/mass-mail/{broadcast.id}/undo", data={"version": version})
    undone = now_in(sqlite_session, broadcast)
    assert undone.state is B.DRAFT and undone.starts_at is not None and undone.start_confirmed_at is None


def test_edit_asks_before_it_stops_the_schedule(browser_client, sqlite_session, later):
    broadcast = later()
    url = f"/mass-mail/{broadcast.id}/edit"
    page = browser_client.get(f"/mass-mail/{broadcast.id}/").text
    assert 'data-dialog="edit-dialog"' in page and "Stop the schedule?" in browser_client.get(url).text
    assert now_in(sqlite_session, broadcast).state is B.SCHEDULED
    version = broadcast.version
    for _press in range(2):
        assert browser_client.post(url, data={"version": version}).location == f"/mass-mail/{broadcast.id}/review/"
    assert now_in(sqlite_session, broadcast).state is B.DRAFT


def test_a_question_left_open_does_not_stop_what_was_created_anew(browser_client, sqlite_session, later):
    broadcast = later()
    version = broadcast.version
    browser_client.post(f"/mass-mail/{broadcast.id}/edit", data={"version": version})
    create(browser_client, now_in(sqlite_session, broadcast), number="3")
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/edit", data={"version": version})
    assert answer.status_code == 409
    assert now_in(sqlite_session, broadcast).state is B.SCHEDULED


def test_who_made_it_and_who_created_the_broadcast_is_shown(browser_client, sqlite_session, make):
    draft = make()
    create(browser_client, draft, number="3")
    about = part(browser_client.get(f"/mass-mail/{draft.id}/").text, "about")
    assert "Broadcast created" in about and "by Uma Example" in about
    assert "@" in now_in(sqlite_session, draft).started_by


def press_of(page: str) -> dict[str, str]:
    return {"press": read(page).value("press")}


def test_what_makes_something_new_makes_it_once_a_press(browser_client, sqlite_session, make):
    source = make(B.FINISHED, name="News", subject="Hello")
    for path, fields in (
        (f"/mass-mail/{source.id}/", {}),
        ("/mass-mail/new", {"message_type": "general", "purpose": "important", "important_reason": "A new law"}),
    ):
        post = path if fields else f"{path}duplicate"
        data = fields | press_of(browser_client.get(path).text)
        first, second = (browser_client.post(post, data=data).location for _ in range(2))
        assert first == second and first.endswith("/audience/")
        again = browser_client.post(post, data=fields | press_of(browser_client.get(path).text)).location
        assert again != first, "another press, another draft"
    sqlite_session.rollback()
    names = sorted(name for (name,) in sqlite_session.query(Broadcast.name) if name)
    assert names == ["News", "News (copy 2)", "News (copy)"]


def test_a_review_says_who_got_the_same_and_leaves_them_out(browser_client, sqlite_session, make):
    from webapp.core import broadcasts, ledger  # as a worker does it

    source = make(subject="Same", html="<p>text</p>", name="First")
    broadcasts.schedule(sqlite_session, source.id, None, now())
    broadcasts.start(sqlite_session, source.id, now())
    ledger.freeze_chunk(sqlite_session, source.id, now())
    factories.client(sqlite_session)
    sqlite_session.commit()
    draft = make(subject="Same", html="<b>text</b>")
    url = f"/mass-mail/{draft.id}/review/"
    page = browser_client.get(url).text
    assert "3 of these 4 are about to get this text." in page and "First" in page
    data = {"version": draft.version, "source": str(source.id)}
    for _press in range(2):
        assert browser_client.post(f"{url}leave-out", data=data).location == url
    page = browser_client.get(url).text
    assert "Create Broadcast: send 1 mail" in page and "of these" not in page
    filter_page = browser_client.get(f"/mass-mail/{draft.id}/audience/").text
    assert "Left out: who got" in filter_page and "“First”" in filter_page
