"""Fixtures: the console in a real browser, once as the whole demo with worker and mail catcher, once as the web pages alone."""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from tests import run
from tests.scenes import Scene
from webapp.demo import children
from webapp.demo.data import DemoData
from webapp.demo.maildir import Maildir
from webapp.paths import ROOT

PATIENCE_MS = 30_000
"""What a loaded machine may take; a condition that holds is not waited for."""
expect.set_options(timeout=PATIENCE_MS)

OUTSIDE = ("DATABASE_URL", "REDIS_URL", "MAIL_", "MASSMAIL_", "RQ_", "SECRET_KEY")
"""What a developer's own environment must not bring into a demo of the tests."""


@dataclass
class Demo:
    """A demo that a test started with its own data: `python3 -m webapp demo`, less the making of the environment."""

    instance: Path
    port: int
    clients: int = 5000
    options: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)
    output: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
        own = {"MASSMAIL_INSTANCE": str(self.instance), "MASSMAIL_URL": self.url, "MASSMAIL_ENV_FILE": ""}
        at_once = {"MASSMAIL_UNDO": "0", "MASSMAIL_TYPE_NUMBER_ABOVE": "1000000"}
        return kept | own | at_once | self.extra

    @property
    def maildir(self) -> Maildir:
        """What the mail catcher took."""
        return Maildir(self.instance / "mails")

    def broadcast_mails(self) -> list[str]:
        """Names of the caught mails that broadcasts sent; notices to users are marked as written by a program."""
        return [name for name in self.maildir.names() if not self._is_notice(name)]

    def _is_notice(self, name: str) -> bool:
        header = dict(self.maildir.headers(name))
        return "Auto-Submitted" in header and "X-Massmail-Id" not in header

    def notice_mails(self) -> list[str]:
        """Names of the caught mails that told users what had happened."""
        return sorted(set(self.maildir.names()) - set(self.broadcast_mails()))

    def start(self, patience: float = 90) -> "Demo":
        """Start it and wait until it prints its sign-in link; fails the test with its output if it does not."""
        self.output = ""
        options = ["--port", str(self.port), "--clients", str(self.clients), *self.options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp.demo.command", *options],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a script's shell does for `command &`
        )
        if not self.wait_for_output(r"/sign-in/link/\S+", patience):
            self.process.kill()
            logs = "\n".join(f"--- {log.name}\n{children.tail(log)}" for log in (self.instance / "logs").glob("*.log"))
            pytest.fail(f"the demo did not start:\n{self.output}\n{logs}", pytrace=False)
        return self

    def wait_for_output(self, pattern: str, patience: float) -> bool:
        """Read what the demo prints until `pattern` is in it; False when it ended or took too long."""
        assert self.process.stdout
        deadline = time.monotonic() + patience
        while not re.search(pattern, self.output):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not chunk:
                return False
            self.output += chunk.decode()
        return True

    def sign_in_link(self) -> str:
        """The address of a new link that signs the demo's user in, once."""
        return DemoData(self.environ).sign_in_link()

    def programs(self) -> list[int]:
        """The demo's children and theirs that are alive, known by their environment or, as Valkey overwrites that, by their folder."""
        mark = f"MASSMAIL_INSTANCE={self.instance}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid:
                with contextlib.suppress(OSError):
                    here = (entry / "cwd").readlink().is_relative_to(self.instance)
                    if here or mark in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
        return found

    def end(self, sign: signal.Signals = signal.SIGINT, patience: float = 30) -> int:
        """End it as Ctrl-C does; returns its exit code, `output` is complete."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        rest, _ = self.process.communicate(timeout=patience)
        self.output += rest.decode()
        return self.process.returncode


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The real demo with 5,000 clients, one for all tests of a file."""
    instance = run.folder() / f"demo-{os.getpid()}-{free_port()}"
    demo = Demo(instance, free_port()).start()
    yield demo
    demo.end()
    shutil.rmtree(instance, ignore_errors=True)


@pytest.fixture
def demo_page(demo: Demo, page: Page) -> Page:
    """A browser page, signed in to `demo`, on the list of mass mails."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(demo.sign_in_link())
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url("**/mass-mail/")
    return page


@dataclass(frozen=True)
class Console:
    """The pages of an app, served on loopback without worker or mail catcher."""

    app: Flask
    url: str


@pytest.fixture
def console(sqlite_app: Flask) -> Iterator[Console]:
    """The pages of `sqlite_app` for a real browser (use `sqlite_session` for its data; commit)."""
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, sqlite_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Console(sqlite_app, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def bring_sign_in(visitor: FlaskClient, console: Console, page: Page) -> None:
    """Have the browser go on with the sign-in of `visitor`."""
    name = console.app.config["SESSION_COOKIE_NAME"]
    cookie = visitor.get_cookie(name)
    assert cookie
    page.context.add_cookies([{"name": name, "value": cookie.value, "url": console.url}])
    page.set_default_timeout(PATIENCE_MS)


@pytest.fixture
def console_page(browser_client: FlaskClient, console: Console, page: Page) -> Page:
    """A browser page, signed in to `console` as `browser_client` is, on the list of mass mails."""
    bring_sign_in(browser_client, console, page)
    page.goto(f"{console.url}/mass-mail/")
    return page


@pytest.fixture
def console_scene(
    console: Console, sqlite_app: Flask, sqlite_session: Session, redis_url: str, tmp_path: Path
) -> Scene:
    """The console's own database as a place for real workers and a relay."""
    return Scene(sqlite_app, sqlite_session, redis_url, tmp_path)


def chromium() -> str:
    """Where Chromium is: MASSMAIL_CHROMIUM, or a usual name on the PATH. Skips (or fails) where there is none."""
    names = (os.environ.get("MASSMAIL_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    return found or run.missing("Chromium (on Debian: apt install chromium; or set MASSMAIL_CHROMIUM to another)")


def tick_all(page: Page) -> None:
    """Tick every warning of the review that is open."""
    for tick in page.locator("input[name=tick]").all():
        if not tick.is_checked():
            with page.expect_response("**/review/tick"):
                tick.check()
