"""Two people on one draft: each sees who else is there, and a conflict names who saved."""

import pytest

from tests import factories
from tests.pages.page import read
from tests.visitors import sign_in
from webapp.core.rules.lifecycle import BroadcastState


@pytest.fixture
def draft(sqlite_session):
    row = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    return row


def test_two_people_see_each_other_by_name(sqlite_app, sqlite_session, draft):
    one, other = (sign_in(sqlite_app, sqlite_session) for _ in range(2))
    url = f"/mass-mail/{draft.id}/here"
    assert read(one.get(url)).text("#here") == ""
    assert "is here, too" in read(other.get(url)).text("#here")
    assert "is here, too" in read(one.get(f"/mass-mail/{draft.id}/content/")).text("#here")
    sqlite_session.rollback()
    draft.state = BroadcastState.SCHEDULED
    sqlite_session.commit()
    assert one.get(url).status_code == 286, "there is nothing to ask any more"
    assert one.get("/mass-mail/4711/here").status_code == 286


def test_what_changed_since_the_original_is_a_page_of_its_own(browser_client, sqlite_session, draft):
    copy = factories.broadcast(sqlite_session, subject="Other news", copied_from=draft.id)
    sqlite_session.commit()
    for step in ("review", "content"):
        assert f'href="/mass-mail/{copy.id}/review/changes"' in browser_client.get(f"/mass-mail/{copy.id}/{step}/").text
    page = read(browser_client.get(f"/mass-mail/{copy.id}/review/changes"))
    assert [part.words for part in page.all("ins")] == ["Other news"] and page.texts("del") == ["News"]
    sqlite_session.delete(draft)
    sqlite_session.commit()
    assert browser_client.get(f"/mass-mail/{copy.id}/review/changes").location == f"/mass-mail/{copy.id}/review/"


def test_the_mail_alone_can_be_seen_in_every_way_without_javascript(browser_client, sqlite_session, draft):
    first, second = factories.client(sqlite_session), factories.client(sqlite_session, first_name="")
    sqlite_session.commit()
    url = f"/mass-mail/{draft.id}/review/mail"
    page = read(browser_client.get(f"{url}?client={second.id}&dark=dark&images=off&view=phone"))
    frame = page.at("iframe")["src"]
    assert f"client={second.id}" in frame and "dark=dark" in frame and "images=off" in frame and "marks" not in frame
    assert page.previous == f"{url}?client={first.id}&dark=dark&images=off&view=phone"
    assert len(page.all("ul[@class='inbox']/li")) == 3
