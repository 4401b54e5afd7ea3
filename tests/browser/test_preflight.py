"""The review's warnings and the mail in its full width, as they look and as they are ticked."""

import re

from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console, bring_sign_in
from tests.looks import Looker
from webapp.core.content import preflight
from webapp.core.settings import from_addresses

HTML = (
    '<h1>Maintenance</h1><p style="color:#999">Dear {{ first_name }}, the plan is attached.</p>'
    '<p><a href="https://example.com/plan">Click here</a></p>'
)


def test_each_warning_is_ticked_before_it_leaves_and_the_page_is_calm(
    browser_client: FlaskClient, console: Console, sqlite_session: Session, page: Page, looker: Looker
):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session, "ada@example.com", last_name="Byron")
    nameless = factories.client(sqlite_session, "zoe@example.com", first_name="", last_name="Oster", country="JP")
    subject = "Planned maintenance in the night from Monday to Tuesday"
    draft = factories.broadcast(sqlite_session, subject=subject, html=HTML)
    original = factories.broadcast(sqlite_session, subject="Planned maintenance", html="<p>Dear {{ first_name }}</p>")
    draft.copied_from = original.id
    sqlite_session.commit()
    bring_sign_in(browser_client, console, page)
    page.goto(f"{console.url}/mass-mail/{draft.id}/review/")
    ticks = page.locator("input[name=tick]")
    expect(ticks).not_to_have_count(0)
    looker.look("preflight", whole=True)
    page.locator("details", has_text="hint").locator("summary").click()
    looker.look("preflight-hints", whole=True)
    number = ticks.count()
    for place in range(number):
        with page.expect_response("**/review/tick"):
            ticks.nth(place).check()
    expect(page.locator("#to-tick")).to_have_text("")
    sqlite_session.rollback()
    assert len(preflight.kept(sqlite_session, draft.id)) == number
    page.goto(f"{console.url}/mass-mail/{draft.id}/review/changes")
    looker.look("changes")
    page.goto(f"{console.url}/mass-mail/{draft.id}/review/mail?client={nameless.id}")
    frame = page.frame_locator("mail-preview > iframe:not([data-coming])")
    expect(frame.get_by_text("Maintenance")).to_be_visible()
    page.get_by_label("Empty tags").check()
    expect(frame.get_by_text("first_name is empty")).to_be_visible()
    looker.look("mail-in-full-width", whole=True)
    page.get_by_label("Images off").check()
    page.get_by_label("Dark").check()
    expect(page.locator("mail-preview > iframe:not([data-coming])")).to_have_attribute(
        "src", re.compile("&dark=1&images=off&marks=1$")
    )
