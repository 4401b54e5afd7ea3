"""The demo as a process: it starts, ends without leaving anything, keeps its data, and says what to do when it cannot start."""

import os
import re
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.consoles import Demo, free_port
from webapp.demo import command


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts small demos and sees to it that none outlives the test."""
    demos: list[Demo] = []

    def start(instance: str = "instance", **options) -> Demo:
        demos.append(Demo(tmp_path / instance, free_port(), clients=40, **options))
        return demos[-1].start()

    yield start
    for demo in demos:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()


def gone(demo: Demo, patience: float = 15) -> bool:
    deadline = time.monotonic() + patience
    while demo.programs() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not demo.programs()


def names(demo: Demo) -> str:
    commands = (Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in demo.programs())
    return "\n".join(commands)


def clients(demo: Demo) -> int:
    with sqlite3.connect(demo.instance / "massmail.sqlite3") as connection:
        return connection.execute("SELECT count(*) FROM client").fetchone()[0]


def test_it_runs_everything_and_ctrl_c_ends_everything(started: Callable[..., Demo]):
    demo = started()
    running = names(demo)
    for program in (
        "valkey-server",
        "webapp.demo.mail_catcher",
        "rq.cli worker --with-scheduler",
        "webapp.demo.web:app",
    ):
        assert program in running
    (link,) = re.findall(r"http://\S+/sign-in/link/\S+", demo.output)
    assert link.startswith(demo.url)
    with urllib.request.urlopen(link) as answer:
        assert "<button" in answer.read().decode()
    with pytest.raises(pytest.fail.Exception, match="already running"):
        Demo(demo.instance, free_port()).start()

    began = time.monotonic()
    assert demo.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    assert demo.programs() == []
    assert "data is kept" in demo.output
    logs = {path.name for path in (demo.instance / "logs").iterdir()}
    assert logs >= {"redis.log", "mail-catcher.log", "worker.log", "web-server.log"}


def test_a_second_start_keeps_the_data(started: Callable[..., Demo]):
    first = started()
    assert clients(first) == 40
    first.end()
    with sqlite3.connect(first.instance / "massmail.sqlite3") as connection:
        connection.execute("DELETE FROM from_address WHERE is_default")
        connection.execute("DELETE FROM client WHERE id NOT IN (SELECT client_id FROM service)")
    left = clients(first)
    second = started()
    assert clients(second) == left < 40
    assert "Making up" not in second.output


def test_fresh_forgets_what_the_demo_made_and_nothing_else(tmp_path: Path):
    ours = (
        "massmail.sqlite3",
        "massmail.sqlite3-wal",
        "mails/new/1",
        "valkey/appendonlydir/1",
        "logs/worker.log",
        "uploads/a.csv",
        "secret-key",
    )
    for name in (*ours, "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    command.forget(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(command.DemoProblem, match="Leave one of them out"):
        command.forget(tmp_path, {"DATABASE_URL": "postgresql://elsewhere/precious"})


def test_two_demos_do_not_meet_and_neither_leaves_a_process_when_it_is_killed(started: Callable[..., Demo]):
    one, other = started("one"), started("other")
    assert one.programs()
    one.process.send_signal(signal.SIGKILL)
    one.process.wait()
    assert gone(one), names(one)

    with urllib.request.urlopen(f"{other.url}/health/") as answer:
        assert answer.status == 200
    (catcher,) = [pid for pid in other.programs() if b"mail_catcher" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(catcher, signal.SIGKILL)
    assert other.process.wait(30) == 1
    other.end()
    assert "The mail catcher was ended by SIGKILL" in other.output
    assert gone(other), names(other)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"MAIL_PORT": "many"}, "MAIL_PORT is 'many': use a whole number"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "no Redis that answers"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "The database cannot be used"),
        ({"DATABASE_URL": "mysql://x"}, "SQLite and PostgreSQL are supported"),
    ],
)
def test_what_is_wrong_outside_is_said_in_a_sentence(tmp_path: Path, extra: dict[str, str], words: str):
    demo = Demo(tmp_path / "instance", free_port(), clients=5, extra=extra)
    with pytest.raises(pytest.fail.Exception, match=re.escape(words)):
        demo.start()
    assert "Traceback" not in demo.output


def test_a_busy_port_says_which_other_to_take(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = Demo(tmp_path / "instance", taken.getsockname()[1])
        with pytest.raises(pytest.fail.Exception, match=r"is taken by another program.*--port \d+"):
            demo.start()
    assert not (tmp_path / "instance" / "massmail.sqlite3").exists()


def test_with_a_relay_of_its_own_it_says_that_mails_leave(started: Callable[..., Demo]):
    relay = {"MAIL_SERVER": "relay.example.com", "MAIL_PORT": "2525", "MASSMAIL_CATCHER_DIR": "/of/an/earlier/start"}
    demo = started(extra=relay)
    assert demo.wait_for_output("Logs are in", 10)
    assert "MAILS LEAVE THIS MACHINE: they are handed to relay.example.com:2525" in demo.output
    assert "mail-catcher" not in demo.output


def test_a_demo_apart_touches_nothing_of_a_console_on_this_machine_and_leaves_nothing(
    started: Callable[..., Demo], tmp_path: Path
):
    """Its settings name a database, a Redis and a relay that are not there: it would end if it took one of them."""
    not_there = {
        "DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MAIL_SERVER": "none.example",
    }
    demo = started(options=("--apart",), extra=not_there)
    assert demo.wait_for_output(r"Logs are in \S+/logs", 10)
    (logs,) = re.findall(r"Logs are in (\S+)/logs", demo.output)
    assert "Mails are caught" in demo.output
    assert (Path(logs) / "massmail.sqlite3").exists()
    assert demo.end(signal.SIGINT) == 0
    assert not Path(logs).exists()
    assert not demo.instance.exists()
