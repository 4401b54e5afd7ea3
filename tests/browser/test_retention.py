"""The page of retention: a question before something is removed, readable in every look."""

from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.core.broadcasts.test_forgetting import sent
from tests.looks import Looker
from webapp.adapters.clock import now
from webapp.core.rules.retention import Retention
from webapp.core.settings import retention


def test_a_shorter_time_is_asked_about(console: Console, console_page: Page, sqlite_session: Session, looker: Looker):
    sent(sqlite_session, now() - timedelta(days=40))
    console_page.goto(f"{console.url}/settings/retention/")
    looker.look("retention")
    console_page.get_by_label("What mails said, days").fill("30")
    console_page.get_by_role("button", name="Save").click()
    expect(console_page.get_by_role("alert")).to_contain_text("what 3 mails of 1 mass mail said")
    looker.complaints.clear()  # the browser tells of the answer 409
    looker.look("retention-question")
    console_page.get_by_role("button", name="Remove and save").dblclick()
    expect(console_page.get_by_text("removed within minutes")).to_be_visible()
    sqlite_session.rollback()
    assert retention.read(sqlite_session) == Retention(7, 30)
