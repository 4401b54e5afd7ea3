"""`flask bounces`: once, or until it is asked to end."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.adapters.bounces.conftest import BOUNCE, bounce
from tests.adapters.bounces.imap_server import ImapServer
from tests.factories import NOW
from webapp.core.content import return_paths
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.events import DeliveryEvent
from webapp.paths import ROOT

ADDRESS = "bounce@example.com"


@pytest.fixture
def sent(sqlite_app: Flask, sqlite_session: Session) -> tuple[int, str]:
    """The id of a delivery, and its return path."""
    sqlite_app.config["BOUNCE_ADDRESS"] = ADDRESS
    broadcast = factories.broadcast(sqlite_session, state=BroadcastState.FINISHED, started_at=NOW)
    delivery = factories.delivery(sqlite_session, broadcast, state=DeliveryState.ACCEPTED, stamped_at=NOW)
    make = return_paths.maker(sqlite_session, broadcast, ReturnPath.of(ADDRESS))
    assert make is not None
    made = delivery.id, make(delivery.id)
    sqlite_session.commit()
    return made


def recorded(session: Session) -> list[int | None]:
    session.rollback()
    return list(session.scalars(select(DeliveryEvent.delivery_id).order_by(DeliveryEvent.id)))


def returned(return_path: str) -> bytes:
    return BOUNCE.replace(b"bounce+k7qtoken@example.com", return_path.encode())


def test_a_maildir_is_read_once(sqlite_app: Flask, sqlite_session: Session, sent: tuple[int, str], tmp_path: Path):
    delivery_id, return_path = sent
    for part in ("new", "cur"):
        (tmp_path / part).mkdir()
    (tmp_path / "new" / "1").write_bytes(returned(return_path))
    answered = sqlite_app.test_cli_runner().invoke(args=["bounces", "maildir", "--once", "--folder", str(tmp_path)])
    assert answered.output == "1 taken.\n"
    assert recorded(sqlite_session) == [delivery_id]


def test_a_mailbox_is_read_once(sqlite_app: Flask, sqlite_session: Session, sent: tuple[int, str]):
    with ImapServer({1: returned(sent[1]), 2: bounce(2)}) as server:
        sqlite_app.config["BOUNCE_IMAP"] = f"imap://user:pw@127.0.0.1:{server.port}"
        answered = sqlite_app.test_cli_runner().invoke(args=["bounces", "imap", "--once"])
    assert answered.output == "2 taken.\n"
    assert recorded(sqlite_session) == [sent[0], None]


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("listen", "MASSMAIL_BOUNCE_ADDRESS"),
        ("maildir", "MASSMAIL_BOUNCE_MAILDIR"),
        ("imap", "MASSMAIL_BOUNCE_IMAP"),
    ],
)
def test_what_is_not_set_is_named(sqlite_app: Flask, command: str, setting: str):
    answered = sqlite_app.test_cli_runner().invoke(args=["bounces", command])
    assert answered.exit_code == 1
    assert setting in answered.output


def test_a_mailbox_that_is_away_is_said(sqlite_app: Flask):
    sqlite_app.config["BOUNCE_IMAP"] = "imap://user:secret@127.0.0.1:1"
    answered = sqlite_app.test_cli_runner().invoke(args=["bounces", "imap", "--once"])
    assert answered.exit_code == 1
    assert "cannot be read" in answered.output
    assert "secret" not in answered.output


def test_the_listener_serves_as_a_process_of_its_own(
    sqlite_app: Flask, sqlite_session: Session, sent: tuple[int, str], tmp_path: Path
):
    """As systemd starts it, to the point where SIGTERM ends it."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port, fd = place.getsockname()[1], place.fileno()
        env = {
            **os.environ,
            "DATABASE_URL": sqlite_app.config["SQLALCHEMY_DATABASE_URI"],
            "MASSMAIL_INSTANCE": str(tmp_path / "own"),
            "MASSMAIL_BOUNCE_ADDRESS": ADDRESS,
            "MASSMAIL_ENV_FILE": "",
        }
        args = [sys.executable, "-m", "webapp.command", "bounces", "listen", "--fd", str(fd)]
        process = subprocess.Popen(args, env=env, cwd=ROOT, pass_fds=[fd], stdout=subprocess.PIPE, text=True)
    try:
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("", [sent[1]], returned(sent[1]))
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Bounces are taken at lmtp://127.0.0.1:" in said
    assert recorded(sqlite_session) == [sent[0]]
