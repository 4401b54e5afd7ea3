"""A hurried person: each button of the way from a new mass mail to its end is pressed twice, going back and another tab come in between,
the sign-in ends, fields are filled to the brim or left empty. Nothing happens twice, and nothing that was not asked for."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tests import factories, run
from tests.browser.compose_page import open_sender
from tests.consoles import Console
from tests.pages.broadcast_page import maker
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import SignIn

B, D = BroadcastState, DeliveryState
DISTANCES_MS = (50, 100, 180, 260, 350, 500, 700, 900, 1200, 1500)
"""Between the two halves of a double click. Each is tried every day somewhere, and everywhere with `--full`."""

SENDS = re.compile(r"^(Create Broadcast|Send [\d,]+ mail|Schedule [\d,]+ mail)")
"""How the button that creates the broadcast may be called."""

BEGUN = {B.SCHEDULED, B.SENDING}


def stored(session: Session) -> list[Broadcast]:
    """All mass mails as they are stored now, in the order of their making."""
    session.rollback()
    return list(session.scalars(select(Broadcast).order_by(Broadcast.id).execution_options(populate_existing=True)))


def twice(button: Locator, distance: int) -> None:
    """Press the place where a button is, and once more after `distance` milliseconds, whatever is there by then."""
    page = button.page
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box, "the button is not seen"
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_timeout(distance)
    page.mouse.click(x, y)


def stays(page: Page, room: str) -> None:
    """The page of a step is there, and is not left again by itself."""
    there = re.compile(rf"/{room}/$")
    expect(page).to_have_url(there)
    page.wait_for_load_state("networkidle")
    assert there.search(page.url), page.url


def write(page: Page, subject: str = "We move the hosts") -> None:
    page.locator("mail-editor[ready]").wait_for()
    page.get_by_role("textbox", name="Subject").fill(subject)
    page.get_by_role("textbox", name="Body").click()
    page.keyboard.insert_text("Hello {{ first_name | default: 'there' }}, tonight.")
    expect(page.locator("#draft-saved")).to_contain_text("Saved")


@pytest.fixture
def desk(console: Console, console_page: Page, sqlite_session: Session) -> Page:
    """The list of mass mails, signed in, with a sender and three clients."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for name in ("Ada", "Zoë", "Carla"):
        factories.client(sqlite_session, f"{name[0].lower()}@example.com", first_name=name)
    sqlite_session.commit()
    console_page.on("dialog", lambda dialog: dialog.accept())
    console_page.goto(f"{console.url}/mass-mail/")
    return console_page


@pytest.mark.parametrize("distance", run.some(DISTANCES_MS, first=0, step=3))
def test_every_button_pressed_twice_does_what_once_does(
    desk: Page, console: Console, sqlite_session: Session, distance: int
):
    twice(desk.get_by_role("main").get_by_role("link", name="Create Mass Mail").first, distance)
    expect(desk).to_have_url(re.compile("/mass-mail/new$"))
    desk.wait_for_load_state("networkidle")
    assert stored(sqlite_session) == [], "only the question was asked"
    desk.get_by_label("Important").check()
    desk.get_by_label("Why must everybody be told?").fill("Hosts are replaced")
    twice(desk.get_by_role("button", name="Choose recipients"), distance)
    stays(desk, "audience")
    assert len(stored(sqlite_session)) == 1
    twice(desk.get_by_role("button", name="Compose message"), distance)
    stays(desk, "content")
    write(desk)
    twice(desk.get_by_role("button", name="Schedule", exact=True), distance)
    stays(desk, "schedule")
    twice(desk.get_by_role("button", name="Review", exact=True), distance)
    stays(desk, "review")
    [row] = stored(sqlite_session)
    assert row.state is B.DRAFT, "nobody has asked for it to be sent"

    twice(desk.get_by_role("button", name=SENDS), distance)
    expect(desk).to_have_url(f"{console.url}/mass-mail/{row.id}/")
    desk.wait_for_load_state("networkidle")
    [row] = stored(sqlite_session)
    assert row.state in BEGUN
    assert desk.url == f"{console.url}/mass-mail/{row.id}/"


@pytest.mark.parametrize("distance", run.some(DISTANCES_MS, first=1, step=3))
def test_pause_resume_and_cancel_pressed_twice_are_one_each(
    desk: Page, console: Console, sqlite_session: Session, distance: int
):
    row = maker(sqlite_session)(B.SENDING, {D.ACCEPTED: 2, D.PENDING: 3}, name="On its way")

    def state() -> BroadcastState:
        [found] = stored(sqlite_session)
        return found.state

    def button(name: str | re.Pattern[str]) -> Locator:
        return desk.get_by_role("main").get_by_role("button", name=name, exact=isinstance(name, str))

    desk.goto(f"{console.url}/mass-mail/{row.id}/")
    twice(button("Pause"), distance)
    expect(button("Resume")).to_be_visible()
    desk.wait_for_load_state("networkidle")
    assert state() is B.PAUSED
    twice(button("Resume"), distance)
    expect(button("Pause")).to_be_visible()
    desk.wait_for_load_state("networkidle")
    assert state() is B.SENDING
    twice(desk.get_by_role("link", name=re.compile("^Cancel")).first, distance)
    desk.wait_for_load_state("networkidle")
    assert state() is B.SENDING, "only the question was asked"
    question = desk.get_by_role("dialog", name=re.compile("^Cancel"))
    if not question.is_visible():
        desk.get_by_role("link", name=re.compile("^Cancel")).first.click()
    twice(question.get_by_role("button", name=re.compile("^Cancel")), distance)
    expect(desk.locator("#broadcast-state")).to_contain_text("Cancelled")
    desk.wait_for_load_state("networkidle")
    assert state() is B.CANCELLED and len(stored(sqlite_session)) == 1, "and nothing was duplicated"


@pytest.fixture
def reviewed(desk: Page, console: Console, sqlite_session: Session) -> Page:
    """A complete draft, at its review."""
    [sender] = from_addresses.listing(sqlite_session)
    columns = {"from_address": from_addresses.as_header(sender), "name": "Move"}
    row = factories.broadcast(sqlite_session, subject="We move", html="<p>Hello</p>", **columns)
    sqlite_session.commit()
    desk.goto(f"{console.url}/mass-mail/{row.id}/review/")
    return desk


def test_going_back_after_the_start_and_pressing_again_starts_nothing_anew(reviewed: Page, sqlite_session: Session):
    reviewed.get_by_role("button", name=SENDS).click()
    reviewed.wait_for_url(re.compile(r"/mass-mail/\d+/$"))
    reviewed.go_back()
    reviewed.wait_for_load_state("networkidle")
    again = reviewed.get_by_role("button", name=SENDS)
    if again.count() and again.is_enabled():
        again.click()
        reviewed.wait_for_load_state("networkidle")
    [row] = stored(sqlite_session)
    assert row.state in BEGUN


def test_two_tabs_at_once_start_one_broadcast(reviewed: Page, sqlite_session: Session):
    other = reviewed.context.new_page()
    other.goto(reviewed.url)
    for tab in (reviewed, other):
        tab.get_by_role("button", name=SENDS).click(no_wait_after=True)
    for tab in (reviewed, other):
        tab.wait_for_url(re.compile(r"/mass-mail/\d+/$"))
    [row] = stored(sqlite_session)
    assert row.state in BEGUN
    other.close()


def test_a_start_pressed_after_the_sign_in_ended_needs_another_press(reviewed: Page, sqlite_session: Session):
    sqlite_session.execute(delete(SignIn))
    sqlite_session.commit()
    reviewed.get_by_role("button", name=SENDS).click()
    expect(reviewed.get_by_role("heading", name="Sign in to go on")).to_be_visible()
    [row] = stored(sqlite_session)
    assert row.state is B.DRAFT


def test_three_hundred_characters_are_kept_or_refused_in_words(desk: Page, console: Console, sqlite_session: Session):
    long = "Überlang " * 33 + "end"
    row = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    desk.goto(f"{console.url}/mass-mail/{row.id}/content/")
    write(desk, long)
    name = desk.get_by_role("textbox", name="Name of this mass mail")
    name.fill(long)
    name.press("Enter")
    open_sender(desk)
    desk.get_by_role("textbox", name="Reply-To").fill(long)
    desk.get_by_role("textbox", name="Subject").press("End")
    expect(desk.locator("#reply-to-problem")).to_contain_text("not an address")
    expect(desk.locator("#draft-title")).to_contain_text("Überlang")
    [row] = stored(sqlite_session)
    assert row.content.subject == long
    assert desk.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


EMPTY: dict[str, Callable[[Page], None]] = {
    "audience": lambda page: page.get_by_role("button", name="Compose message").click(),
    "content": lambda page: page.get_by_role("button", name="Schedule", exact=True).click(),
    "schedule": lambda page: page.get_by_role("button", name="Review", exact=True).click(),
}


def test_with_everything_empty_one_comes_to_the_review_and_no_further(
    console: Console, console_page: Page, sqlite_session: Session
):
    row = factories.broadcast(sqlite_session, subject="", html="")
    sqlite_session.commit()
    page = console_page
    page.goto(f"{console.url}/mass-mail/{row.id}/audience/")
    for press in EMPTY.values():
        press(page)
        page.wait_for_load_state("networkidle")
    page.wait_for_url("**/review/")
    expect(page.get_by_text("These are still missing")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Send|Create Broadcast|Schedule")).first).to_be_disabled()
    [row] = stored(sqlite_session)
    assert row.state is B.DRAFT
