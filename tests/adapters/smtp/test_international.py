"""Addresses with letters outside ASCII (RFC 6531): handed over where the relay takes them, and nowhere else."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import comparison, engine, factories, oracle_log
from tests.certificates import Authority
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Oracle, Script
from webapp.adapters.smtp import SmtpMailer, send_one
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Mail, Reply, Stage
from webapp.core.rules.evidence import Evidence, VerdictKind
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.outcome import REASON_WORDS, judge
from webapp.core.rules.refusal import Addressee

ZOFIE, YONGHU = "žofie@example.test", "用户@xn--r8jz45g.example"
ASCII_ONLY = "the relay does not take addresses with letters outside ASCII"
ways = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])


def run(oracle: Oracle, mails: list[Mail], **values: object) -> RecordingExchange:
    relay = RelaySettings(**{"host": oracle.host, "port": oracle.port, "connections": 1, **values})  # type: ignore[arg-type]
    with RecordingExchange(mails, troubles_borne=1) as exchange:
        mailer = SmtpMailer(relay)
        mailer.run(exchange)
        mailer.close()
    return exchange


def parameters(log: Path) -> dict[str, str]:
    assert list(oracle_log.events(log, "protocol")) == []
    return {taken.recipient: taken.parameters for taken in oracle_log.kept(log)}


@ways
def test_only_mails_that_need_it_are_declared_international(
    oracle_file: Path, tmp_path: Path, pipelining: bool
) -> None:
    plain_header = Mail(3, "console@example.test", YONGHU, mail(3).data)
    mails = [mail(1), mail(2, recipient=ZOFIE), plain_header, mail(4)]
    with Oracle(oracle_file, Script(smtputf8="always", pipelining=pipelining, folder=str(tmp_path))) as oracle:
        exchange = run(oracle, mails)
    assert {exchange.last(each.delivery_id) for each in mails} == {DeliveryState.ACCEPTED}
    assert parameters(oracle_file) == {
        "client1@example.test": "",
        ZOFIE: "BODY=8BITMIME SMTPUTF8",
        YONGHU: "SMTPUTF8",
        "client4@example.test": "",
    }
    assert len(list(oracle_log.events(oracle_file, "connected"))) == 1
    kept = [(tmp_path / taken.sha256).read_bytes() for taken in oracle_log.kept(oracle_file)]
    assert kept == [each.data for each in mails]


@ways
def test_where_the_relay_does_not_take_it_this_one_mail_fails_and_nothing_else_changes(
    oracle_file: Path, pipelining: bool
) -> None:
    with Oracle(oracle_file, Script(pipelining=pipelining)) as oracle:
        exchange = run(oracle, [mail(1), mail(2, recipient=ZOFIE), mail(3)])
    (reply,) = exchange.replies[2]
    assert (reply.stage, reply.code, reply.cause) == (Stage.RCPT, None, Cause.ASCII_ONLY)
    outcome = judge(reply)
    assert (outcome.state, outcome.blame, outcome.words) == (DeliveryState.FAILED, "recipient", ASCII_ONLY)
    assert parameters(oracle_file) == {"client1@example.test": "", "client3@example.test": ""}
    assert len(list(oracle_log.events(oracle_file, "connected"))) == 1
    assert exchange.troubles == []


@pytest.mark.parametrize(
    ("offered", "takes"), [("always", True), ("encrypted", True), ("plain", False), ("never", False)]
)
def test_what_counts_is_what_the_relay_offers_after_starttls(
    oracle_file: Path, authority: Authority, offered: str, takes: bool
) -> None:
    script = Script(smtputf8=offered, tls="starttls", certificate=str(authority.server("127.0.0.1")))
    with Oracle(oracle_file, script) as oracle:
        exchange = run(oracle, [mail(1, recipient=ZOFIE)], starttls=True, ca_file=str(authority.ca_file))
    assert exchange.last(1) is (DeliveryState.ACCEPTED if takes else DeliveryState.FAILED)
    assert parameters(oracle_file) == ({ZOFIE: "BODY=8BITMIME SMTPUTF8"} if takes else {})


def test_a_relay_greeted_the_old_way_does_not_take_it(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(esmtp=False, smtputf8="always")) as oracle:
        exchange = run(oracle, [mail(1, recipient=ZOFIE), mail(2)])
    assert [exchange.last(1), exchange.last(2)] == [DeliveryState.FAILED, DeliveryState.ACCEPTED]


def test_a_sender_that_the_relay_does_not_take_is_held_and_nobody_fails(oracle_file: Path) -> None:
    foreign = Mail(1, ZOFIE, "client1@example.test", mail(1).data)
    with Oracle(oracle_file) as oracle:
        (reply,) = run(oracle, [foreign]).replies[1]
    assert (reply.stage, reply.cause, judge(reply).state) == (Stage.MAIL, Cause.ASCII_ONLY, DeliveryState.HELD)
    assert judge(reply).is_final


def test_a_sender_that_it_takes_makes_every_mail_international(oracle_file: Path) -> None:
    foreign = Mail(1, ZOFIE, "client1@example.test", mail(1).data)
    with Oracle(oracle_file, Script(smtputf8="always")) as oracle:
        assert run(oracle, [foreign]).last(1) is DeliveryState.ACCEPTED
    assert parameters(oracle_file) == {"client1@example.test": "SMTPUTF8"}


@pytest.mark.parametrize("offered", ["always", "never"])
def test_a_single_mail_is_treated_alike(oracle_file: Path, offered: str) -> None:
    with Oracle(oracle_file, Script(smtputf8=offered)) as oracle:
        reply = send_one(RelaySettings(port=oracle.port), mail(1, recipient=ZOFIE))
    assert judge(reply).state is (DeliveryState.ACCEPTED if offered == "always" else DeliveryState.FAILED)
    assert parameters(oracle_file) == ({ZOFIE: "BODY=8BITMIME SMTPUTF8"} if offered == "always" else {})


def test_it_is_no_evidence_either_way() -> None:
    reply = Reply(Stage.RCPT, None, "", "", Cause.ASCII_ONLY)
    busy = Reply(Stage.MAIL, 451, "4.3.2 not now")
    evidence = Evidence()
    for number, each in enumerate((busy, reply, reply, busy, reply)):
        evidence.saw(judge(each), each, Addressee(number, "example.test", 1))
    assert evidence.verdict is None and evidence.most_under_way == 1 and not evidence.run
    evidence.saw(judge(busy), busy)
    assert evidence.verdict and evidence.verdict.kind is VerdictKind.WAITING


@pytest.mark.parametrize("offered", ["always", "never"])
def test_a_broadcast_reaches_everybody_whom_the_relay_takes(
    app: Flask, session: Session, oracle_file: Path, tmp_path: Path, offered: str
) -> None:
    factories.client(session, ZOFIE, first_name="Žofie")
    factories.client(session, ZOFIE.upper(), address_key=ZOFIE)
    broadcast = engine.sending_broadcast(session, mails=20)
    with Oracle(oracle_file, Script(smtputf8=offered)) as oracle:
        ending = engine.send(engine.engine_of(app), broadcast.id, tmp_path, RelaySettings(port=oracle.port))
    assert ending.state is BroadcastState.FINISHED
    found = comparison.compare(session, broadcast.id, oracle_file)
    assert found.wrong == []
    if offered == "always":
        assert found.states == {"accepted": 21, "skipped": 1}
        assert parameters(oracle_file)[ZOFIE] == "BODY=8BITMIME SMTPUTF8"
    else:
        assert found.states == {"accepted": 20, "failed": 1, "skipped": 1}
        (failed,) = engine.in_state(session, broadcast, DeliveryState.FAILED)
        assert (failed.address, failed.reason) == (ZOFIE, "ascii_only")
        assert REASON_WORDS[failed.reason] == ASCII_ONLY
