"""Notices by mail, at a real SMTP server: what arrives, and that nothing is lost while the relay is ill."""

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask

from tests import oracle_log
from tests.consoles import free_port
from tests.factories import NOW
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters import notice_mail
from webapp.adapters.smtp.flask_front import RelayMail
from webapp.config import RelaySettings
from webapp.core.notices.outbox import Answer, Errand
from webapp.core.rules.notices import Channel, NoticeKind

SENDER, URL = "Grüße vom Haus <support@example.com>", "https://mail.example.com"
COUNTS = {"accepted": 1200, "failed": 3, "uncertain": 0, "skipped": 0, "waiting": 40, "cancelled": 0}
PAUSED = {"id": 7, "name": "Autumn news\r\nBcc: x@y.test", "state": "paused", "reason": "535 no", "counts": COUNTS}
WAITING = {
    "number": 12,
    "broadcasts": [{"id": n, "name": f"News {n}", "state": "sending"} for n in range(10)],
    "reason": None,
}


def errand(kind: NoticeKind = NoticeKind.PAUSED_ITSELF, facts: dict = PAUSED, to: str = "uma@example.org") -> Errand:
    return Errand(1, 1, Channel.MAIL, 5, kind, facts, NOW, NOW, user_id=3, to=to, time_zone="Europe/Berlin")


def send(port: int, one: Errand | None = None, sender: str = SENDER, **settings: float) -> Answer:
    app = Flask("front")
    app.config["RELAY"] = RelaySettings(host="127.0.0.1", port=port, **settings)  # type: ignore[arg-type]
    mail = RelayMail(app)
    with app.app_context():
        return notice_mail.send(mail, sender, one or errand(), URL)


def test_a_notice_arrives_as_plain_text_with_one_link(oracle_file: Path, tmp_path: Path):
    with Oracle(oracle_file, Script(folder=str(tmp_path))) as oracle:
        assert send(oracle.port) == Answer(True, "The relay took it.")
    (taken,) = oracle_log.kept(oracle_file)
    assert (taken.mail_from, taken.recipient) == ("support@example.com", "uma@example.org")
    got = message_from_bytes((tmp_path / taken.sha256).read_bytes(), policy=policy.default)
    assert got["Subject"] == "Paused: Autumn news Bcc: x@y.test" and got["Bcc"] is None
    assert got["From"] == SENDER and got["To"] == "uma@example.org"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"] == f"<notice.5.5.3.{int(NOW.timestamp())}@example.com>"
    assert got.get_content_type() == "text/plain"
    text = got.get_content()
    assert "Sending has paused by itself. 535 no." in text
    assert "Mon 23 Nov 2026, 10:00 CET" in text, "by the reader's clock"
    assert "So far: 1,200 accepted, 3 failed, 40 waiting." in text
    assert text.count("http") == 1 and f"{URL}/mass-mail/7/" in text


def test_what_happens_at_once_is_one_mail_with_one_link():
    two = replace(errand(), others=(errand(NoticeKind.FINISHED, PAUSED | {"id": 8, "name": "Prices"}),))
    assert notice_mail.subject(two) == "Paused: Autumn news Bcc: x@y.test (and 1 more)"
    text = notice_mail.text(two, URL)
    assert "Sending has paused by itself." in text and "Finished: Prices" in text
    assert text.count("http") == 1 and f"{URL}/notices/" in text


def test_a_notice_of_the_site_names_what_waits():
    text = notice_mail.text(errand(NoticeKind.WAITS_FOR_RELAY, WAITING), URL)
    assert "- News 9\n- and 2 more" in text and f"{URL}/mass-mail/\n" in text


@pytest.mark.parametrize(
    ("stage", "kind", "final", "for_all"),
    [
        ("connect", "reset", False, True),
        ("banner", "5xx", False, True),
        ("banner", "4xx", False, True),
        ("mail", "5xx", False, True),
        ("rcpt", "4xx", False, False),
        ("rcpt", "5xx", True, False),
        ("dot", "4xx", False, False),
        ("dot", "5xx", False, False),
        ("dot", "drop", False, True),
    ],
)
def test_whose_fault_a_refusal_is_decides_who_waits(
    oracle_file: Path, stage: str, kind: str, final: bool, for_all: bool
):
    with Oracle(oracle_file, Script(faults=(Fault(stage, kind),))) as oracle:
        answer = send(oracle.port)
    assert (answer.is_done, answer.is_final, answer.is_for_all) == (False, final, for_all), answer
    assert answer.words.startswith("The relay ")


def test_a_relay_that_is_not_there_or_silent_is_an_answer(oracle_file: Path):
    assert send(free_port()).is_for_all
    with Oracle(oracle_file, Script(faults=(Fault("mail", "stall"),))) as oracle:
        answer = send(oracle.port, command_timeout=0.1)
    assert answer.is_for_all and not answer.is_done


def test_without_a_sender_the_words_say_what_to_do():
    answer = send(free_port(), sender="")
    assert answer == Answer(False, notice_mail.NO_SENDER, is_for_all=True)
