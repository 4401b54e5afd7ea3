"""The main job, as an administrator does it in a real browser on the real demo: from the filter to mails accounted for."""

import re
import sqlite3
import time

import pytest
from playwright.sync_api import Page, expect

from tests.consoles import Demo, tick_all

HTML = (
    '<h1>Hello {{ first_name | default: "there" }}</h1>'
    "<p>Your {{ service_product }} at <b>{{ service_domain }}</b> moves to new hosts. Client {{ client_id }}.</p>"
)
SQL = (
    "SELECT delivery.address, client.number, client.first_name, client.last_name, service.domain, product.name "
    "FROM delivery JOIN client ON client.id = delivery.client_id JOIN service ON service.id = delivery.service_id "
    "JOIN product ON product.id = service.product_id WHERE delivery.state = 'accepted'"
)


@pytest.fixture
def sent(demo: Demo, demo_page: Page) -> Page:
    """The page of a mass mail to active clients with an active VPS-8, just after Create Broadcast was pressed."""
    page = demo_page
    page.get_by_role("main").get_by_role("link", name="Create Mass Mail").first.click()
    page.get_by_label("Services & Products").check()
    page.get_by_label("Important").check()
    page.get_by_label("Why must everybody be told?").fill("Hosts are replaced")
    page.get_by_role("button", name="Choose recipients").click()

    everybody = page.locator("#recipient-count .figure").inner_text()
    for choice in ("c-client_statuses-active", "c-service_statuses-active"):
        page.locator(f"#{choice}").check()
    page.get_by_role("button", name="add a product").click()
    page.get_by_role("checkbox", name=re.compile("VPS-8")).check()
    expect(page.locator("#recipient-count .figure")).not_to_have_text(everybody)
    expect(page.locator("#recipient-count")).to_contain_text("VPS-8")
    page.locator("#next").click()

    page.get_by_role("textbox", name="Subject").fill("{{ full_name }}: new hosts for {{ service_domain }}")
    page.locator("mail-editor[ready]").wait_for()
    page.get_by_text("HTML", exact=True).click()
    page.locator("#html").fill(HTML)
    page.locator("#next").click()

    page.locator("#when-now").check()
    page.get_by_label("Mails at a time").fill("0")
    page.locator("#next").click()

    button = page.locator("#create-broadcast")
    expect(button).to_have_text(re.compile(r"Create Broadcast: send [\d,]+ mails"))
    tick_all(page)
    button.click()
    page.wait_for_url(re.compile(r"/mass-mail/\d+/$"))
    return page


def test_each_accepted_mail_is_in_the_catcher_with_its_own_clients_data(demo: Demo, sent: Page):
    expect(sent.locator("#broadcast-state")).to_have_text(re.compile("Finished"), timeout=60_000)
    with sqlite3.connect(demo.instance / "massmail.sqlite3") as connection:
        ledger = {row[0]: row[1:] for row in connection.execute(SQL)}
    assert len(ledger) > 20
    caught = {demo.maildir.summary(name).recipient: name for name in demo.broadcast_mails()}
    assert len(demo.broadcast_mails()) == len(caught), "nobody got it twice"
    assert caught.keys() == ledger.keys()
    for address, (number, first_name, last_name, domain, product) in ledger.items():
        message, header = demo.maildir.message(caught[address]), dict(demo.maildir.headers(caught[address]))
        html, text = message.get_body(("html",)), message.get_body(("plain",))
        assert html and text
        assert all(value in header["Subject"] for value in (first_name, last_name, domain))
        assert all(value in header["To"] for value in (first_name, last_name, address))
        for part in (html.get_content(), text.get_content()):
            assert all(value in part for value in (first_name, domain, product, f"Client {number}."))

    sent.get_by_role("link", name="Caught mails").click()
    expect(sent.locator("#mails")).to_contain_text(re.compile(rf"of\s({len(ledger):,}|{len(ledger) + 1:,})\s+mails"))

    expect(sent.locator("#bell")).to_have_accessible_name("Notices, 1 new", timeout=60_000)
    deadline = time.monotonic() + 60
    while not demo.notice_mails():
        assert time.monotonic() < deadline, "nobody was told"
        sent.wait_for_timeout(200)
    [told] = demo.notice_mails()
    assert dict(demo.maildir.headers(told))["Subject"] == "Finished: full name: new hosts for service domain"
    text = demo.maildir.message(told).get_content()
    assert f"All mails are accounted for: {len(ledger):,} accepted" in text and f"{demo.url}/mass-mail/" in text
