"""How mails travel when the relay is well: groups, connections, limits; and that the exchange is asked and told as agreed."""

import hashlib
import socket
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import oracle_log
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters.smtp import SmtpMailer, send_one
from webapp.config import RelaySettings
from webapp.core.ports import NO_ROOMS, Cause, Mail, Reply, Stage
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import judge


def relay(oracle: Oracle, **values: object) -> RelaySettings:
    return RelaySettings(**{"host": oracle.host, "port": oracle.port, "connections": 1, **values})  # type: ignore[arg-type]


def run(oracle: Oracle, mails: list[Mail], **values: object) -> RecordingExchange:
    """Send the mails in one run and close."""
    with RecordingExchange(mails) as exchange:
        mailer = SmtpMailer(relay(oracle, **values), first_pause=0.001)
        mailer.run(exchange)
        mailer.close()
    return exchange


def accepted(exchange: RecordingExchange) -> list[int]:
    return [number for number in exchange.replies if exchange.last(number) is DeliveryState.ACCEPTED]


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
def test_many_mails_over_many_connections_arrive_once_and_unchanged(oracle_file: Path, pipelining: bool) -> None:
    mails = [mail(number, body=b"x" * (number * 7 % 90) + b"\r\n") for number in range(300)]
    with Oracle(oracle_file, Script(pipelining=pipelining)) as oracle:
        exchange = run(oracle, mails, connections=8)
    assert sorted(accepted(exchange)) == list(range(300))
    arrived = {taken.recipient: taken.sha256 for taken in oracle_log.kept(oracle_file)}
    assert arrived == {each.rcpt_to: hashlib.sha256(each.data).hexdigest() for each in mails}
    assert len(oracle_log.kept(oracle_file)) == 300
    assert len(list(oracle_log.events(oracle_file, "connected"))) == 8
    assert list(oracle_log.events(oracle_file, "protocol")) == []


def test_with_pipelining_the_next_mail_is_taken_with_the_content_before_it_but_its_content_waits(
    oracle_file: Path,
) -> None:
    with Oracle(oracle_file) as oracle:
        exchange = run(oracle, [mail(1), mail(2), mail(3)])
    assert exchange.moments == [
        ("taken", 1),
        ("body", 1),
        ("taken", 2),
        ("settled", 1),
        ("body", 2),
        ("taken", 3),
        ("settled", 2),
        ("body", 3),
        ("settled", 3),
    ]


def test_without_pipelining_a_mail_is_taken_when_the_one_before_is_settled(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(pipelining=False)) as oracle:
        exchange = run(oracle, [mail(1), mail(2)])
    steps = [(what, number) for number in (1, 2) for what in ("taken", "body", "settled")]
    assert exchange.moments == steps


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
def test_a_relay_that_answers_byte_by_byte_is_understood(oracle_file: Path, pipelining: bool) -> None:
    nobody = Fault("rcpt", "say", recipient="client2@example.test", reply="550-5.1.1 no\r\n550 5.1.1 body")
    with Oracle(oracle_file, Script(faults=(nobody,), pipelining=pipelining, dribbles=True)) as oracle:
        exchange = run(oracle, [mail(number) for number in (1, 2, 3)])
    assert exchange.replies[2] == [Reply(Stage.RCPT, 550, "5.1.1 no\n5.1.1 body")]
    assert accepted(exchange) == [1, 3]


def test_a_relay_without_extensions_is_greeted_the_old_way(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(esmtp=False)) as oracle:
        exchange = run(oracle, [mail(1), mail(2)])
    assert accepted(exchange) == [1, 2]


def test_large_contents_leave_in_parts_and_arrive_whole(oracle_file: Path) -> None:
    large = mail(2, body=b"y" * 76 + b"\r\n" + b"z" * 70 + b"\r\n" * 200_000)
    with Oracle(oracle_file) as oracle:
        exchange = run(oracle, [mail(1), large, mail(3)])
    assert accepted(exchange) == [1, 2, 3]
    assert oracle_log.kept(oracle_file)[1].sha256 == hashlib.sha256(large.data).hexdigest()


def test_content_without_a_last_line_end_gets_one(oracle_file: Path) -> None:
    with Oracle(oracle_file) as oracle:
        exchange = run(oracle, [mail(1, body=b"end"), mail(2)])
    assert accepted(exchange) == [1, 2]
    assert [taken.recipient for taken in oracle_log.kept(oracle_file)] == [
        "client1@example.test",
        "client2@example.test",
    ]


class TestConnections:
    def test_there_are_no_more_than_mails(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            run(oracle, [mail(1), mail(2), mail(3)], connections=10)
        assert len(list(oracle_log.events(oracle_file, "connected"))) <= 3

    def test_they_are_kept_from_run_to_run(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            mailer = SmtpMailer(relay(oracle, connections=3))
            for start in (0, 10, 20):
                with RecordingExchange([mail(start + number) for number in range(10)]) as exchange:
                    mailer.run(exchange)
                    assert len(accepted(exchange)) == 10
            mailer.close()
        used = [
            {taken.connection for taken in oracle_log.kept(oracle_file)[start : start + 10]} for start in (0, 10, 20)
        ]
        assert used[0] & used[1] & used[2]

    def test_one_carries_no_more_mails_than_allowed(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            exchange = run(oracle, [mail(number) for number in range(20)], mails_per_connection=5)
        assert len(accepted(exchange)) == 20
        carried = Counter(taken.connection for taken in oracle_log.kept(oracle_file))
        assert sorted(carried.values()) == [5, 5, 5, 5]

    def test_an_idle_one_is_ended_politely_and_replaced(self, oracle_file: Path) -> None:
        ahead = 0.0
        with Oracle(oracle_file, Script(faults=(Fault("quit", "slow"),))) as oracle:
            mailer = SmtpMailer(relay(oracle), idle_seconds=60, clock=lambda: time.monotonic() + ahead)
            for number in (1, 2, 3):
                with RecordingExchange([mail(number)]) as exchange:
                    mailer.run(exchange)
                    assert accepted(exchange) == [number] and exchange.troubles == []
                ahead += 50 if number == 1 else 100
            mailer.close()
        assert [taken.connection for taken in oracle_log.kept(oracle_file)] == [1, 1, 2]
        assert [event["connection"] for event in oracle_log.events(oracle_file, "fault")] == [1, 2]

    def test_one_that_the_relay_closed_meanwhile_is_replaced_without_a_word(self, oracle_file: Path) -> None:
        with Oracle(oracle_file, Script(faults=(Fault("dot", "last"),))) as oracle:
            mailer = SmtpMailer(relay(oracle))
            for number in (1, 2, 3):
                with RecordingExchange([mail(number)]) as exchange:
                    mailer.run(exchange)
                    assert [reply.code for reply in exchange.replies[number]] == [250]
                    assert exchange.troubles == []
                oracle.wait_until_quiet()
            mailer.close()

    def test_an_answer_just_before_the_relay_closes_counts_and_the_mail_behind_it_travels_on_another(
        self, oracle_file: Path
    ) -> None:
        with Oracle(oracle_file, Script(faults=(Fault("dot", "last", nth=1),))) as oracle:
            exchange = run(oracle, [mail(1), mail(2)])
        assert [reply.code for reply in exchange.replies[1]] == [250]
        assert [reply.code for reply in exchange.replies[2]] == [250]
        assert set(oracle_log.per_recipient(oracle_file).values()) == {1}

    @pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
    def test_after_421_the_connection_is_not_used_again(self, oracle_file: Path, stage: str) -> None:
        goodbye = Fault(stage, "say", nth=1, reply="421 4.3.2 I am leaving, but take my time")
        with Oracle(oracle_file, Script(faults=(goodbye,))) as oracle:
            exchange = run(oracle, [mail(1), mail(2)])
        assert exchange.replies[1] == [Reply(Stage(stage), 421, "4.3.2 I am leaving, but take my time")]
        assert accepted(exchange) == [2]
        assert [taken.connection for taken in oracle_log.kept(oracle_file)] == [2]

    def test_an_answer_that_came_in_time_counts_though_nobody_looked_until_long_after(self, oracle_file: Path) -> None:
        class StoppedProcess:
            """A clock whose process stands still until the relay has answered, and for hours more."""

            is_next = False
            ahead = 0.0

            def __call__(self) -> float:
                if self.is_next:
                    self.is_next = False
                    oracle.wait_until_quiet()
                    self.ahead = 10_000.0
                return time.monotonic() + self.ahead

        clock = StoppedProcess()

        class Stopped(RecordingExchange):
            def body_starts(self, mail: Mail) -> bool:
                clock.is_next = True
                self.wake()
                return super().body_starts(mail)

        not_at_once = Fault("body", "slow", seconds=0.05)
        script = Script(faults=(not_at_once, Fault("dot", "last")))
        with Oracle(oracle_file, script) as oracle, Stopped([mail(1)]) as exchange:
            mailer = SmtpMailer(relay(oracle), clock=clock)
            mailer.run(exchange)
            mailer.close()
        assert [reply.code for reply in exchange.replies[1]] == [250]

    def test_a_relay_that_refuses_the_password_is_asked_once_not_by_every_connection(self, oracle_file: Path) -> None:
        exchange = RecordingExchange([mail(number) for number in range(50)], troubles_borne=1)
        with Oracle(oracle_file, Script(users={"user": "right"})) as oracle, exchange:
            mailer = SmtpMailer(relay(oracle, connections=10, username="user", password="wrong"))
            mailer.run(exchange)
            mailer.close()
        assert exchange.troubles == [Reply(Stage.AUTH, 535, "5.7.8 wrong user or password")]
        assert judge(exchange.troubles[0]).is_final
        assert len(list(oracle_log.events(oracle_file, "connected"))) == 1

    def test_a_relay_that_is_down_is_tried_again_until_it_is_up(self, oracle_file: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        oracle = Oracle(oracle_file, port=port)

        class Patient(RecordingExchange):
            def trouble(self, reply: Reply, after_s: float = 0.0) -> None:
                super().trouble(reply, after_s)
                if len(self.troubles) == 3:
                    oracle.__enter__()

        with Patient([mail(1), mail(2)]) as exchange:
            mailer = SmtpMailer(RelaySettings(port=port), first_pause=0.001)
            mailer.run(exchange)
            mailer.close()
        oracle.__exit__()
        assert sorted(accepted(exchange)) == [1, 2]
        assert len(exchange.troubles) == 3
        for trouble in exchange.troubles:
            assert (trouble.stage, trouble.code, trouble.cause) == (Stage.CONNECT, None, Cause.UNREACHABLE)
            assert trouble.error == "cannot connect: Connection refused"

    def test_a_relay_that_drops_every_new_connection_is_trouble(self, oracle_file: Path) -> None:
        exchange = RecordingExchange([mail(1)], troubles_borne=2, tries=2)
        with Oracle(oracle_file, Script(faults=(Fault("ehlo", "last"),))) as oracle, exchange:
            mailer = SmtpMailer(relay(oracle), first_pause=0.001)
            mailer.run(exchange)
            mailer.close()
        lost = exchange.troubles + exchange.replies.get(1, [])
        assert {reply.cause for reply in lost} == {Cause.LOST}

    def test_a_name_that_cannot_be_found_is_trouble(self) -> None:
        with RecordingExchange([mail(1)], troubles_borne=2) as exchange:
            mailer = SmtpMailer(RelaySettings(host="no..such"), first_pause=0.001)
            mailer.run(exchange)
            mailer.close()
        assert {(reply.stage, reply.cause) for reply in exchange.troubles} == {(Stage.CONNECT, Cause.UNREACHABLE)}
        assert "no..such" in str(exchange.troubles[0].error)

    def test_every_address_of_a_name_is_tried(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:  # listens on 127.0.0.1 only, and localhost may be ::1 first
            exchange = run(oracle, [mail(1)], host="localhost")
        assert accepted(exchange) == [1]
        assert exchange.troubles == []


class TestMailsThatCannotBeSent:
    @pytest.mark.parametrize(
        "recipient",
        [
            "a@example.test>\r\nRCPT TO:<evil@example.test",
            "a@example.test\r\nDATA",
            "a@exa\nmple.test",
            "<a@example.test>",
            "a b@example.test",
            "mül ler@example.test",
            "mül\x85ler@example.test",
            "mül\u2028ler@example.test",
            "mül>\r\nRCPT TO:<evil@example.test",
            "m\ud800ller@example.test",
            "a@example.test\x00",
            "",
        ],
    )
    @pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
    def test_an_address_that_could_break_out_of_its_line_never_leaves(
        self, oracle_file: Path, recipient: str, pipelining: bool
    ) -> None:
        good = [mail(1), mail(3)]
        bad = Mail(2, "console@example.test", recipient, good[0].data)
        with Oracle(oracle_file, Script(pipelining=pipelining)) as oracle:
            exchange = run(oracle, [good[0], bad, good[1]])
        (reply,) = exchange.replies[2]
        assert (reply.stage, reply.code, reply.cause) == (Stage.RCPT, None, Cause.UNSENDABLE)
        assert accepted(exchange) == [1, 3]
        assert set(oracle_log.per_recipient(oracle_file)) == {"client1@example.test", "client3@example.test"}
        assert list(oracle_log.events(oracle_file, "protocol")) == []

    def test_a_senders_address_that_could_break_out_never_leaves(self, oracle_file: Path) -> None:
        bad = Mail(1, "a@b.test>\r\nRSET", "client1@example.test", mail(1).data)
        with Oracle(oracle_file) as oracle:
            exchange = run(oracle, [bad])
        assert (exchange.replies[1][0].stage, exchange.replies[1][0].cause) == (Stage.MAIL, Cause.UNSENDABLE)

    def test_the_empty_sender_of_notices_may_leave(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            exchange = run(oracle, [Mail(1, "", "client1@example.test", mail(1).data)])
        assert accepted(exchange) == [1]
        assert oracle_log.kept(oracle_file)[0].mail_from == ""

    def test_a_mail_larger_than_the_relay_announces_is_told_without_being_sent(self, oracle_file: Path) -> None:
        with Oracle(oracle_file, Script(size=2000)) as oracle:
            exchange = run(oracle, [mail(1), mail(2, body=b"x" * 2000 + b"\r\n"), mail(3)])
        (reply,) = exchange.replies[2]
        assert (reply.stage, reply.code) == (Stage.MAIL, 552)
        assert (judge(reply).state, judge(reply).reason) == (DeliveryState.HELD, "too_big")
        assert accepted(exchange) == [1, 3]
        assert len(oracle_log.received(oracle_file)) == 2


@pytest.mark.parametrize("data_anyway", [False, True], ids=["DATA refused", "354 all the same"])
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
def test_refused_recipients_leave_the_conversation_in_step(
    oracle_file: Path, pipelining: bool, data_anyway: bool
) -> None:
    refused = tuple(Fault("rcpt", "5xx", recipient=f"client{number}@example.test") for number in (0, 2, 3, 5))
    with Oracle(oracle_file, Script(faults=refused, pipelining=pipelining, data_anyway=data_anyway)) as oracle:
        exchange = run(oracle, [mail(number) for number in range(7)])
    assert [replies[0].stage for _, replies in sorted(exchange.replies.items())] == [
        Stage.DOT if number in (1, 4, 6) else Stage.RCPT for number in range(7)
    ]
    assert [len(replies) for replies in exchange.replies.values()] == [1] * 7
    assert len(list(oracle_log.events(oracle_file, "connected"))) == 1
    assert list(oracle_log.events(oracle_file, "protocol")) == []


def test_a_mail_refused_at_the_dot_does_not_stop_the_one_behind_it(oracle_file: Path) -> None:
    refused = Fault("dot", "say", nth=1, reply="550-5.7.1 spam\r\n550 5.7.1 indeed")
    with Oracle(oracle_file, Script(faults=(refused,))) as oracle:
        exchange = run(oracle, [mail(1), mail(2)])
    assert exchange.replies[1] == [Reply(Stage.DOT, 550, "5.7.1 spam\n5.7.1 indeed")]
    assert accepted(exchange) == [2]
    assert len(list(oracle_log.events(oracle_file, "connected"))) == 1


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
@pytest.mark.parametrize(("stage", "code"), [("mail", 354), ("rcpt", 354), ("data", 250), ("dot", 354), ("dot", 334)])
def test_an_answer_that_makes_no_sense_at_its_stage_is_none(
    oracle_file: Path, stage: str, code: int, pipelining: bool
) -> None:
    odd = Fault(stage, "say", nth=1, reply=f"{code} what?")
    with Oracle(oracle_file, Script(faults=(odd,), pipelining=pipelining)) as oracle:
        exchange = run(oracle, [mail(1), mail(2)])
    first, *rest = exchange.replies[1]
    assert (first.stage, first.code, first.text, first.cause) == (stage, None, "what?", Cause.GARBLED)
    assert [reply.code for reply in rest] == ([] if stage == "dot" else [250])
    assert accepted(exchange)[-1] == 2
    assert {taken.connection for taken in oracle_log.kept(oracle_file)} == {2}


class TestTheExchange:
    def test_a_mail_called_back_before_its_content_leaves_nothing_behind(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle, RecordingExchange([mail(number) for number in range(6)]) as exchange:
            exchange.withdraws = lambda mail: mail.delivery_id in (0, 3)
            mailer = SmtpMailer(relay(oracle))
            mailer.run(exchange)
            mailer.close()
        for number in (0, 3):
            (reply,) = exchange.replies[number]
            assert (reply.stage, reply.code, reply.cause) == (Stage.DATA, None, Cause.WITHDRAWN)
        assert accepted(exchange) == [1, 2, 4, 5]
        assert len(oracle_log.received(oracle_file)) == 4
        assert exchange.troubles == []

    def test_when_stopped_what_is_under_way_is_settled_and_no_more_is_taken(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle, RecordingExchange([mail(number) for number in range(100)]) as exchange:
            exchange.on_settled = lambda mail, reply: exchange.stop() if len(exchange.replies) == 10 else None
            mailer = SmtpMailer(relay(oracle, connections=4))
            mailer.run(exchange)
            mailer.close()
        taken = [number for what, number in exchange.moments if what == "taken"]
        assert sorted(taken) == sorted(exchange.replies) and len(taken) <= 10 + 2 * 4
        assert len(oracle_log.kept(oracle_file)) == len(taken)

    def test_mails_that_come_later_are_noticed_at_once(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle, RecordingExchange([mail(1)]) as exchange:
            exchange.finished = lambda: len(exchange.replies) == 3  # type: ignore[method-assign]

            def more(_: Mail, __: Reply) -> None:
                if len(exchange.replies) < 3:
                    exchange.add(mail(len(exchange.replies) + 1))
                    exchange.wake()

            exchange.on_settled = more
            mailer = SmtpMailer(relay(oracle), clock=lambda: 0.0)  # time stands still: only the wake-up can help
            mailer.run(exchange)
            mailer.close()
        assert accepted(exchange) == [1, 2, 3]

    def test_nothing_at_hand_opens_no_connection(self, oracle_file: Path) -> None:
        with Oracle(oracle_file) as oracle:
            run(oracle, [])
        assert not list(oracle_log.events(oracle_file, "connected"))

    @pytest.mark.parametrize("call", ["take", "body_starts", "settled"])
    def test_an_error_of_the_exchange_cuts_everything_and_goes_on(self, oracle_file: Path, call: str) -> None:
        class Failing(RecordingExchange):
            def body_starts(self, mail: Mail) -> bool:
                if call == "body_starts" and len(self.replies) == 5:
                    raise RuntimeError("disk full")
                return super().body_starts(mail)

            def settled(self, mail: Mail, reply: Reply) -> None:
                super().settled(mail, reply)
                if call == "settled" and len(self.replies) == 5:
                    raise RuntimeError("disk full")

            def take(self, rooms: Mapping[int, int] = NO_ROOMS) -> Mail | None:
                if call == "take" and len(self.replies) == 5:
                    raise RuntimeError("disk full")
                return super().take(rooms)

        with Oracle(oracle_file) as oracle, Failing([mail(number) for number in range(50)]) as exchange:
            mailer = SmtpMailer(relay(oracle, connections=3))
            with pytest.raises(RuntimeError, match="disk full"):
                mailer.run(exchange)
            with RecordingExchange([mail(100)]) as after:
                mailer.run(after)
            mailer.close()
        assert accepted(after) == [100]

    def test_no_descriptor_stays_open(self, oracle_file: Path) -> None:
        before = sum(1 for _ in Path("/proc/self/fd").iterdir())
        with Oracle(
            oracle_file, Script(faults=(Fault("dot", "drop", probability=0.2),), keeps_unanswered=False)
        ) as oracle:
            run(oracle, [mail(number) for number in range(40)], connections=5, mails_per_connection=3)
        assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_one_mail_by_itself(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(faults=(Fault("dot", "5xx", nth=2),))) as oracle:
        assert send_one(relay(oracle), mail(1)) == Reply(Stage.DOT, 250, "2.0.0 taken")
        assert send_one(relay(oracle), mail(2)) == Reply(Stage.DOT, 554, "5.3.0 trouble here")
        port = oracle.port
    trouble = send_one(RelaySettings(port=port), mail(3))
    assert (trouble.stage, trouble.cause) == (Stage.CONNECT, Cause.UNREACHABLE)


faults = st.builds(
    Fault,
    stage=st.sampled_from(["banner", "ehlo", "mail", "rcpt", "data", "body", "dot", "rset", "quit"]),
    kind=st.sampled_from(["drop", "reset", "4xx", "5xx", "421", "garbage", "half", "last"]),
    nth=st.integers(1, 8) | st.none(),
    probability=st.sampled_from([0.2, 0.6]),
    times=st.integers(1, 4),
)
scripts = st.builds(
    Script,
    faults=st.lists(faults, max_size=5).map(tuple),
    pipelining=st.booleans(),
    data_anyway=st.booleans(),
    keeps_unanswered=st.booleans(),
    seed=st.integers(0, 9),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts, st.integers(1, 3), st.integers(1, 4))
def test_whatever_the_relay_does_each_mail_is_settled_once_a_try_and_the_outcome_is_true(
    tmp_path_factory: pytest.TempPathFactory, script: Script, connections: int, mails_per_connection: int
) -> None:
    log = tmp_path_factory.mktemp("script") / "log"
    with Oracle(log, script) as oracle:
        exchange = run(
            oracle, [mail(n) for n in range(8)], connections=connections, mails_per_connection=mails_per_connection
        )
    taken = Counter(number for what, number in exchange.moments if what == "taken")
    settled = Counter(number for what, number in exchange.moments if what == "settled")
    assert taken == settled
    kept = oracle_log.per_recipient(log)
    for number, replies in exchange.replies.items():
        states = [judge(reply).state for reply in replies]
        assert set(states[:-1]) <= {DeliveryState.PENDING}
        arrived = kept[f"client{number}@example.test"]
        if states[-1] is DeliveryState.ACCEPTED:
            assert arrived == 1
        elif states[-1] is not DeliveryState.UNCERTAIN:
            assert arrived == 0
        else:
            assert arrived <= 1
