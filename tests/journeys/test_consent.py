"""Consent, in a real browser on the real demo: while a mass mail is under way, clients decline by the link, by one click of their mail
program, and by a mailbox that is gone. Nothing more begins to them, and each stands in the ledger, the sum, the list and on their page."""

import re
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from babel import Locale
from playwright.sync_api import Browser, Page, expect

from tests.consoles import Demo, tick_all
from tests.workers import wait_until

HTML = "<p>Hello {{ first_name | default: 'there' }}, our new hosts are here.</p>"
FEW = (
    "SELECT country, status FROM client WHERE marketing_opt_in AND address_key IS NOT NULL AND country IS NOT NULL "
    "GROUP BY country, status HAVING count(*) BETWEEN 8 AND 30 ORDER BY count(*) LIMIT 1"
)


def asked(demo: Demo, statement: str, *values: object) -> list[tuple]:
    with sqlite3.connect(demo.instance / "massmail.sqlite3") as connection:
        return connection.execute(statement, values).fetchall()


def rows(demo: Demo, broadcast_id: int) -> dict[str, tuple[str, str | None]]:
    """State and reason by address."""
    found = asked(demo, "SELECT address, state, reason FROM delivery WHERE broadcast_id = ?", broadcast_id)
    return {address: (state, reason) for address, state, reason in found if address}


def mails_to(demo: Demo, address: str) -> list[str]:
    return [name for name in demo.broadcast_mails() if demo.maildir.summary(name).recipient == address]


def create(page: Page, batch: int, interval: int) -> int:
    """From the schedule of a draft to its page; the id."""
    page.locator("#when-now").check()
    page.get_by_label("Mails at a time").fill(str(batch))
    if batch:
        page.get_by_label("Seconds from one batch to the next").fill(str(interval))
    page.locator("#next").press(
        "Enter"
    )  # a click so soon, where Duplicate was pressed before, is held for the second of two
    page.wait_for_url("**/review/")
    tick_all(page)
    page.locator("#create-broadcast").click()
    page.wait_for_url(re.compile(r"/mass-mail/\d+/$"))
    return int(page.url.rstrip("/").rpartition("/")[2])


@pytest.fixture
def newsletter(demo: Demo, demo_page: Page) -> Iterator[Page]:
    """The page of a newsletter that was sent to a few clients who want it."""
    page = demo_page
    [(country, status)] = asked(demo, FEW)
    page.get_by_role("main").get_by_role("link", name="Create Mass Mail").first.click()
    page.get_by_label("Marketing", exact=True).check()
    page.get_by_label("Topic").select_option(label="Newsletter")
    page.get_by_role("button", name="Choose recipients").click()
    everybody = page.locator("#recipient-count .figure").inner_text()
    page.locator(f"#c-client_statuses-{status}").check()
    name, box = Locale("en").territories[country], page.locator(f"#c-countries-{country}")
    if page.locator("#more-countries").filter(has=box).count():
        page.get_by_role("button", name="add a country").click()
    box.check()
    page.keyboard.press("Escape")
    expect(page.locator("#recipient-count .figure")).not_to_have_text(everybody)
    expect(page.locator("#recipient-count")).to_contain_text(name)
    page.locator("#next").click()
    page.get_by_role("textbox", name="Subject").fill("New hosts")
    page.locator("mail-editor[ready]").wait_for()
    page.get_by_text("HTML", exact=True).click()
    page.locator("#html").fill(HTML)
    page.locator("#next").click()
    create(page, 0, 0)
    expect(page.locator("#broadcast-state")).to_have_text(re.compile("Finished"), timeout=60_000)
    yield page


def test_who_declines_gets_nothing_more_and_stands_everywhere(demo: Demo, newsletter: Page, browser: Browser):
    page = newsletter
    first_id = int(page.url.rstrip("/").rpartition("/")[2])
    reached = [address for address, (state, _) in rows(demo, first_id).items() if state == "accepted"]
    assert len(reached) >= 8
    by_link, by_click, by_bounce = reached[-3:]  # the last ones to get the next one

    page.get_by_role("button", name="Duplicate").first.click()
    page.wait_for_url(re.compile(r"/audience/"))
    second_id = int(re.search(r"/mass-mail/(\d+)/", page.url)[1])
    assert second_id > first_id
    page.goto(f"{demo.url}/mass-mail/{second_id}/schedule/")
    create(page, 1, 2)
    wait_until(lambda: "accepted" in [state for state, _ in rows(demo, second_id).values()], 60, "it is under way")

    # Nobody signed in, and no script.
    stranger = browser.new_context(java_script_enabled=False)
    letter = stranger.new_page()
    [first] = mails_to(demo, by_link)
    text = demo.maildir.message(first).get_body(("plain",))
    assert text
    link = re.search(r"https?://\S+/unsubscribe/\w+", text.get_content())
    assert link
    letter.goto(link[0])
    assert rows(demo, second_id)[by_link][0] == "pending", "to look at it changes nothing"
    letter.locator("form button").first.click()
    assert stranger.cookies() == []
    stranger.close()

    [second] = mails_to(demo, by_click)
    header = dict(demo.maildir.headers(second))["List-Unsubscribe"]
    body = urllib.parse.urlencode({"List-Unsubscribe": "One-Click"}).encode()
    with urllib.request.urlopen(urllib.request.Request(header.strip(" <>"), body)) as answer:
        assert (answer.status, answer.read(), answer.headers.get("Set-Cookie")) == (200, b"", None)

    [third] = mails_to(demo, by_bounce)
    page.goto(f"{demo.url}/mail-catcher/{third}")
    page.get_by_role("button", name="No such mailbox").click()
    kept = "SELECT kind FROM suppression WHERE address_key = ?"
    wait_until(lambda: asked(demo, kept, by_bounce.lower()) == [("bounced",)], 60, "it came back")

    page.goto(f"{demo.url}/mass-mail/{second_id}/")
    expect(page.locator("#broadcast-state")).to_have_text(re.compile("Finished"), timeout=120_000)
    ledger = rows(demo, second_id)
    assert ledger[by_link] == ledger[by_click] == ("suppressed", "opted_out")
    assert ledger[by_bounce] == ("suppressed", "suppressed")
    assert [len(mails_to(demo, one)) for one in (by_link, by_click, by_bounce)] == [1, 1, 1]

    page.goto(f"{demo.url}/clients/suppressions/")
    for address, kind in ((by_link, "unsubscribed"), (by_click, "unsubscribed"), (by_bounce, "bounced")):
        expect(page.get_by_role("row", name=re.compile(re.escape(address))).first).to_contain_text(
            kind, ignore_case=True
        )
    page.get_by_role("row", name=re.compile(re.escape(by_link))).get_by_role("link", name=re.compile("^Client")).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(re.compile("unsubscribed", re.I))
    page.goto(f"{demo.url}/mass-mail/{first_id}/")
    page.get_by_role("button", name="Duplicate").first.click()
    page.wait_for_url(re.compile(r"/audience/"))
    expect(page.locator("#recipient-count")).to_contain_text("suppressed")
    page.goto(page.url.split("?")[0] + f"explain?q={urllib.parse.quote(by_click)}")
    expect(page.locator("#explain")).to_contain_text("Declined all marketing")
