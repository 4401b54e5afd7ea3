"""What goes from a message, or cannot work in it, is said on the compose page and on the review, and keeps nobody from sending."""

import re

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from webapp.core.content.fields import LABELS
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

HTML = '<p>Dear *|FNAME|*,</p>\n<p><a href="/help">Help</a> <img src="http://example.com/a.png" alt="Logo"></p>'


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session)
    row = factories.broadcast(sqlite_session, subject="News", html=HTML)
    sqlite_session.commit()
    return row


def test_a_field_has_one_name_on_both_pages(browser_client, draft, sqlite_session):
    draft.content.text = "{{ nonsense }}"
    sqlite_session.commit()
    compose = browser_client.get(f"/mass-mail/{draft.id}/content/").text
    review = browser_client.get(f"/mass-mail/{draft.id}/review/").text
    for field, label in LABELS.items():
        pattern = rf">{label}[<,]" if field != "text" else f"<b>{label}</b>"
        assert re.search(pattern, compose), label
    for label in (LABELS["from_address"], LABELS["reply_to"], LABELS["subject"]):
        assert f"<dt>{label}</dt>" in review, label
    for page in (compose, review):
        assert re.search(rf"{LABELS['text']}:(</span>)? There is no tag nonsense", page)
        assert f"{LABELS['html']}, line 2:" in page


@pytest.mark.parametrize("step", ["content", "review"])
def test_each_is_named_with_its_place(browser_client, draft, step):
    page = browser_client.get(f"/mass-mail/{draft.id}/{step}/").text
    for words in (
        "*|FNAME|* is a tag of another system",
        "The link “/help” has no https:// and no domain",
        "The picture “http://example.com/a.png” has http://",
    ):
        assert words in page, words
    assert page.count(", line 2") >= 2


def test_it_keeps_nobody_from_sending(browser_client, draft):
    page = browser_client.get(f"/mass-mail/{draft.id}/review/").text
    assert read(page).at("#create-broadcast").get("disabled") is None


def test_the_tag_that_was_meant_can_be_taken(browser_client, draft, sqlite_session):
    page = read(browser_client.get(f"/mass-mail/{draft.id}/content/"))
    [where] = page.values("mend")
    fields = {"subject": "News", "html": HTML, "from_address": "Example Hosting <support@example.com>", "reply_to": ""}
    answer = browser_client.post(
        f"/mass-mail/{draft.id}/content/", data=fields | {"base": page.value("base"), "mend": where}
    )
    assert answer.status_code == 200
    sqlite_session.rollback()
    sqlite_session.refresh(draft.content)
    assert "Dear {{ first_name }}," in draft.content.html
