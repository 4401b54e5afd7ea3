"""Two people look at a mass mail with a pace, in its page and in the list, while a third pauses it: what they see is what happens."""

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.consoles import Console
from tests.pages.broadcast_page import maker
from tests.scenes import Scene
from tests.smtp_oracle import Oracle
from webapp.adapters import clock
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState

INTERVAL_S = 6
"""Longer than a sender waits by itself, so that a look at the next batch is left over from the pause."""


def test_a_pause_is_kept_for_two_intervals_and_both_pages_hear_of_it(
    console: Console, console_page: Page, console_scene: Scene
):
    scene = console_scene
    with Oracle(scene.log) as oracle, scene.worker(oracle):
        key = scene.broadcast(9, batch_size=1, interval_s=INTERVAL_S, name="With a pace")
        of_one = console_page
        of_all = of_one.context.new_page()
        of_one.goto(f"{console.url}/mass-mail/{key}/")
        of_all.goto(f"{console.url}/mass-mail/")
        scene.wake(key)
        in_list = of_all.locator(f"#row-state-{key}")
        expect(of_one.locator("#broadcast-state")).to_contain_text("Sending")
        expect(in_list).to_contain_text("Sending")
        scene.wait_for_mails(1)

        scene.do(lambda session: broadcasts.pause(session, key, "by Bob", clock.now()))
        left = scene.arrived()
        expect(of_one.locator("#broadcast-state")).to_contain_text("Paused")
        expect(of_one.locator("#action-resume")).to_be_visible()
        expect(in_list).to_contain_text("Paused: by Bob")
        of_one.wait_for_timeout(2 * INTERVAL_S * 1000)
        assert scene.arrived() == left and scene.state(key) == "paused"
        expect(of_one.locator("#broadcast-state")).to_contain_text("Paused")
        expect(in_list).to_contain_text("Paused: by Bob")

        scene.do(lambda session: broadcasts.resume(session, key, clock.now()))
        scene.wake(key)
        expect(of_one.locator("#action-pause")).to_be_visible()
        expect(in_list).to_contain_text("Sending")
        scene.wait_for_mails(left + 1)
        scene.do(lambda session: broadcasts.cancel(session, key, clock.now()))
        expect(of_one.locator("#broadcast-state")).to_contain_text("Cancelled")
        expect(in_list).to_contain_text("Cancelled")


def test_a_decision_in_the_making_survives_the_asking(console: Console, console_page: Page, sqlite_session: Session):
    broadcast = maker(sqlite_session)(BroadcastState.NEEDS_ATTENTION, {DeliveryState.UNCERTAIN: 2})
    console_page.goto(f"{console.url}/mass-mail/{broadcast.id}/")
    chosen = console_page.locator("input[value=failed]")
    chosen.check()
    with console_page.expect_response(lambda answer: "/progress?" in answer.url and answer.status == 204):
        pass
    expect(chosen).to_be_checked()
    broadcasts.cancel(sqlite_session, broadcast.id, clock.now())
    sqlite_session.commit()
    expect(console_page.locator("#broadcast-state")).to_contain_text("Cancelled")
