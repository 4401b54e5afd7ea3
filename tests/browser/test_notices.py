"""The bell and the notices in a real browser: it rings by itself, is read out, and works with keyboard and on a phone."""

from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.core.notices.news import begin, broadcast, look, paused
from tests.looks import PHONE, Looker
from tests.webhook_receiver import Receiver
from webapp.adapters import clock, database
from webapp.core.notices import webhook
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.notices import NoticeDispatch
from webapp.core.tables.users import User


def news(session: Session) -> None:
    """One mass mail of the reader has paused itself, another needs a decision, and a third is finished."""
    session.rollback()
    database.will_write(session)  # the console writes, too: what was read before is no ground to write on
    me = session.scalars(select(User.id)).first()
    done = broadcast(session, BroadcastState.FINISHED, finished_at=clock.now(), created_by=me, name="Autumn news")
    factories.delivery(session, done, state=DeliveryState.ACCEPTED)
    unsure = broadcast(
        session, BroadcastState.NEEDS_ATTENTION, created_by=me, name="Prices from January", updated_at=clock.now()
    )
    factories.delivery(session, unsure, state=DeliveryState.UNCERTAIN)
    reason = "The relay says: 535 5.7.8 Error: authentication failed"
    paused(session, reason, at=clock.now(), created_by=me, name="Maintenance of the server in Frankfurt on Sunday")
    look(session, clock.now())
    session.commit()


def at_once(page: Page) -> None:
    """As if the bell's half minute were over."""
    page.evaluate(
        "htmx.ajax('GET', document.querySelector('#bell').getAttribute('hx-get'), {target: '#bell', swap: 'outerHTML'})"
    )


def test_the_bell_rings_by_itself_is_read_out_and_leads_to_what_happened(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    page = console_page
    begin(sqlite_session)
    sqlite_session.commit()
    page.goto(f"{console.url}/notices/")
    expect(page.get_by_role("heading", name="No notices yet")).to_be_visible()
    looker.look("notices-empty")
    page.goto(f"{console.url}/mass-mail/")
    bell = page.locator("#bell")
    expect(bell).to_have_accessible_name("Notices")
    bell.focus()

    news(sqlite_session)
    at_once(page)
    expect(bell).to_have_accessible_name("Notices, 3 new")
    expect(page.locator("#bell-news")).to_have_text(
        "3 new notices. Paused: Maintenance of the server in Frankfurt on Sunday"
    )
    expect(bell).to_be_focused()
    looker.look("bell")
    page.set_viewport_size(PHONE)
    expect(page.locator("#phone-bell")).to_have_accessible_name("Notices, 3 new")
    expect(page.locator("#phone-bell")).to_be_visible()
    expect(bell).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 860})

    bell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notices/")
    expect(page.get_by_role("listitem").filter(has_text="Needs a decision: Prices from January")).to_contain_text(
        "1 mail is uncertain"
    )
    looker.look("notices")
    page.get_by_role("button", name="Mark as read: Finished: Autumn news").click()
    expect(bell).to_have_accessible_name("Notices, 2 new")
    page.get_by_role("button", name="Mark all as read").click()
    expect(bell).to_have_accessible_name("Notices")
    page.get_by_role("link", name="Finished: Autumn news").click()
    expect(page.get_by_role("heading", name="Autumn news", level=1)).to_be_visible()


def test_the_bell_asks_again_and_again(console: Console, console_page: Page, sqlite_session: Session):
    """Its clock is moved on; the page is loaded under it."""
    page = console_page
    begin(sqlite_session)
    sqlite_session.commit()
    page.clock.install()
    page.goto(f"{console.url}/mass-mail/")
    for _ in range(2):
        with page.expect_response("**/notices/bell?*") as asked:
            page.clock.run_for(31_000)
        assert asked.value.status == 204
    news(sqlite_session)
    page.clock.run_for(31_000)
    expect(page.locator("#bell")).to_have_accessible_name("Notices, 3 new")


def test_a_webhook_is_set_up_tested_and_given_a_new_secret(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    page = console_page
    begin(sqlite_session)
    sqlite_session.commit()
    page.goto(f"{console.url}/settings/notices/")
    looker.look("settings-notices", whole=True)
    page.get_by_label("Address").fill("ftp://hooks.example.com")
    page.get_by_role("button", name="Set up the webhook").click()
    expect(page.get_by_label("Address")).to_be_focused()
    expect(page.get_by_text("Use a URL that begins with https:// or http://.")).to_be_visible()
    looker.complaints = [one for one in looker.complaints if "422" not in one]
    with Receiver() as receiver:
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_role("button", name="Set up the webhook").click()
        secret = page.locator("#webhook-secret").inner_text()
        looker.look("settings-notices-secret", whole=True)
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("status").filter(has_text="The test was taken.")).to_contain_text("204 No Content")
        assert receiver.calls[0].verified(secret)["type"] == "webhook.test"
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status").filter(has_text="The test was not taken.")).to_contain_text("Connection refused")

    sqlite_session.rollback()
    news(sqlite_session)
    sqlite_session.execute(
        update(NoticeDispatch).values(
            state="given_up", answer="The relay says: 550 5.1.1 unknown", attempts=1, tried_at=clock.now()
        )
    )
    sqlite_session.commit()
    page.goto(f"{console.url}/settings/notices/")
    looker.look("settings-notices-trouble", whole=True)
    page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("#toasts")).to_contain_text("It is tried again")

    page.get_by_role("button", name="New secret").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
    expect(page.locator("#webhook-secret")).not_to_have_text(secret)
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove webhook").click()
    expect(page.locator("#toasts")).to_contain_text("The webhook is removed")
    sqlite_session.rollback()
    assert webhook.read(sqlite_session) is None


def test_without_javascript_the_bell_and_the_list_work(console: Console, console_page: Page, sqlite_session: Session):
    begin(sqlite_session)
    news(sqlite_session)
    context = console_page.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False, storage_state=console_page.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{console.url}/mass-mail/")
    page.get_by_role("link", name="Notices, 3 new").first.click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Notices", exact=True).first).to_be_visible()
    expect(page.get_by_text("New", exact=True)).to_have_count(0)
    context.close()
