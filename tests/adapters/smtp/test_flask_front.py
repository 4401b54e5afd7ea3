"""Flask-Mail over our connection: time-outs, verified TLS, and no failure invented after acceptance."""

import smtplib
import ssl
from pathlib import Path

import pytest
from flask import Flask
from flask_mail import Message

from tests import oracle_log
from tests.certificates import Authority
from tests.exchange import mail
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters.smtp.flask_front import RelayMail
from webapp.config import RelaySettings
from webapp.core.ports import Stage
from webapp.extensions import mail as extension

MESSAGE = {"subject": "Alert", "recipients": ["ops@example.test"], "body": "hello", "sender": "console@example.test"}


def front(oracle: Oracle, **values: object) -> tuple[Flask, RelayMail]:
    app = Flask("front")
    app.config["RELAY"] = RelaySettings(**{"host": "127.0.0.1", "port": oracle.port, **values})  # type: ignore[arg-type]
    return app, RelayMail(app)


def test_the_programs_extension_is_ours() -> None:
    assert isinstance(extension, RelayMail)


def test_a_message_of_flask_mail_arrives(oracle_file: Path) -> None:
    with Oracle(oracle_file) as oracle:
        app, front_mail = front(oracle)
        with app.app_context():
            front_mail.send(Message(**MESSAGE))
    (taken,) = oracle_log.kept(oracle_file)
    assert (taken.mail_from, taken.recipient) == ("console@example.test", "ops@example.test")


@pytest.mark.parametrize("kind", ["drop", "reset", "5xx", "garbage"])
def test_trouble_in_quit_is_no_failure(oracle_file: Path, kind: str) -> None:
    with Oracle(oracle_file, Script(faults=(Fault("quit", kind),))) as oracle:
        app, front_mail = front(oracle)
        with app.app_context():
            front_mail.send(Message(**MESSAGE))
    assert len(oracle_log.kept(oracle_file)) == 1


def test_a_refusal_is_one(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(faults=(Fault("dot", "5xx"),))) as oracle:
        app, front_mail = front(oracle)
        with app.app_context(), pytest.raises(smtplib.SMTPDataError):
            front_mail.send(Message(**MESSAGE))


@pytest.mark.parametrize(("tls", "setting"), [("starttls", "starttls"), ("implicit", "implicit_tls")])
def test_tls_is_verified(oracle_file: Path, authority: Authority, tls: str, setting: str) -> None:
    script = Script(tls=tls, certificate=str(authority.server("127.0.0.1")), users={"u": "p"})
    with Oracle(oracle_file, script) as oracle:
        app, front_mail = front(oracle, **{setting: True}, ca_file=str(authority.ca_file), username="u", password="p")
        with app.app_context():
            front_mail.send(Message(**MESSAGE))
        app, front_mail = front(oracle, **{setting: True})
        with app.app_context(), pytest.raises(ssl.SSLCertVerificationError):
            front_mail.send(Message(**MESSAGE))
    assert len(oracle_log.kept(oracle_file)) == 1


def test_silence_ends(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(faults=(Fault("mail", "stall"),))) as oracle:
        app, front_mail = front(oracle, command_timeout=0.1)
        with app.app_context(), pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            front_mail.send(Message(**MESSAGE))


def test_a_rendered_mail_is_answered_for(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(faults=(Fault("rcpt", "5xx", nth=2),))) as oracle:
        app, front_mail = front(oracle)
        with app.app_context():
            assert front_mail.send_one(mail(1)).code == 250
            assert front_mail.send_one(mail(2)).stage is Stage.RCPT
