"""The questions after a mass mail in a real browser, answered with the keyboard alone."""

from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.looks import Looker
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast


def failed(session: Session) -> Broadcast:
    """A finished broadcast of which three failed, two of them because nobody is there."""
    at = now()
    state = BroadcastState.FINISHED
    made = factories.broadcast(
        session, state=state, name="Price change", started_at=at, frozen_at=at, finished_at=at, frozen_count=5
    )
    for reason in ("no_such_mailbox", "no_such_mailbox", "gave_up"):
        row = factories.delivery(session, made, state=DeliveryState.FAILED, attempts=1)
        row.reason, row.reply_code, row.reply_text = reason, 550, "5.1.1 user unknown"
    for _ in range(2):
        factories.delivery(session, made, state=DeliveryState.ACCEPTED)
    session.commit()
    return made


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus."""
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")


def test_failed_mails_are_sent_again_with_the_keyboard_alone(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    page, broadcast = console_page, failed(sqlite_session)
    page.goto(f"{console.url}/mass-mail/{broadcast.id}/deliveries/?group=failed")
    looker.look("ledger-failed", whole=True)
    tab_to(page, page.get_by_role("link", name="Send again to the 3 that failed"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Send again to the 3 that failed?")
    looker.look("send-again", whole=True)
    tab_to(page, page.get_by_role("link", name="Not taken at any attempt, given up 1"))
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Send again to the one")
    expect(button).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("1 mail that failed is sent again.")
    expect(page.locator("#broadcast-state")).to_contain_text("Sending")
    assert looker.complaints == []


def test_a_new_mass_mail_to_those_who_failed_with_the_keyboard_alone(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    page, broadcast = console_page, failed(sqlite_session)
    page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    looker.look("finished-actions")
    tab_to(page, page.get_by_role("link", name="New mass mail to some of them"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("With the same text")).to_be_checked()
    looker.look("follow-up", whole=True)
    tab_to(page, page.get_by_role("button", name="New mass mail to the 3 that failed"))
    page.keyboard.press("Enter")
    expect(page.locator("#recipient-count .figure")).to_have_text("3")
    expect(page.locator("#recipient-count")).to_contain_text("whose mail failed.")
    looker.look("follow-up-audience", whole=True)
    page.locator("label", has_text="accepted").first.click()
    expect(page.locator("#recipient-count .figure")).to_have_text("5")
    assert looker.complaints == []
