"""Limits that a relay shows only by refusing what is beyond them are no illness: nobody is refused, and they are learned."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.smtp.limited_relay import LimitedRelay, Limits
from tests.exchange import RecordingExchange, mail
from webapp.adapters.smtp import SmtpMailer
from webapp.config import RelaySettings
from webapp.core.ports import Cause, RelayLimits, Reply, Stage
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import judge


def run(
    relay: LimitedRelay, mails: int, exchange: RecordingExchange | None = None, **values: object
) -> RecordingExchange:
    relay_settings = RelaySettings(**{"port": relay.port, **values})  # type: ignore[arg-type]
    with exchange or RecordingExchange(
        [mail(number) for number in range(mails)], tries=1, troubles_borne=1
    ) as exchange:
        mailer = SmtpMailer(relay_settings)
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

    def test_where_it_is_known_or_set_nothing_is_written_there(self) -> None:
        for known, allowed in ((RelayLimits(behind_dot=False), True), (RelayLimits(), False)):
            with LimitedRelay(Limits(behind_dot=False, seconds=0.002)) as relay:
                exchange = RecordingExchange([mail(number) for number in range(40)], tries=1, troubles_borne=1)
                exchange.limits = known
                run(relay, 40, exchange, connections=3, behind_dot=allowed)
            assert all_accepted_at_once(exchange, relay, 40)
            assert relay.behind_refused == 0 and exchange.lessons == []


def test_limits_that_are_known_are_kept_from_the_first_mail() -> None:
    with LimitedRelay(Limits(connections=3, per_connection=4, seconds=0.002)) as relay:
        exchange = RecordingExchange([mail(number) for number in range(60)], tries=1, troubles_borne=1)
        exchange.limits = RelayLimits(3, 4)
        run(relay, 60, exchange)
    assert all_accepted_at_once(exchange, relay, 60)
    assert exchange.lessons == [] and relay.most_open <= 3 and max(relay.carried) == 4


@pytest.mark.parametrize("forgets_after", [0.0, 0.01])
@pytest.mark.parametrize("how", CLOSING)
def test_both_limits_at_once(how: str, forgets_after: float) -> None:
    limits = Limits(connections=5, per_connection=2, refuses_mails=how, seconds=0.005, forgets_after=forgets_after)
    with LimitedRelay(limits) as relay:
        exchange = run(relay, 300)
    assert all_accepted_at_once(exchange, relay, 300)
    assert exchange.limits.per_connection == 2
    assert exchange.limits.connections is None or exchange.limits.connections >= 2


class TestWhereTheyMeetSomethingElse:
    def test_a_relay_that_goes_away_for_a_moment_teaches_nothing(self) -> None:
        with LimitedRelay(Limits(seconds=0.002)) as relay:
            relay.on_taken = lambda taken: relay.hang_up() if taken in (20, 80, 250) else None
            exchange = RecordingExchange([mail(number) for number in range(300)])
            run(relay, 300, exchange)
        assert exchange.lessons == []
        assert {exchange.last(number) for number in range(300)} <= {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}

    @pytest.mark.parametrize("how", ["421 4.3.2 enough", "452 4.5.3 enough"])
    def test_what_was_put_back_when_the_exchange_ends_goes_back_to_it(self, how: str) -> None:
        with LimitedRelay(Limits(per_connection=3, refuses_mails=how)) as relay:
            exchange = RecordingExchange([mail(number) for number in range(10)])
            held = exchange.holds

            def stop_when_the_first_has_ended(connections: int, opening: int) -> None:
                held(connections, opening)
                if connections == 0 and exchange.replies:
                    exchange.stop()

            exchange.holds = stop_when_the_first_has_ended  # type: ignore[method-assign]
            run(relay, 10, exchange, connections=1)
        assert [replies[0].code for replies in exchange.replies.values()][:3] == [250] * 3
        last = exchange.replies[3]
        assert [(reply.stage, reply.cause) for reply in last] == [(Stage.MAIL, Cause.WITHDRAWN)]
        assert judge(last[0]).blame == "recipient" and exchange.troubles == []

    def test_a_relay_that_refuses_every_mail_on_a_new_connection_is_no_limit(self) -> None:
        with LimitedRelay(Limits(per_connection=0, refuses_mails="451 4.3.0 not now")) as relay:
            exchange = run(relay, 20, connections=1)
        assert {replies[0] for replies in exchange.replies.values()} == {Reply(Stage.MAIL, 451, "4.3.0 not now")}
        assert exchange.lessons == []

    def test_a_mail_that_ends_one_connection_after_the_other_is_given_up(self) -> None:
        with LimitedRelay(Limits()) as relay:
            relay.hangs_up_at = "client7@example.test"
            exchange = RecordingExchange([mail(number) for number in range(200)], tries=1, troubles_borne=1)
            run(relay, 200, exchange, connections=3)
        assert [reply.cause for reply in exchange.replies[7]] == [Cause.LOST]
        assert all(exchange.last(number) is DeliveryState.ACCEPTED for number in range(200) if number != 7)

    def test_others_that_carry_mails_make_a_refusal_a_limit_and_no_trouble(self) -> None:
        with LimitedRelay(Limits(connections=0)) as relay:
            exchange = RecordingExchange([mail(1)])
            exchange.carried_elsewhere = True
            told = exchange.learned

            def let_it_in(limits: RelayLimits) -> None:
                told(limits)
                relay.limits = Limits()

            exchange.learned = let_it_in  # type: ignore[method-assign]
            run(relay, 1, exchange)
        assert all_accepted_at_once(exchange, relay, 1)
        assert exchange.lessons == [RelayLimits(connections=1)] and relay.refused == 1


def test_one_more_is_asked_for_where_no_more_are_allowed() -> None:
    ahead = 0.0
    with LimitedRelay(Limits(seconds=0.002)) as relay:
        exchange = RecordingExchange([mail(number) for number in range(200)])
        exchange.limits, exchange.allowed = RelayLimits(connections=2), 2
        told = exchange.learned

        def allow(limits: RelayLimits) -> None:
            told(limits)
            exchange.allowed = limits.connections

        def leap(_: object, __: object) -> None:
            nonlocal ahead
            ahead += 1.0

        exchange.learned, exchange.on_settled = allow, leap  # type: ignore[method-assign]
        mailer = SmtpMailer(RelaySettings(port=relay.port), clock=lambda: time.monotonic() + ahead)
        with exchange:
            mailer.run(exchange)
        mailer.close()
    assert all_accepted_at_once(exchange, relay, 200)
    assert [lesson.connections for lesson in exchange.lessons][:2] == [3, 3]  # to be tried, and taken
    assert 4 <= relay.most_open <= 6


@settings(max_examples=60, deadline=None)
@given(
    connections=st.integers(1, 4) | st.none(),
    how=st.sampled_from(["421", "reset", "close", "ehlo", "mail"]),
    per_connection=st.integers(1, 4) | st.none(),
    enough=st.sampled_from([*CLOSING, "452 4.4.5 enough", "451 later"]),
    behind_dot=st.booleans(),
    pipelining=st.booleans(),
    at_random=st.sampled_from([0.0, 0.1, 0.3]),
    seed=st.integers(0, 99),
    stops_after=st.integers(5, 40) | st.none(),
)
def test_whatever_the_relay_refuses_or_ends_each_mail_is_settled_once_and_carried_once(
    stops_after: int | None, connections: int | None, how: str, per_connection: int | None, enough: str, **rest: object
) -> None:
    limits = Limits(connections, how, per_connection, enough, **rest)  # type: ignore[arg-type]
    with LimitedRelay(limits) as relay:
        exchange = RecordingExchange([mail(number) for number in range(40)], tries=1, troubles_borne=1000)
        if stops_after is not None:
            exchange.on_settled = lambda *_: exchange.stop() if len(exchange.replies) >= stops_after else None
        with exchange:
            mailer = SmtpMailer(RelaySettings(port=relay.port, connections=5), first_pause=0.001)
            mailer.run(exchange)
            mailer.close()
        taken = [number for what, number in exchange.moments if what == "taken"]
        settled = [number for what, number in exchange.moments if what == "settled"]
    assert sorted(taken) == sorted(settled) and len(set(taken)) == len(taken)
    for number in taken:
        (reply,) = exchange.replies[number]
        recipient = f"client{number}@example.test"
        if recipient in relay.unanswered:
            assert (reply.stage, reply.code) == (Stage.DOT, None)
        assert relay.contents[recipient] == (reply.stage is Stage.DOT)
        assert relay.taken[recipient] == (reply.code == 250)
    if stops_after is None:
        assert len(taken) == 40
