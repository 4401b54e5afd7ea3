"""From the TCP connection to the first mail, with relays that are odd, wrongly set up, or slow: what is said, and what goes on."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import oracle_log
from tests.certificates import Authority
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters.smtp import SmtpMailer, send_one
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Reply, Stage


@contextmanager
def server(
    talk: Callable[[socket.socket], None], family: socket.AddressFamily = socket.AF_INET
) -> Iterator[RelaySettings]:
    """A server on loopback that has `talk` with each connection; gives the settings for it."""
    host = "::1" if family is socket.AF_INET6 else "127.0.0.1"
    listener = socket.create_server((host, 0), family=family)
    talks: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            talk(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                talks.append(threading.Thread(target=one, args=(listener.accept()[0],), daemon=True))
                talks[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield RelaySettings(host=host, port=listener.getsockname()[1], connections=1)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *talks):
            thread.join()


def first_trouble(relay: RelaySettings, **values: object) -> Reply:
    """What a single mail ends in."""
    return send_one(RelaySettings(**{"host": relay.host, "port": relay.port, **values}), mail(1))  # type: ignore[arg-type]


class OddRelay:
    """Knows neither EHLO nor an extension, greets in four lines and ends its own with a bare LF."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(b"220-relay.test\n220-is an old one\n220-be patient\n220 now\n")
        lines = connection.makefile("rb")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"EHLO":
                connection.sendall(b"502 what?\n")
            elif verb == b"DATA":
                connection.sendall(b"354 go on\n")
                content = b""
                while (part := lines.readline()) != b".\r\n":
                    content += part
                self.contents.append(content)
                connection.sendall(b"250 ok\n")
            else:
                connection.sendall(b"221 bye\n" if verb == b"QUIT" else b"250\n")
                if verb == b"QUIT":
                    return


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["127.0.0.1", "::1"])
def test_an_old_relay_gets_its_mails(family: socket.AddressFamily) -> None:
    relay = OddRelay()
    with server(relay, family) as settings, RecordingExchange([mail(number) for number in range(5)]) as exchange:
        mailer = SmtpMailer(settings)
        mailer.run(exchange)
        mailer.close()
    assert {tuple(replies) for replies in exchange.replies.values()} == {(Reply(Stage.DOT, 250, "ok"),)}
    assert sorted(relay.contents) == [mail(number).data for number in range(5)]


class TestSilence:
    @pytest.mark.parametrize(
        ("greeting", "seconds", "stage", "words"),
        [
            (b"", 0.2, Stage.BANNER, "no greeting for 0.2 s; a port that speaks TLS from the start keeps silent, too"),
            (b"220 hello\r\n", 2, Stage.EHLO, "no answer to EHLO for 2 s"),  # by then the greeting is there
        ],
    )
    def test_it_is_trouble_with_words_for_each_stage(
        self, greeting: bytes, seconds: float, stage: Stage, words: str
    ) -> None:
        def silent(connection: socket.socket) -> None:
            connection.sendall(greeting)
            while connection.recv(1000):
                pass

        with server(silent) as settings:
            trouble = first_trouble(settings, command_timeout=seconds)
        assert (trouble.stage, trouble.cause) == (stage, Cause.SILENT)
        assert str(trouble.error).startswith(words)

    def test_a_connection_that_is_being_opened_is_told_of_and_left_alone_until_its_time_is_over(
        self, oracle_file: Path
    ) -> None:
        told: list[tuple[int, int]] = []

        class Watching(RecordingExchange):
            def holds(self, connections: int, opening: int) -> None:
                told.append((connections, opening))
                super().holds(connections, opening)

        late = Fault("banner", "slow", seconds=0.3)
        with Oracle(oracle_file, Script(faults=(late,))) as oracle, Watching([mail(1), mail(2)]) as exchange:
            mailer = SmtpMailer(RelaySettings(port=oracle.port, connections=1))
            asker = threading.Thread(target=lambda: [(time.sleep(0.02), exchange.wake()) for _ in range(5)])
            asker.start()
            mailer.run(exchange)
            asker.join()
            mailer.close()
        assert told[:3] == [(0, 0), (1, 1), (1, 0)]
        assert len(list(oracle_log.events(oracle_file, "connected"))) == 1
        assert [exchange.replies[number][0].code for number in (1, 2)] == [250, 250]


class TestTlsWhereThereIsNoneAndTheReverse:
    def test_tls_from_the_start_at_a_plain_port(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            trouble = first_trouble(RelaySettings(port=oracle.port), implicit_tls=True)
        assert (trouble.stage, trouble.cause) == (Stage.STARTTLS, Cause.LOST)
        words = f"port {oracle.port} of the relay does not speak TLS from the start: unset MAIL_USE_SSL, and set MAIL_USE_TLS"
        assert str(trouble.error).startswith(words)

    @pytest.mark.parametrize("alert", [b"\x15\x03\x01\x00\x02\x02\x46", b"\x15\x03\x01\x00\x02\x02\x0a"])
    def test_plain_at_a_port_that_answers_by_tls(self, alert: bytes) -> None:
        with server(lambda connection: connection.sendall(alert)) as settings:
            trouble = first_trouble(settings)
        assert trouble.stage is Stage.BANNER
        assert (
            trouble.error
            == f"port {settings.port} of the relay speaks TLS from the start: set MAIL_USE_SSL, and not MAIL_USE_TLS"
        )

    def test_plain_at_a_port_that_waits_for_tls(self, oracle_file: Path, authority: Authority) -> None:
        script = Script(tls="implicit", certificate=str(authority.server("127.0.0.1")))
        with Oracle(oracle_file, script) as oracle:
            trouble = first_trouble(RelaySettings(port=oracle.port), command_timeout=0.2)
        assert (trouble.stage, trouble.cause) == (Stage.BANNER, Cause.SILENT)
        assert str(trouble.error).endswith("for such a one set MAIL_USE_SSL")

    def test_plain_at_a_port_that_hangs_up(self) -> None:
        with server(lambda connection: None) as settings:
            trouble = first_trouble(settings)
        assert (trouble.stage, trouble.cause) == (Stage.BANNER, Cause.LOST)
        assert str(trouble.error).startswith("connection closed by the relay before its greeting")


class TestSigningIn:
    def run(self, oracle: Oracle, password: str = "right", **values: object) -> RecordingExchange:
        relay = RelaySettings(port=oracle.port, connections=1, username="user", password=password)
        with RecordingExchange([mail(1)], **values) as exchange:  # type: ignore[arg-type]
            mailer = SmtpMailer(relay, first_pause=0.001)
            mailer.run(exchange)
            mailer.close()
        return exchange

    @pytest.mark.parametrize(
        "reply",
        ["504 5.5.4 no such mechanism", "534 5.7.9 too weak", "538 5.7.11 not so", "501 5.5.4 unknown mechanism"],
    )
    def test_where_plain_is_refused_login_is_tried(self, oracle_file: Path, reply: str) -> None:
        not_plain = Fault("auth", "say", nth=1, reply=reply)
        with Oracle(oracle_file, Script(faults=(not_plain,), users={"user": "right"})) as oracle:
            exchange = self.run(oracle)
        assert exchange.troubles == [] and exchange.replies[1][0].code == 250
        assert [event["mechanism"] for event in oracle_log.events(oracle_file, "signed_in")] == ["LOGIN"]
        assert len(list(oracle_log.events(oracle_file, "connected"))) == 1

    def test_where_both_are_refused_the_second_answer_counts(self, oracle_file: Path) -> None:
        neither = Fault("auth", "say", reply="504 5.5.4 no such mechanism")
        with Oracle(oracle_file, Script(faults=(neither,), users={"user": "right"})) as oracle:
            exchange = self.run(oracle, troubles_borne=1)
        assert exchange.troubles == [Reply(Stage.AUTH, 504, "5.5.4 no such mechanism")]

    def test_a_wrong_password_is_not_tried_in_another_way(self, oracle_file: Path) -> None:
        with Oracle(oracle_file, Script(users={"user": "right"})) as oracle:
            exchange = self.run(oracle, "wrong", troubles_borne=1)
        assert exchange.troubles == [Reply(Stage.AUTH, 535, "5.7.8 wrong user or password")]

    def test_a_sign_in_that_is_not_possible_just_now_is_tried_again(self, oracle_file: Path) -> None:
        not_now = Fault("auth", "say", times=2, reply="454 4.7.0 temporary failure")
        with Oracle(oracle_file, Script(faults=(not_now,), users={"user": "right"})) as oracle:
            exchange = self.run(oracle)
        assert exchange.troubles == [Reply(Stage.AUTH, 454, "4.7.0 temporary failure")] * 2
        assert exchange.replies[1][0].code == 250

    @pytest.mark.parametrize(
        ("mechanisms", "words"),
        [
            (
                ("CRAM-MD5", "XOAUTH2"),
                "The relay offers only CRAM-MD5 and XOAUTH2 for signing in; this program signs in by PLAIN or LOGIN",
            ),
            (("GSSAPI",), "The relay offers only GSSAPI for signing in; this program signs in by PLAIN or LOGIN"),
        ],
    )
    def test_mechanisms_that_are_not_known_are_named(
        self, oracle_file: Path, mechanisms: tuple[str, ...], words: str
    ) -> None:
        with Oracle(oracle_file, Script(users={"user": "right"}, mechanisms=mechanisms)) as oracle:
            exchange = self.run(oracle, troubles_borne=1)
        assert exchange.troubles == [Reply(Stage.AUTH, None, "", words, Cause.NOT_OFFERED)]

    def test_no_sign_in_at_all_is_said(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            (trouble,) = self.run(oracle, troubles_borne=1).troubles
        assert trouble.cause is Cause.NOT_OFFERED
        assert str(trouble.error).startswith("The relay offers no sign-in, but MAIL_USERNAME is set")


@pytest.mark.parametrize(
    ("size", "limit", "words"),
    [
        (1_200_000, 1_000_000, "5.3.4 this mail has 1.2 MB, the relay takes 1.0 MB"),
        (1_040_000, 1_020_000, "5.3.4 this mail has 1.04 MB, the relay takes 1.02 MB"),
    ],
)
def test_a_mail_that_is_too_large_is_refused_with_both_numbers(
    oracle_file: Path, size: int, limit: int, words: str
) -> None:
    line = b"x" * 78 + b"\r\n"
    large = mail(1, body=line * (size // 80 - 1))
    with Oracle(oracle_file, Script(size=limit)) as oracle:
        reply = send_one(RelaySettings(port=oracle.port), large)
    assert reply == Reply(Stage.MAIL, 552, words)
    assert oracle_log.received(oracle_file) == []


def test_a_relay_that_takes_long_for_each_dot_gets_its_mails(oracle_file: Path) -> None:
    ahead = 0.0

    def clock() -> float:
        return time.monotonic() + ahead

    class Patient(RecordingExchange):
        def settled(self, mail: object, reply: Reply) -> None:
            nonlocal ahead
            ahead += 20.0  # as if the answer had taken so long
            super().settled(mail, reply)  # type: ignore[arg-type]

    with (
        Oracle(oracle_file, Script(latency=0.002)) as oracle,
        Patient([mail(number) for number in range(30)]) as exchange,
    ):
        mailer = SmtpMailer(RelaySettings(port=oracle.port, connections=4), clock=clock)
        mailer.run(exchange)
        mailer.close()
    assert {replies[0].code for replies in exchange.replies.values()} == {250}
    assert exchange.troubles == [] and len(exchange.replies) == 30
