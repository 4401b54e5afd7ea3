"""What can be done next with an import, in a real browser: only what was checked is imported."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.core.imports.steps import written
from tests.looks import Looker
from webapp.adapters import uploads
from webapp.adapters.clock import now
from webapp.core.imports import running, runs
from webapp.core.tables.imports import ImportState

HEADER = "Client ID,First Name,Last Name,Status"


@pytest.fixture
def check(console: Console, sqlite_session: Session):
    """What a worker does when import 1 is to be checked."""

    def do() -> None:
        sqlite_session.rollback()
        name, instance = runs.get(sqlite_session, 1).stored_as, Path(console.app.config["INSTANCE"])
        path = uploads.get(sqlite_session.get_bind(), name, instance)
        running.work(sqlite_session, 1, "check", path, now)

    return do


@pytest.fixture
def opened(console: Console, console_page: Page, tmp_path: Path, check) -> Page:
    """The page of a checked import."""
    page = console_page
    page.goto(f"{console.url}/clients/import/")
    page.locator("#file").set_input_files(written(tmp_path / "a.csv", HEADER, "1,Ada,Lovelace,Active"))
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_role("button", name="Check, without importing").click()
    page.get_by_text("Waits for a worker").wait_for()
    check()
    expect(import_button(page)).to_be_visible()
    return page


def import_button(page: Page):
    return page.get_by_role("button", name="Import 1 row")


def next_step(page: Page):
    return page.locator("[data-while-unchecked]")


def test_a_column_assigned_otherwise_has_to_be_checked_before_it_can_be_imported(
    opened: Page, sqlite_session: Session, check, looker: Looker
):
    opened.get_by_label("First name").select_option("Last Name")
    opened.get_by_label("Last name").select_option("First Name")
    expect(import_button(opened)).to_be_hidden()
    expect(next_step(opened)).to_contain_text("Check again before you import")
    looker.look("import-unchecked", whole=True)
    opened.get_by_label("First name").select_option("First Name")
    opened.get_by_label("Last name").select_option("Last Name")
    expect(import_button(opened)).to_be_visible()
    expect(next_step(opened)).to_be_hidden()
    opened.get_by_label("First name").select_option("not in this file")
    next_step(opened).get_by_role("button", name="Check again").click()
    opened.get_by_text("Waits for a worker").wait_for()
    check()
    expect(import_button(opened)).to_be_visible()
    sqlite_session.rollback()
    assert "first_name" not in runs.get(sqlite_session, 1).mapping


def test_who_looked_before_somebody_else_checked_otherwise_is_told_and_imports_nothing(
    opened: Page, sqlite_session: Session, check, looker: Looker
):
    other = opened.context.new_page()
    other.goto(opened.url)
    other.get_by_label("First name").select_option("not in this file")
    next_step(other).get_by_role("button", name="Check again").click()
    other.get_by_text("Waits for a worker").wait_for()
    check()
    other.close()
    looker.complaints.clear()
    import_button(opened).click()
    expect(opened.get_by_role("alert")).to_contain_text("The columns were assigned differently since you looked")
    expect(opened.get_by_label("First name")).to_have_value("")
    looker.complaints = [one for one in looker.complaints if "409" not in one]
    looker.look("import-reassigned", whole=True)
    sqlite_session.rollback()
    assert runs.get(sqlite_session, 1).state is ImportState.CHECKED


def test_the_order_of_the_files_is_numbered(console: Console, console_page: Page):
    console_page.goto(f"{console.url}/clients/import/")
    expect(console_page.locator("ol.order")).to_have_css("list-style-type", "decimal")


def test_the_name_of_a_column_is_shown_whole_where_there_is_room(console: Console, console_page: Page, tmp_path: Path):
    rows = [f"{number},Active,1,somebody.with.a.long.name.{number}@mail.example.com" for number in range(3)]
    console_page.set_viewport_size({"width": 1280, "height": 860})
    console_page.goto(f"{console.url}/clients/import/")
    console_page.locator("#file").set_input_files(
        written(tmp_path / "a.csv", "Client ID,Status,Marketing Opt-in,Email", *rows)
    )
    console_page.get_by_role("button", name="Upload and look").click()
    assert console_page.get_by_label("Marketing opt-in").evaluate("(field) => field.clientWidth") >= 190
