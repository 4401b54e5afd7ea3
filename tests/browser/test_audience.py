"""Choosing an audience in a real browser: chips, the list behind them, the keyboard, a phone, no JavaScript."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console, bring_sign_in
from tests.looks import without_complaint
from tests.workers import wait_until
from webapp.core import audience, broadcasts
from webapp.core.rules.statuses import ClientStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast

CODES = ("AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IT")


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    vps, mailbox = factories.product(sqlite_session, "VPS-2"), factories.product(sqlite_session, "Mailbox")
    for place, code in enumerate(CODES):
        for n in range(len(CODES) - place):
            status = ClientStatus.FREEZE if n == 1 else ClientStatus.ACTIVE
            client = factories.client(sqlite_session, country=code, status=status, last_name=f"{code}{n}")
            factories.service(sqlite_session, client, vps if n % 2 else mailbox)
    row = factories.broadcast(sqlite_session, message_type=MessageType.SERVICES)
    sqlite_session.commit()
    return row


@pytest.fixture
def opened(browser_client: FlaskClient, console: Console, page: Page, draft: Broadcast) -> Iterator[Page]:
    """The filter page. What the browser has to complain of fails the test."""
    bring_sign_in(browser_client, console, page)
    with without_complaint(page, lambda words: "409" in words):
        page.goto(address(console, draft))
        yield page


def address(console: Console, draft: Broadcast) -> str:
    return f"{console.url}/mass-mail/{draft.id}/audience/"


def chip(page: Page, name: str, value: str):
    return page.locator(f"input[name={name}][value='{value}']")


def chosen(session: Session, draft: Broadcast) -> audience.AudienceFilter:
    session.rollback()
    session.expire_all()
    return audience.audience_of(broadcasts.get(session, draft.id)).filter


def expect_count(page: Page, number: int) -> None:
    expect(page.locator("#recipient-count .figure")).to_have_text(str(number))


def test_quick_clicks_are_all_saved_and_the_last_number_is_right(
    opened: Page, sqlite_session: Session, draft: Broadcast
):
    for code in ("AT", "BE", "CH", "CZ", "DE"):
        chip(opened, "countries", code).check()
    chip(opened, "countries", "BE").uncheck()
    chip(opened, "client_statuses", "freeze").check()
    expect(opened.locator("#in-words + p")).to_have_text(
        "Clients in Austria, Switzerland, Czechia or Germany that are Freeze and have a service."
    )
    expect_count(opened, 4)
    expect(opened.locator("#n-client_statuses-active")).to_have_text(str(12 + 10 + 9 + 8 - 4))
    expect(opened.locator("#conflict")).to_be_empty()
    now = chosen(sqlite_session, draft)
    assert set(now.countries) == {"AT", "CH", "CZ", "DE"} and now.client_statuses == (ClientStatus.FREEZE,)


def test_the_list_behind_a_criterion_works_by_keyboard_alone(opened: Page, sqlite_session: Session, draft: Broadcast):
    opener = opened.get_by_role("button", name="add a country")
    opener.focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_placeholder("Find a country")).to_be_focused()
    opened.keyboard.type("ital")
    expect(opened.locator("#more-countries .chip:visible")).to_have_count(1)
    opened.keyboard.press("Enter")
    expect_count(opened, 1)
    opened.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(opened.locator("#countries > .chips").locator("[value=IT]")).to_be_checked()
    assert chosen(sqlite_session, draft).countries == ("IT",)
    opened.locator("#countries").get_by_role("button", name="clear").click()
    expect_count(opened, sum(range(1, 13)))
    assert chosen(sqlite_session, draft).countries == ()


def test_a_space_switches_a_chip_and_keeps_the_focus(opened: Page):
    box = chip(opened, "client_statuses", "freeze")
    box.focus()
    opened.keyboard.press("Space")
    expect_count(opened, 11)
    expect(box).to_be_focused()
    opened.keyboard.press("Enter")
    expect_count(opened, 78)


def test_a_second_tab_is_told_and_can_keep_its_own(
    opened: Page, console: Console, sqlite_session: Session, draft: Broadcast
):
    other = opened.context.new_page()
    other.goto(address(console, draft))
    chip(other, "countries", "AT").check()
    expect_count(other, 12)
    chip(opened, "countries", "BE").check()
    expect(opened.locator("#conflict")).to_contain_text("You changed this audience in another tab")
    assert chosen(sqlite_session, draft).countries == ("AT",)
    opened.get_by_role("button", name="Keep mine").click()
    expect(opened.locator("#conflict")).to_be_empty()
    wait_until(lambda: chosen(sqlite_session, draft).countries == ("BE",), 60, "mine is saved")


def test_the_answer_about_a_client_follows_the_filter(opened: Page):
    opened.get_by_role("searchbox", name="Does this client get it?").fill("BE0")
    expect(opened.locator("#explain")).to_contain_text("Has all that the filter asks for.")
    chip(opened, "countries", "AT").check()
    expect(opened.locator("#explain")).to_contain_text("Country is Belgium, not Austria.")


def test_recipients_are_left_out_and_added_from_their_list(opened: Page, sqlite_session: Session, draft: Broadcast):
    chip(opened, "countries", "FI").check()
    expect_count(opened, 5)
    opened.locator("#recipient-count").get_by_role("link", name="will receive").click()
    opened.get_by_role("button", name="Leave out").first.click()
    expect(opened.locator("#recipients tbody")).to_contain_text("No: left out by hand")
    opened.get_by_role("searchbox", name="Add recipients").fill("gr0")
    opened.locator("#candidates").get_by_role("button", name="Add").click()
    expect(opened.locator("#candidates")).to_contain_text("Yes, added by hand")
    expect(opened.locator("#recipient-tabs")).to_contain_text("Will receive 5")
    sqlite_session.rollback()
    assert sorted(kind.value for kind in audience.picks_of(sqlite_session, draft.id).values()) == ["added", "left_out"]


def test_on_a_phone_the_count_stays_in_sight(opened: Page):
    opened.set_viewport_size({"width": 390, "height": 844})
    bar = opened.locator("#foot-bar")
    expect(bar).to_be_in_viewport()
    chip(opened, "countries", "AT").check()
    expect(bar.locator("#foot-number")).to_have_text("12")
    opened.mouse.wheel(0, 4000)
    expect(bar).to_be_in_viewport()
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(opened: Page, scheme: str):
    opened.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    chip(opened, "countries", "FI").check()
    expect_count(opened, 5)
    opened.get_by_role("searchbox", name="Does this client get it?").fill("FI0")
    expect(opened.locator("#explain")).to_contain_text("Yes")
    assert not (found := Axe().run(opened)).violations_count, found.generate_report()
    opened.get_by_role("button", name="add a country").click()
    expect(opened.get_by_placeholder("Find a country")).to_be_focused()
    assert not (found := Axe().run(opened)).violations_count, found.generate_report()
    opened.keyboard.press("Escape")
    opened.locator("#recipient-count").get_by_role("link", name="will receive").click()
    opened.wait_for_load_state()  # the search listens then
    opened.get_by_role("searchbox", name="Add recipients").fill("gr0")
    opened.locator("#candidates").get_by_role("button", name="Add").wait_for()
    assert not (found := Axe().run(opened)).violations_count, found.generate_report()


def test_all_of_it_works_without_javascript(
    opened: Page, browser: Browser, console: Console, sqlite_session: Session, draft: Broadcast
):
    context = browser.new_context(java_script_enabled=False, storage_state=opened.context.storage_state())
    page = context.new_page()
    page.goto(address(console, draft))
    chip(page, "countries", "AT").check()
    page.get_by_role("button", name="add a country").click()
    chip(page, "countries", "IT").check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_count(page, 13)
    assert set(chosen(sqlite_session, draft).countries) == {"AT", "IT"}
    page.get_by_role("button", name="General").click()
    expect(page.locator("#message-type + div [aria-pressed=true]")).to_have_text("General")
    page.get_by_role("searchbox", name="Does this client get it?").fill("BE0")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#explain")).to_contain_text("Country is Belgium")
    page.locator("#recipient-count").get_by_role("link", name="will receive").click()
    page.get_by_role("button", name="Leave out").first.click()
    expect(page.locator("#recipient-tabs")).to_contain_text("Will receive 12")
    context.close()


def test_a_cold_page_fetches_itself_and_is_alive(
    opened: Page, console: Console, draft: Broadcast, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audience, "is_warm", lambda _session: False)
    opened.goto(address(console, draft))
    expect_count(opened, 78)
    chip(opened, "countries", "AT").check()
    expect_count(opened, 12)
    opened.get_by_role("button", name="add a country").click()
    opened.keyboard.type("ital")
    expect(opened.locator("#more-countries .chip:visible")).to_have_count(1)
