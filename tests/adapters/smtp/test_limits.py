"""The mailer heeds how many connections it is allowed, also while it sends."""

from pathlib import Path

from tests import oracle_log
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Oracle, Script
from webapp.adapters.smtp import SmtpMailer
from webapp.config import RelaySettings
from webapp.core.ports import Mail


def test_there_are_no_more_connections_than_allowed_and_fewer_when_that_shrinks(oracle_file: Path) -> None:
    mails = [mail(number) for number in range(90)]

    def shrink(sent: Mail, reply: object) -> None:
        exchange.allowed = {20: 6, 40: 2}.get(len(exchange.replies), exchange.allowed)

    with Oracle(oracle_file, Script(latency=0.002)) as oracle, RecordingExchange(mails) as exchange:
        exchange.allowed, exchange.on_settled = 4, shrink
        mailer = SmtpMailer(RelaySettings(port=oracle.port, connections=8))
        mailer.run(exchange)
        mailer.close()
    assert len(exchange.replies) == 90
    assert max(exchange.held) == 6 and exchange.held[-1] == 2
    last = oracle_log.kept(oracle_file)[-30:]
    assert len({taken.connection for taken in last}) == 2
