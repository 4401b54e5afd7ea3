"""Limits that a relay shows only by refusing what is beyond them are no illness: nobody is refused, and they are learned."""

import pytest

from tests.adapters.limited_relay import LimitedRelay, Limits
from tests.exchange import RecordingExchange, mail
from webapp.adapters.smtp import SmtpMailer
from webapp.config import RelaySettings
from webapp.core.ports import RelayLimits


def run(
    relay: LimitedRelay, mails: int, exchange: RecordingExchange | None = None, **values: object
) -> RecordingExchange:
    settings = RelaySettings(**{"port": relay.port, **values})  # type: ignore[arg-type]
    with exchange or RecordingExchange(
        [mail(number) for number in range(mails)], tries=1, troubles_borne=1
    ) as exchange:
        mailer = SmtpMailer(settings)
        mailer.run(exchange)
        mailer.close()
    return exchange


def all_accepted_at_once(exchange: RecordingExchange, relay: LimitedRelay, mails: int) -> bool:
    """Each was tried once, accepted, and nothing was called trouble."""
    assert exchange.troubles == []
    assert {replies[0].code for replies in exchange.replies.values()} == {250}
    assert len(exchange.replies) == mails and set(relay.contents.values()) == {1}
    return [what for what, _ in exchange.moments if what == "taken"] == ["taken"] * mails


class TestTooManyConnections:
    @pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
    @pytest.mark.parametrize("how", ["421", "reset", "close", "ehlo", "mail"])
    def test_those_beyond_the_limit_are_done_without(self, how: str, pipelining: bool) -> None:
        limits = Limits(connections=5, refuses_connections=how, seconds=0.005, pipelining=pipelining)
        with LimitedRelay(limits) as relay:
            exchange = run(relay, 200)
        assert all_accepted_at_once(exchange, relay, 200)
        assert exchange.limits == RelayLimits(connections=5)
        assert relay.most_open == 5
        assert relay.refused <= 5

    def test_one_is_enough(self) -> None:
        with LimitedRelay(Limits(connections=1, seconds=0.002)) as relay:
            exchange = run(relay, 50)
        assert all_accepted_at_once(exchange, relay, 50)
        assert exchange.limits.connections == 1


CLOSING = ["421 4.3.2 enough", "close", "at once"]


class TestTooManyMailsOnAConnection:
    @pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
    @pytest.mark.parametrize("connections", [1, 10])
    @pytest.mark.parametrize("many", [1, 3])
    @pytest.mark.parametrize(
        "how", [*CLOSING, "452 4.4.5 too many messages", "452 4.5.3 too many messages sent", "451 later"]
    )
    def test_it_is_renewed_and_learned(self, how: str, many: int, connections: int, pipelining: bool) -> None:
        limits = Limits(per_connection=many, refuses_mails=how, pipelining=pipelining, seconds=0.001)
        with LimitedRelay(limits) as relay:
            exchange = run(relay, 200, connections=connections)
        assert all_accepted_at_once(exchange, relay, 200)
        assert exchange.limits == RelayLimits(per_connection=many)
        assert max(relay.carried) == many


class TestBehindTheDot:
    @pytest.mark.parametrize("connections", [1, 10])
    def test_a_relay_that_refuses_it_gets_every_mail_all_the_same(self, connections: int) -> None:
        with LimitedRelay(Limits(behind_dot=False, seconds=0.002)) as relay:
            exchange = run(relay, 100, connections=connections)
        assert all_accepted_at_once(exchange, relay, 100)
        assert exchange.limits == RelayLimits(behind_dot=False)
        assert 0 < relay.behind_refused <= 3 * connections
