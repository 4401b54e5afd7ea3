"""The demo is ended in the middle of a broadcast and started again."""

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests import run
from tests.consoles import Demo, free_port
from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.rules.consent import Purpose
from webapp.core.rules.statuses import MessageType
from webapp.demo.data import DemoData

CLIENTS = 800
CONTENT = {
    "subject": "Hello {{ first_name }}",
    "html": "<p>Dear {{ full_name }}, all is well.</p>",
    "purpose": Purpose.IMPORTANT,
    "important_reason": "A test of a restart",
}


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = Demo(run.folder() / f"restart-{free_port()}", free_port(), clients=CLIENTS)
    yield demo.start()
    if demo.process.poll() is None:
        demo.end()


def send_to_all(demo: Demo, batch_size: int) -> None:
    """Begin a broadcast to everybody, `batch_size` mails a second. The sweep finds it: nothing is asked of Redis here."""
    with DemoData(demo.environ).session() as session:
        broadcast = broadcasts.create(session, MessageType.GENERAL, None, now())
        broadcasts.edit(session, broadcast.id, None, CONTENT | {"batch_size": batch_size, "interval_s": 1}, now())
        broadcasts.schedule(session, broadcast.id, None, now())


def states(demo: Demo) -> dict[str, int]:
    with closing(sqlite3.connect(demo.instance / "massmail.sqlite3")) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall())


def state_of_broadcast(demo: Demo) -> str:
    with closing(sqlite3.connect(demo.instance / "massmail.sqlite3")) as connection:
        return connection.execute("SELECT state FROM broadcast").fetchone()[0]


def wait(what: Callable[[], bool], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.1)


def test_what_ctrl_c_interrupts_goes_on_at_the_next_start_and_nobody_gets_it_twice(demo: Demo):
    send_to_all(demo, batch_size=100)
    wait(lambda: len(demo.broadcast_mails()) >= 100, 60)
    began = time.monotonic()
    assert demo.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    halfway = states(demo)
    assert halfway.keys() & {"claimed", "uncertain"} == set(), "a warm end leaves nothing in doubt"
    assert halfway["accepted"] == len(demo.broadcast_mails()) < sum(halfway.values()) - halfway.get("skipped", 0)

    demo.start()
    wait(lambda: state_of_broadcast(demo) == "finished", 90)
    assert states(demo).keys() <= {"accepted", "skipped"}
    caught = Counter(demo.maildir.summary(name).recipient for name in demo.broadcast_mails())
    assert sum(caught.values()) == states(demo)["accepted"]
    assert set(caught.values()) == {1}
