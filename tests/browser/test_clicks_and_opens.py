"""What is counted: chosen by two ticks, followed by a reader, and shown with what the numbers are worth, readable in every look."""

from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.consoles import Console
from tests.core import counted
from tests.core.consent.consent_world import token_of
from tests.looks import Looker
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.tables.mail_uses import LinkTarget


def test_clicks_and_opens_are_chosen_counted_and_shown(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker, tmp_path: Path
):
    broadcast, mails = counted.sent(sqlite_session, engine.engine_of(console.app), tmp_path)
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    console_page.goto(f"{console.url}/mass-mail/{draft.id}/purpose")
    console_page.get_by_label("Clicks").check()
    looker.look("counted", whole=True)
    mark = sqlite_session.scalar(select(LinkTarget.mark).order_by(LinkTarget.number))
    token, opened = (
        token_of(sqlite_session, mails[0].delivery_id, one) for one in (TokenPurpose.CLICK, TokenPurpose.OPEN)
    )
    sqlite_session.rollback()
    answer = console_page.request.get(f"{console.url}/go/{token}/{mark}", max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, "https://example.com/a")
    console_page.request.get(f"{console.url}/seen/{opened}.gif")
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    card = console_page.get_by_role("region", name="Clicks and opens")
    expect(card.get_by_role("row", name="https://example.com/a 1 0 1")).to_be_visible()
    looker.look("clicks-and-opens", whole=True)
