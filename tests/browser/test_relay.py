"""The relay goes away and comes back while a page is open: it says so, and the mass mail is finished without a click."""

from contextlib import ExitStack

from flask import Flask
from playwright.sync_api import Page, expect

from tests.consoles import Console
from tests.scenes import Scene
from tests.smtp_oracle import Oracle
from webapp.config import RelaySettings


def test_an_open_page_follows_a_relay_that_goes_and_comes(
    console: Console, console_page: Page, console_scene: Scene, sqlite_app: Flask
):
    scene = console_scene
    with ExitStack() as first:
        port = first.enter_context(Oracle(scene.log)).port
        sqlite_app.config["RELAY"] = RelaySettings(port=port)
        with scene.worker(port):
            key = scene.broadcast(12, batch_size=1, interval_s=1, name="With an absent relay")
            console_page.goto(f"{console.url}/mass-mail/{key}/")
            scene.wake(key)
            scene.wait_for_mails(1)
            first.close()
            expect(console_page.get_by_text("Waiting for the relay since")).to_be_visible()
            expect(console_page.locator("#broadcast-state")).to_contain_text("Waiting for the relay")
            with Oracle(scene.log, None, port):
                expect(console_page.locator("#broadcast-state")).to_contain_text("Finished", timeout=90_000)
