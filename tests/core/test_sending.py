"""Sending: the two threads together, with a relay on loopback and with one that answers as told."""

from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from tests import engine
from tests.neighbours import MailServer
from webapp.core.rules.lifecycle import BroadcastState


def test_it_sends_each_mail_once_and_finishes(app: Flask, session: Session, tmp_path: Path, mail_server: MailServer):
    broadcast = engine.sending_broadcast(session, mails=30)
    ending = engine.send(engine.engine_of(app), broadcast.id, tmp_path, mail_server.relay)
    assert ending.state is BroadcastState.FINISHED and ending.next_in is None
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 30}
    recipients = [mail.rcpt_to[0] for mail in mail_server.mails]
    assert sorted(recipients) == sorted(row.address for row in engine.rows(session, broadcast))
    assert list(tmp_path.glob("*.journal")) == []
