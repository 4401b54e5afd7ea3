"""The suppressions and the consent settings, in a real browser: search, lift with a reason and its undo, import, and every look."""

from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.looks import Looker
from webapp.adapters import list_round
from webapp.adapters.clock import now
from webapp.core.consent import suppressions
from webapp.core.rules.consent import SuppressionKind

RELAYS_WORDS = (
    "No such mailbox. The relay said, at RCPT: 550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown"
)


def work(session: Session, step: str, tmp_path: Path) -> None:
    """What a worker does when it is asked for a step of list 1."""
    session.rollback()
    list_round.work_on(session.get_bind(), 1, step, tmp_path, lambda: False, lambda: False)


def test_a_suppression_is_found_lifted_with_a_reason_and_put_back(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker, tmp_path: Path
):
    page = console_page
    client = factories.client(sqlite_session, "ada@example.com", first_name="Ada", last_name="Lovelace")
    kind = SuppressionKind
    suppressions.suppress(sqlite_session, "bob@example.com", kind.UNSUBSCRIBED, now(), source="link", reason="too many")
    suppressions.suppress(sqlite_session, "ada@example.com", kind.BOUNCED, now(), source="smtp", evidence=RELAYS_WORDS)
    sqlite_session.commit()
    page.goto(f"{console.url}/clients/suppressions/")
    looker.look("suppressions")
    page.get_by_label("Search suppressions").press_sequentially("ada@")
    page.wait_for_url("**/?q=ada%40*")
    expect(page.get_by_role("link", name="Lift the suppression of bob@example.com")).to_be_hidden()
    page.get_by_role("link", name="Lift the suppression of ada@example.com").press("Enter")
    reason = page.get_by_role("dialog").get_by_label("Why may it be mailed again?")
    looker.look("suppressions-lift")
    reason.fill("mended")
    reason.press("Enter")
    expect(page.get_by_role("status").get_by_text("is not bounced any more")).to_be_visible()
    looker.look("suppressions-lifted")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("it is suppressed again")).to_be_visible()
    page.goto(f"{console.url}/clients/{client.id}")
    page.get_by_text("History", exact=True).click()
    looker.look("client-consent", whole=True)
    page.get_by_role("button", name="Do not mail").first.click()
    looker.look("client-do-not-mail")
    page.get_by_label("Reason").fill("they called")
    page.get_by_role("dialog").get_by_role("button", name="Do not mail").click()
    expect(page.get_by_text("This client is not mailed any more.")).to_be_visible()
    page.goto(f"{console.url}/clients/suppressions/add")
    looker.look("suppressions-add")
    page.get_by_label("Addresses").fill("cleo@example.com\nnobody")
    page.get_by_role("button", name="Do not mail them").click()
    expect(page.get_by_role("alert")).to_contain_text("1 piece of this could not be read")
    looker.complaints.clear()  # the browser tells of the answer 422
    looker.look("suppressions-unread")
    file = tmp_path / "cleaned_members.csv"
    file.write_text(
        "Email Address,First Name,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\ndan@example.com,Dan,,Spring\nnobody,,,\n"
    )
    page.goto(f"{console.url}/clients/suppressions/import")
    looker.look("suppressions-import")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    looker.look("suppressions-waiting")
    work(sqlite_session, "check", tmp_path)
    take_over = page.get_by_role("button", name="Take over 1")
    expect(take_over).to_be_visible()
    looker.look("suppressions-preview", whole=True)
    take_over.click()
    expect(page.get_by_text("Taking the list over")).to_be_visible()
    work(sqlite_session, "run", tmp_path)
    expect(page.get_by_text("What was done")).to_be_visible()
    looker.look("suppressions-taken-over", whole=True)
    page.get_by_role("link", name="See the suppressions").click()
    expect(page.get_by_role("link", name="Lift the suppression of dan@example.com")).to_be_visible()


def test_the_settings_of_consent_can_be_read_in_every_look(console: Console, console_page: Page, looker: Looker):
    console_page.goto(f"{console.url}/settings/consent/")
    console_page.get_by_text("Newsletter").first.click()
    looker.look("consent", whole=True)
