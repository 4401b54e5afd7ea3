"""An open page hears that the last worker is gone, and that one is back."""

from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.scenes import Scene
from tests.smtp_oracle import Oracle
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import workers
from webapp.core.sending.workers import Identity


def seen(session: Session, ago: int) -> None:
    session.rollback()
    who = Identity("a", "mail1.example.com", 4711, "1.0", ("massmail",))
    workers.seen(session, who, workers.WAITS, now() - timedelta(seconds=ago))
    session.commit()


def test_an_open_page_hears_of_workers(console: Console, console_page: Page, sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session, state=BroadcastState.SCHEDULED)
    sqlite_session.commit()
    seen(sqlite_session, 0)
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    banner = console_page.get_by_role("main").get_by_text("nothing is sent")
    expect(console_page.locator("#no-worker")).to_be_attached()
    expect(banner).to_have_count(0)
    seen(sqlite_session, 40)
    expect(banner).to_be_visible()
    expect(console_page.get_by_text("RQ_CONFIG=jobs.worker rq worker")).to_be_visible()
    seen(sqlite_session, 0)
    expect(banner).to_have_count(0)


def test_what_was_created_without_a_worker_goes_out_when_one_starts(
    console: Console, console_page: Page, console_scene: Scene, sqlite_session: Session
):
    seen(sqlite_session, 40)
    with Oracle(console_scene.log) as oracle:
        key = console_scene.broadcast(3, name="Before there is a worker")
        console_scene.wake(key)
        console_page.goto(f"{console.url}/mass-mail/{key}/")
        banner = console_page.get_by_role("main").get_by_text("nothing is sent")
        state = console_page.locator("#broadcast-state")
        expect(banner).to_be_visible()
        expect(state).to_contain_text("Scheduled")
        assert console_scene.arrived() == 0
        with console_scene.worker(oracle):
            expect(state).to_contain_text("Finished", timeout=60_000)
            expect(banner).to_have_count(0)
        assert console_scene.arrived() == 3


def test_the_page_of_workers_follows_them(console: Console, console_page: Page, sqlite_session: Session):
    console_page.goto(f"{console.url}/settings/workers/")
    expect(console_page.get_by_role("heading", name="No worker has ever been seen")).to_be_visible()
    seen(sqlite_session, 0)
    expect(console_page.get_by_role("cell", name="mail1.example.com")).to_be_visible()
    expect(console_page.get_by_text("Ready", exact=True)).to_be_visible()
