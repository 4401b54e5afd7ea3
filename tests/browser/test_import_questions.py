"""A file with words of another panel, in a real browser: asked, answered, shown, taken over, and the next one asks nothing."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.core.imports.steps import CASES, imported, written
from tests.looks import Looker
from webapp.adapters import uploads
from webapp.adapters.clock import now
from webapp.core.imports import running, runs
from webapp.core.rules.statuses import HoldingStatus
from webapp.core.tables.clients import Service

HEADER = "ID,User ID,Product Name,Domain,Domain Status,Amount,Next Due Date,Subscription ID"


@pytest.fixture
def work(console: Console, sqlite_session: Session):
    """What a worker does when it is asked for a step of the newest import."""

    def do(step: str) -> None:
        sqlite_session.rollback()
        run = runs.listing(sqlite_session)[0]
        import_id, source = (
            run.id,
            uploads.get(sqlite_session.get_bind(), run.stored_as, Path(console.app.config["INSTANCE"])),
        )
        sqlite_session.rollback()
        running.work(sqlite_session, import_id, step, source, now)

    return do


@pytest.fixture
def upload(console: Console, console_page: Page):
    def do(path: Path) -> Page:
        console_page.goto(f"{console.url}/clients/import/")
        console_page.locator("#file").set_input_files(path)
        console_page.get_by_role("button", name="Upload and look").click()
        return console_page

    return do


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    page.get_by_text("Waits for a worker").wait_for()


def services(path: Path, *rows: str) -> Path:
    return written(path, HEADER, *(f"{row},sub_{number}" for number, row in enumerate(rows)))


def test_words_of_another_panel_are_asked_shown_taken_over_and_not_asked_again(
    upload, work, tmp_path: Path, sqlite_session: Session, looker: Looker
):
    people = written(tmp_path / "c.csv", "Client ID,Full Name,Status", "7,Ada Lovelace,Active", "8,Bo Ek,Active")
    imported(sqlite_session, people)
    imported(
        sqlite_session, written(tmp_path / "b.csv", "Service ID,Client ID,Product,Status,Price", "1,7,Web,Active,5")
    )
    rows = [
        "1,7,Web,a.example,Grace,1.234,03/07/2027",
        "2,8,Web,b.example,Pending Transfer,9.90,03/08/2027",
        "3,8,Web,c.example,Odd,9.90,",
    ]
    page = upload(services(tmp_path / "services.csv", *rows))
    expect(page.get_by_label("Service ID")).to_have_value("0")
    looker.look("import-mapping", whole=True)
    press(page, "Check, without importing")
    work("check")

    expect(page.get_by_role("heading", name="What does this mean?")).to_be_visible()
    expect(page.get_by_text("Say first what is asked below.")).to_be_visible()
    expect(page.get_by_label("Grace")).to_have_value("active")
    expect(page.get_by_label("Pending Transfer")).to_have_value("inactive")
    expect(page.get_by_label("Odd")).to_have_value("")
    looker.look("import-questions", whole=True)
    page.get_by_label("Odd").select_option("Leave these rows out")
    page.get_by_label("7 March 2027").check()
    page.get_by_label("1.23").check()
    press(page, "Check with these answers")
    work("check")

    changes = page.locator("#changes")
    expect(changes.get_by_role("row", name="1 Price 5.00 1.23")).to_be_visible()
    expect(changes.get_by_role("row", name="1 Next due date empty 2027-03-07")).to_be_visible()
    looker.look("import-changes", whole=True)
    press(page, "Import 2 rows")
    work("run")
    expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    sqlite_session.rollback()
    found = dict(sqlite_session.execute(select(Service.number, Service.status)).all())
    assert found == {"1": HoldingStatus.ACTIVE, "2": HoldingStatus.INACTIVE}

    page = upload(
        services(tmp_path / "next.csv", "4,7,Web,d.example,GRACE,2.345,04/07/2027", "5,7,Web,e.example,odd,1,")
    )
    expect(page.locator("#remembered")).to_contain_text("services.csv")
    press(page, "Check, without importing")
    work("check")
    expect(page.get_by_role("button", name="Import 1 row")).to_be_visible()
    expect(page.get_by_role("heading", name="What does this mean?")).to_have_count(0)
    looker.look("import-remembered", whole=True)


def test_a_list_of_orders_is_asked_what_it_is(upload, looker: Looker):
    page = upload(CASES / "11-orders-taken-for-clients.csv")
    expect(page.get_by_role("heading", name="What are the rows of this file?")).to_be_visible()
    looker.look("import-kind", whole=True)
    page.get_by_role("radio", name="Services What clients hold").check()
    page.get_by_role("button", name="Assign the columns").click()
    expect(page.get_by_label("Product", exact=True)).to_have_value("?")
    expect(page.get_by_text("“title” could be it, but often is something else.")).to_be_visible()
    page.get_by_label("Status", exact=True).select_option("the same for all rows")
    expect(page.get_by_label("The same for all rows").filter(visible=True)).to_be_visible()
    looker.look("import-asked", whole=True)
