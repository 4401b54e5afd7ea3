"""The mail server of the tests does wrong what it is told, then and to those that it is told, and nothing else."""

import smtplib
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import oracle_log
from tests.smtp_oracle import Oracle
from tests.smtp_script import Fault, Moment, Script, is_of_share

CONTENT = b"Subject: x\r\n\r\nHello\r\n"


def sign_on(oracle: Oracle) -> smtplib.SMTP:
    client = smtplib.SMTP(oracle.host, oracle.port, local_hostname="client.test", timeout=60)
    client.ehlo()
    return client


def hand_over(client: smtplib.SMTP, recipient: str = "a@b.test") -> tuple[str, int]:
    """The stage at which a mail ended, and the code."""
    for stage, call in {
        "mail": lambda: client.mail("s@example.com"),
        "rcpt": lambda: client.rcpt(recipient),
    }.items():
        if (code := call()[0]) >= 400:
            return stage, code
    return "dot", client.data(CONTENT)[0]


def test_a_connection_beyond_the_most_is_refused_and_does_not_count_itself(tmp_path: Path):
    script = Script(faults=(Fault("banner", "421", beyond_connections=2),))
    with Oracle(tmp_path / "log", script) as oracle, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(sign_on(oracle))
        for _ in range(2):
            with pytest.raises(smtplib.SMTPConnectError):
                sign_on(oracle)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Fault("mail", "say", reply="452 4.4.5 enough", beyond_mails=2), [("dot", 250)] * 2 + [("mail", 452)] * 2),
        (Fault("mail", "say", reply="452 no", every=2), [("dot", 250), ("mail", 452)] * 2),
        (Fault("rcpt", "say", reply="550 no", beyond_taken=1), [("dot", 250)] + [("rcpt", 550)] * 3),
        (Fault("rcpt", "say", reply="550 no", domain="b.test"), [("rcpt", 550)] * 4),
        (Fault("rcpt", "say", reply="550 no", domain="c.test"), [("dot", 250)] * 4),
        (Fault("mail", "say", reply="450 4.7.1 slowly", beyond_rate=1), [("dot", 250)] + [("mail", 450)] * 3),
    ],
)
def test_a_fault_happens_at_its_times(tmp_path: Path, fault: Fault, found: list[tuple[str, int]]):
    with Oracle(tmp_path / "log", Script(faults=(fault,))) as oracle, sign_on(oracle) as client:
        have = []
        for _ in range(4):
            have.append(hand_over(client))
            client.rset()
        assert have == found


def test_a_fault_looks_at_the_time_since_the_script_began_and_since_its_recipient_was_named():
    until = Fault("rcpt", "4xx", since_s=1, until_s=2)
    assert [until.is_meant(Moment(1, seconds)) for seconds in (0.9, 1, 1.9, 2)] == [False, True, True, False]
    greylists = Fault("rcpt", "4xx", greylists_s=60)
    assert [greylists.is_meant(Moment(1, 90, "a@b", known_s=known)) for known in (0, 59, 60)] == [True, True, False]


def test_a_share_is_always_the_same_addresses():
    addresses = [f"p{number}@d{number % 30}.example" for number in range(900)]
    of_it = [address for address in addresses if is_of_share(address, 1 / 3)]
    assert 240 < len(of_it) < 360 and of_it == [address for address in addresses if is_of_share(address, 1 / 3)]


def test_it_refuses_commands_that_come_with_the_dot_and_takes_those_that_wait(tmp_path: Path):
    with (
        Oracle(tmp_path / "log", Script(behind_dot=False)) as oracle,
        socket.create_connection((oracle.host, oracle.port), timeout=60) as connection,
        connection.makefile("rb") as answers,
    ):

        def ask(text: bytes, replies: int) -> list[bytes]:
            connection.sendall(text)
            return [answers.readline()[:3] for _ in range(replies)]

        group = b"MAIL FROM:<s@x.test>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n"
        answers.readline()
        assert ask(b"HELO me\r\n" + group, 4) == [b"250", b"250", b"250", b"354"]
        assert ask(CONTENT + b".\r\n" + group, 4) == [b"250", b"503", b"503", b"503"]
        assert ask(group, 3) == [b"250", b"250", b"354"]
        assert ask(CONTENT + b".\r\n", 1) == [b"250"]
    assert len(oracle_log.kept(tmp_path / "log")) == 2


def test_it_greets_in_several_lines_and_without_carriage_returns_and_announces_nothing(tmp_path: Path):
    script = Script(greeting=("one", "two", "three", "four"), bare_lf=True, extensions=False)
    with (
        Oracle(tmp_path / "log", script, host="::1") as oracle,
        socket.create_connection((oracle.host, oracle.port), timeout=60) as connection,
        connection.makefile("rb") as answers,
    ):
        greeting = [answers.readline() for _ in range(4)]
        assert greeting == [b"220-one\n", b"220-two\n", b"220-three\n", b"220 four\n"]
        connection.sendall(b"EHLO me\r\n")
        assert answers.readline() == b"250 oracle.test\n"


def test_a_script_survives_being_written_down():
    script = Script(faults=(Fault("auth", "say", reply="504 no", mechanism="PLAIN"),), greeting=("a", "b"))
    assert Script.from_json(script.to_json()) == script
