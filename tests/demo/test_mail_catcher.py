"""The mail catcher as a process: a real SMTP conversation with it, and what it keeps."""

import signal
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.adapters.smtp import send_one
from webapp.config import RelaySettings
from webapp.core.ports import Mail
from webapp.demo import children, mail_catcher
from webapp.demo.maildir import Maildir
from webapp.paths import ROOT


@pytest.fixture
def caught(tmp_path: Path) -> Iterator[tuple[int, Maildir]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        args = mail_catcher.command(tmp_path / "mails", listener.fileno())
        process = children.start(args, log=tmp_path / "log", cwd=ROOT, pass_fds=[listener.fileno()])
        port = listener.getsockname()[1]
    yield port, Maildir(tmp_path / "mails")
    assert children.stop(process, sign=signal.SIGTERM, patience=5) == 0, children.tail(tmp_path / "log")


def test_it_keeps_a_mail_byte_for_byte_with_its_envelope(caught: tuple[int, Maildir]):
    port, maildir = caught
    content = "Subject: Grüße\r\n\r\n.dots\r\n..and more\r\n".encode()
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.sendmail("from@example.org", ["to@example.com"], content)
    (name,) = maildir.names()
    assert maildir.source(name) == content
    summary = maildir.summary(name)
    assert (summary.recipient, summary.subject) == ("to@example.com", "Grüße")


def test_it_takes_a_whole_group_of_commands_at_once(caught: tuple[int, Maildir]):
    """RFC 2920: what a pipelining client writes in one go is answered command by command."""
    port, maildir = caught
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile("rb") as lines:
        assert lines.readline().startswith(b"220 ")
        connection.sendall(b"EHLO client.example\r\n")
        offered = []
        while True:
            line = lines.readline()
            offered.append(line[4:].strip())
            if line[3:4] == b" ":
                break
        assert b"PIPELINING" in offered
        start = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        connection.sendall(start)
        assert [lines.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        connection.sendall(b"Subject: one\r\n\r\n1\r\n.\r\n" + start)
        assert [lines.readline()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
        connection.sendall(b"Subject: two\r\n\r\n2\r\n.\r\n")
        assert lines.readline()[:3] == b"250"
    assert [maildir.summary(name).subject for name in maildir.names()] == ["two", "one"]


def test_an_address_outside_ascii_is_taken_and_read_back(caught: tuple[int, Maildir]):
    port, maildir = caught
    address = "žofie用户@xn--r8jz45g.example"
    head = f"From: a@example.org\r\nTo: =?utf-8?b?xb1vZmll?= =?utf-8?q?_Mal=C3=A1?=\r\n <{address}>\r\nSubject: one\r\n\r\n"
    reply = send_one(RelaySettings(port=port), Mail(1, "a@example.org", address, head.encode() + b"1\r\n"))
    assert reply.code == 250
    (name,) = maildir.names()
    assert maildir.source(name) == head.encode() + b"1\r\n"
    summary = maildir.summary(name)
    assert (summary.recipient, summary.name_of_recipient) == (address, "Žofie Malá")
    assert dict(maildir.headers(name))["To"] == f"Žofie Malá <{address}>"
