"""What people see when nothing may be sent, and when a machine is gone: read, decide, go on, also on a phone and by the keyboard."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import engine
from tests.consoles import Console
from tests.engine import Clocks
from tests.looks import Looker
from webapp.adapters import clock
from webapp.core import ledger
from webapp.core.settings import installation
from webapp.core.settings.installation import HighWaterMark
from webapp.core.tables.deliveries import Sender


@pytest.fixture
def sending(sqlite_session: Session):
    return engine.sending_broadcast(sqlite_session, mails=5, name="Maintenance on Sunday", now=clock.now())


def test_a_restored_database_is_explained_and_released(
    console: Console, console_page: Page, sqlite_session: Session, sending, looker: Looker
):
    known = installation.sign_of_life(sqlite_session, clock.now() - timedelta(hours=5))
    sqlite_session.flush()
    sqlite_session.expire_all()
    mark = HighWaterMark(known.database_id, known.generation + 5, clock.now() - timedelta(hours=1))
    installation.notice(sqlite_session, [mark], clock.now())
    sqlite_session.commit()
    page = console_page
    page.goto(f"{console.url}/mass-mail/")
    looker.look("held-list", whole=True)
    page.goto(f"{console.url}/mass-mail/{sending.id}/")
    looker.look("held-broadcast", whole=True)
    page.get_by_role("link", name="What to do").click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    looker.look("held", whole=True)
    page.get_by_role("button", name="Release 1 mass mail").click()
    page.wait_for_url("**/mass-mail/")
    expect(page.get_by_text("older than what this installation has sent")).to_have_count(0)
    page.goto(f"{console.url}/mass-mail/{sending.id}/")
    expect(page.get_by_text("Some may have got this mass mail twice.")).to_be_visible()
    looker.look("held-twice", whole=True)
    page.goto(f"{console.url}/settings/held/")
    looker.look("hold", whole=True)
    assert looker.complaints == []


def test_a_machine_that_is_gone_is_given_up(
    console: Console, console_page: Page, sqlite_session: Session, sending, looker: Looker
):
    clocks = Clocks(wall=clock.now() - timedelta(minutes=4))
    lease = ledger.open_lease(
        sqlite_session, sending.id, host="mx-7", pid=1, journal="a.journal", machine="abc", reading=clocks.reading()
    )
    ledger.claim(sqlite_session, lease, 3, lambda holders: [["x"]] * len(holders), clock.reading())
    sqlite_session.get_one(Sender, lease.sender_id).suspected_at = clock.now() - timedelta(minutes=3)
    sqlite_session.commit()
    page = console_page
    page.goto(f"{console.url}/mass-mail/{sending.id}/")
    expect(page.get_by_text("3 mails are in doubt.")).to_be_visible()
    looker.look("lost-host", whole=True)
    page.get_by_role("link", name="It will not come back").press("Enter")
    page.get_by_role("button", name="Decide for 3 mails").wait_for()
    looker.look("lost-host-question", whole=True)
    page.get_by_role("button", name="Decide for 3 mails").press("Enter")
    expect(page.get_by_text("3 mails are in doubt.")).to_have_count(0)
    expect(page.get_by_text("3 mails: nobody knows.")).to_be_visible()
    assert looker.complaints == []
