"""The pages of domains: looked at by a button, records copied by one click, readable in every look."""

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.dns_server import dns_server
from tests.looks import Looker
from webapp.core.settings import from_addresses


def test_a_record_is_copied_by_one_click(console: Console, console_page: Page, sqlite_session: Session, looker: Looker):
    from_addresses.add(sqlite_session, "Bücher", "news@bücher.example")
    sqlite_session.commit()
    zone = {
        ("xn--bcher-kva.example", "MX"): ["1 mx.example.com"],
        ("mx.example.com", "A"): ["192.0.2.1"],
        ("_dmarc.xn--bcher-kva.example", "TXT"): ["v=DMARC1; p=none"],
    }
    console_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    console_page.goto(f"{console.url}/settings/domains/")
    console_page.get_by_label("Addresses that mails leave from").fill("192.0.2.1")
    console_page.get_by_role("button", name="Save").click()
    console_page.get_by_role("link", name="bücher.example").click()
    with dns_server(zone) as (server, _):
        console.app.config["DNS"] = (server,)
        console_page.get_by_role("button", name="Look now").click()
        expect(console_page.get_by_text("has no SPF record")).to_be_visible()
        console_page.get_by_role("button", name="Make keys").click()
        expect(console_page.get_by_text("Waits for DNS").first).to_be_visible()
    console_page.get_by_role("button", name="Copy the value").first.click()
    expect(console_page.get_by_role("button", name="Copied")).to_be_visible()
    assert console_page.evaluate("navigator.clipboard.readText()") == "v=spf1 ip4:192.0.2.1 ~all"
    looker.look("domain", whole=True)
    console_page.goto(f"{console.url}/settings/domains/")
    looker.look("domains")
