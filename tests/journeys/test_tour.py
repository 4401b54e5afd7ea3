"""A tour through the whole console on the real demo: each page is looked at in both themes and on a phone, and its picture taken.

The README's pictures: `MASSMAIL_PICTURES=docs python3 -m webapp test tests/journeys/test_tour.py`.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.consoles import Demo, tick_all
from tests.looks import Looker

HTML = (
    '<p>Hello {{ first_name | default: "there" }},</p>'
    "<p>on 28 November between 02:00 and 04:00 we move the hosts in Frankfurt. Your server {{ service_domain }} "
    "({{ service_product }}) will restart once.</p>"
    '<p>You need not do anything. If the time does not suit you, <a href="https://example.com/move/{{ client_id }}">choose '
    "another</a>.</p><p>Kind regards<br>{{ sender_name }}</p>"
)


@pytest.fixture
def draft(demo_page: Page) -> Page:
    """The audience step of a new draft to active clients in three countries."""
    page = demo_page
    page.get_by_role("main").get_by_role("link", name="Create Mass Mail").first.click()
    page.get_by_label("Services & Products").check()
    page.get_by_label("Important").check()
    page.get_by_label("Why must everybody be told?").fill("Hosts are replaced")
    page.get_by_role("button", name="Choose recipients").click()
    for choice in ("c-countries-DE", "c-client_statuses-active", "c-service_statuses-active"):
        tick(page, page.locator(f"#{choice}"))
    page.get_by_role("button", name="add a country").click()
    for country in ("Austria", "Switzerland"):
        tick(page, page.get_by_role("checkbox", name=re.compile(country)))
    page.keyboard.press("Escape")
    return page


def tick(page: Page, choice: Locator) -> None:
    """Choose, and wait until the count has followed."""
    before = page.locator("#recipient-count").inner_text()
    choice.check()
    expect(page.locator("#recipient-count")).not_to_have_text(before, use_inner_text=True)


def name_it(page: Page, name: str) -> None:
    field = page.get_by_role("textbox", name="Name of this mass mail")
    field.fill(name)
    field.press("Enter")
    expect(page.locator("#draft-title")).to_have_text(name)


def test_every_page_of_the_main_job_looks_right(demo: Demo, draft: Page, looker: Looker):
    page = draft
    name_it(page, "Planned maintenance Frankfurt, 28 Nov")
    looker.look("audience")

    page.locator("#next").click()
    page.get_by_role("textbox", name="Subject").fill("Maintenance of {{ service_domain }} on 28 November")
    page.locator("mail-editor[ready]").wait_for()
    page.get_by_text("HTML", exact=True).click()
    page.locator("#html").fill(HTML)
    page.get_by_text("Design", exact=True).click()
    expect(page.frame_locator("iframe").first.locator("body")).to_contain_text("we move the hosts in Frankfurt")
    looker.look("content")

    page.locator("#next").click()
    page.get_by_label("Mails at a time").fill("20")
    page.get_by_label("Seconds from one batch to the next").fill("1")
    expect(page.locator("#forecast")).to_contain_text("about")
    looker.look("schedule")

    page.locator("#next").click()
    expect(page.locator("#create-broadcast")).to_have_text(re.compile(r"Create Broadcast: send [\d,]+ mails"))
    looker.look("review")

    tick_all(page)
    page.locator("#create-broadcast").click()
    page.wait_for_url(re.compile(r"/mass-mail/\d+/$"))
    expect(page.locator("#broadcast-state")).to_contain_text("Sending")
    expect(page.locator("main")).to_contain_text(re.compile(r"[1-9]\d\d"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#broadcast-state")).to_contain_text("Paused")
    looker.look("broadcast")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#broadcast-state")).to_contain_text("Finished", timeout=90_000)
    looker.look("finished", whole=True)

    page.get_by_role("main").locator("table tbody tr a").first.click()
    page.wait_for_url(re.compile(r"/deliveries/\d+"))
    looker.look("delivery")


def test_the_other_pages_look_right(demo: Demo, demo_page: Page, looker: Looker):
    page = demo_page
    looker.look("list")
    for path, name in (
        ("/mass-mail/new", "new"),
        ("/clients/", "clients"),
        ("/clients/4", "client"),
        ("/clients/import/", "imports"),
        ("/settings/sending", "sending"),
        ("/settings/users", "users"),
        ("/account/", "account"),
        ("/mail-catcher/", "caught"),
    ):
        page.goto(demo.url + path)
        looker.look(name)


def test_signing_in_looks_right(demo: Demo, page: Page, looker: Looker):
    page.goto(f"{demo.url}/sign-in")
    looker.look("sign-in")
