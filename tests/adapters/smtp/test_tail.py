"""Mails with a tail, which many share: whole at the relay, and counted whole."""

import hashlib
from pathlib import Path

import pytest

from tests import oracle_log
from tests.adapters.smtp.test_mailer import accepted, run
from tests.exchange import mail
from tests.smtp_oracle import Oracle, Script


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
def test_mails_with_a_tail_that_they_share_arrive_whole(oracle_file: Path, pipelining: bool) -> None:
    tail = (b"--x\r\n", b"QUJD\r\n" * 60_000, b"--x--\r\n")
    mails = [mail(number)._replace(tail=tail if number % 3 else ()) for number in range(30)]
    with Oracle(oracle_file, Script(pipelining=pipelining)) as oracle:
        exchange = run(oracle, mails, connections=3)
    assert sorted(accepted(exchange)) == list(range(30))
    arrived = {taken.recipient: taken.sha256 for taken in oracle_log.kept(oracle_file)}
    assert arrived == {each.rcpt_to: hashlib.sha256(each.whole).hexdigest() for each in mails}


def test_a_tail_counts_against_what_the_relay_takes(oracle_file: Path) -> None:
    large = mail(1)._replace(tail=(b"x" * 5_000 + b"\r\n",))
    with Oracle(oracle_file, Script(size=3_000)) as oracle:
        exchange = run(oracle, [large, mail(2)])
    assert exchange.replies[1][-1].code == 552 and accepted(exchange) == [2]
