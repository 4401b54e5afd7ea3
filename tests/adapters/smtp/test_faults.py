"""Eleven stages x eight faults, pipelining and stepwise: each ends in the exact reply, and the log of the server agrees."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import oracle_log
from tests.certificates import Authority
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import KINDS, Fault, Oracle, Script
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.smtp.connection import Connection
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Mail, Reply, Stage
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import judge

A, H, F, U, P = (
    DeliveryState.ACCEPTED,
    DeliveryState.HELD,
    DeliveryState.FAILED,
    DeliveryState.UNCERTAIN,
    DeliveryState.PENDING,
)
TAKEN = Reply(Stage.DOT, 250, "2.0.0 taken")
CODES = {"4xx": 451, "5xx": 554, "421": 421}
CAUSES = {"drop": Cause.LOST, "reset": Cause.LOST, "half": Cause.LOST, "stall": Cause.SILENT, "garbage": Cause.GARBLED}
LARGE = b"x" * 76 + b"\r\n"
MEGABYTES = 16
"""More content than the sockets' buffers of both sides hold, so that the fault comes before the dot has left."""


class ImpatientMailer(SmtpMailer):
    """A mailer whose clock leaps far ahead while the server is silent on its present connection, so that no test waits for a time-out."""

    def __init__(self, settings: RelaySettings) -> None:
        self.silent_on = self.ended = self.ahead = 0
        super().__init__(settings, first_pause=0.001, clock=self.leaping)

    def leaping(self) -> float:
        if self.silent_on > self.ended:
            self.ahead += 10_000
        return time.monotonic() + self.ahead

    def has_ended(self, connection: Connection, failed: bool) -> None:
        self.ended += 1
        super().has_ended(connection, failed)


def send(oracle_file: Path, script: Script, mails: list[Mail], **settings: object) -> RecordingExchange:
    """Send the mails over one connection to a server that follows the script; time leaps when it stalls."""

    def silent(connection: int) -> None:
        mailer.silent_on = connection
        exchange.wake()

    with RecordingExchange(mails, troubles_borne=1) as exchange, Oracle(oracle_file, script, on_stall=silent) as oracle:
        relay = RelaySettings(**{"host": "127.0.0.1", "port": oracle.port, "connections": 1, **settings})  # type: ignore[arg-type]
        mailer = ImpatientMailer(relay)
        mailer.run(exchange)
        mailer.close()
    return exchange


def expected(stage: Stage, kind: str) -> Reply:
    if kind in CODES:
        return Reply(
            stage, CODES[kind], {"4xx": "4.3.0 trouble here", "5xx": "5.3.0 trouble here", "421": "4.3.2 closing"}[kind]
        )
    return Reply(stage, None, "", None, CAUSES[kind])


def same(reply: Reply, wanted: Reply) -> bool:
    text = "what is this?" if wanted.cause is Cause.GARBLED else wanted.text
    return (reply.stage, reply.code, reply.text, reply.cause) == (wanted.stage, wanted.code, text, wanted.cause)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
@pytest.mark.parametrize("kind", KINDS)
class TestOnceAMailIsUnderWay:
    """Three mails; the second meets the fault. The others arrive once, whatever happens to it."""

    def check(self, oracle_file: Path, exchange: RecordingExchange, replies: list[Reply], final: DeliveryState) -> None:
        got = exchange.replies[2]
        assert len(got) == len(replies) and all(map(same, got, replies)), got
        assert [exchange.last(number) for number in (1, 2, 3)] == [A, final, A]
        kept = oracle_log.per_recipient(oracle_file)
        assert kept["client1@example.test"] == kept["client3@example.test"] == 1
        if final is not U:
            assert kept["client2@example.test"] == (1 if final is A else 0)
        assert exchange.troubles == []
        at_mail = any(event["stage"] == "mail" for event in oracle_log.events(oracle_file, "fault"))
        strays = {event["command"] for event in oracle_log.events(oracle_file, "protocol")}
        assert strays <= ({"RCPT TO:<client2@example.test>"} if at_mail else set())  # it had left behind MAIL

    @pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA])
    def test_before_the_content_an_answer_is_taken_at_its_word_unless_another_connection_can_tell_better(
        self, oracle_file: Path, stage: Stage, kind: str, pipelining: bool
    ) -> None:
        script = Script(faults=(Fault(stage, kind, nth=2),), pipelining=pipelining)
        exchange = send(oracle_file, script, [mail(1), mail(2), mail(3)])
        first = expected(stage, kind)
        if first.cause is Cause.LOST or (stage is Stage.MAIL and kind in ("4xx", "421")):
            self.check(
                oracle_file, exchange, [TAKEN], A
            )  # the connection had carried a mail, so that this is not about the second
        elif kind not in CODES:
            self.check(oracle_file, exchange, [first, TAKEN], A)
        else:
            self.check(oracle_file, exchange, [first], H)

    def test_within_the_content_nothing_was_taken(self, oracle_file: Path, kind: str, pipelining: bool) -> None:
        script = Script(faults=(Fault("body", kind, nth=2),), pipelining=pipelining)
        exchange = send(oracle_file, script, [mail(1), mail(2, body=LARGE * (MEGABYTES * 13_000)), mail(3)])
        first, *rest = exchange.replies[2]
        assert same(first, expected(Stage.BODY, kind)), first
        assert judge(first).state is (H if kind in CODES else P)
        assert [reply.code for reply in rest] == ([] if kind in CODES else [250])
        assert exchange.last(1) is exchange.last(3) is A
        assert oracle_log.per_recipient(oracle_file)["client2@example.test"] == len(rest)

    def test_after_the_dot_only_an_answer_tells(self, oracle_file: Path, kind: str, pipelining: bool) -> None:
        script = Script(faults=(Fault("dot", kind, nth=2),), pipelining=pipelining)
        exchange = send(oracle_file, script, [mail(1), mail(2), mail(3)])
        self.check(oracle_file, exchange, [expected(Stage.DOT, kind)], H if kind in CODES else U)

    def test_trouble_in_rset_changes_no_outcome(self, oracle_file: Path, kind: str, pipelining: bool) -> None:
        nobody = Fault("rcpt", "5xx", recipient="client2@example.test", reply="550 5.1.1 nobody")
        script = Script(faults=(nobody, Fault("rset", kind)), pipelining=pipelining)
        exchange = send(oracle_file, script, [mail(1), mail(2), mail(3)])
        self.check(oracle_file, exchange, [Reply(Stage.RCPT, 550, "5.1.1 nobody")], F)

    def test_trouble_in_quit_changes_no_outcome(self, oracle_file: Path, kind: str, pipelining: bool) -> None:
        script = Script(faults=(Fault("quit", kind),), pipelining=pipelining)
        exchange = send(oracle_file, script, [mail(1), mail(2), mail(3)], mails_per_connection=1)
        assert [exchange.last(number) for number in (1, 2, 3)] == [A, A, A]
        assert [len(replies) for replies in exchange.replies.values()] == [1, 1, 1]
        assert set(oracle_log.per_recipient(oracle_file).values()) == {1}
        assert len(list(oracle_log.events(oracle_file, "connected"))) == 3
        assert exchange.troubles == []


@pytest.mark.parametrize("kind", KINDS)
class TestBeforeAnyMail:
    """The relay fails while the connection is opened: trouble is told once, and no mail was ever taken."""

    def check(self, oracle_file: Path, exchange: RecordingExchange, wanted: Reply) -> None:
        (trouble,) = exchange.troubles
        assert same(trouble, wanted), trouble
        assert exchange.moments == [("trouble", 1)]
        assert oracle_log.received(oracle_file) == []

    @pytest.mark.parametrize("stage", [Stage.BANNER, Stage.EHLO])
    def test_greeting(self, oracle_file: Path, stage: Stage, kind: str) -> None:
        self.check(
            oracle_file, send(oracle_file, Script(faults=(Fault(stage, kind),)), [mail(1)]), expected(stage, kind)
        )

    def test_starttls(self, oracle_file: Path, kind: str, authority: Authority) -> None:
        script = Script(
            faults=(Fault("starttls", kind),), tls="starttls", certificate=str(authority.server("127.0.0.1"))
        )
        exchange = send(oracle_file, script, [mail(1)], starttls=True, ca_file=str(authority.ca_file))
        self.check(oracle_file, exchange, expected(Stage.STARTTLS, kind))

    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
    def test_sign_in(self, oracle_file: Path, kind: str, mechanism: str) -> None:
        script = Script(faults=(Fault("auth", kind),), users={"user": "secret"}, mechanisms=(mechanism,))
        exchange = send(oracle_file, script, [mail(1)], username="user", password="secret")
        self.check(oracle_file, exchange, expected(Stage.AUTH, kind))


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """Every server of a test has ended with it."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before
