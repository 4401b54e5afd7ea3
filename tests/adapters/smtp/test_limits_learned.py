"""What is made of a refusal, as values alone: when it teaches, when not, and how carefully more is tried again."""

from dataclasses import dataclass

import pytest

from webapp.adapters.smtp.knowledge import Knowledge, may_be_full
from webapp.adapters.smtp.limits import GROWTH_S, LONGEST_GROWTH_S, NEVER, TRIAL_S, ConnectionLimit, MailsLimit
from webapp.config import RelaySettings
from webapp.core.ports import Cause, RelayLimits, Reply, Stage

FULL = 10


@dataclass(eq=False)
class Carrier:
    began_at: float = 0.0
    worked_at: float = 0.0
    mails: int = 0
    is_open: bool = True


def learned(limit: ConnectionLimit, most: int = 5, now: float = 10.0) -> list[Carrier]:
    """Have it learn that the relay takes so many; returns the connections there are."""
    there = [Carrier(worked_at=now - 1) for _ in range(most)]
    limit.refused(most, FULL, now, one_just_ended=False)
    assert not limit.learns(there, FULL, now)
    for each in there:
        each.worked_at = now + 1
    assert limit.learns(there, FULL, now + 1) and limit.most == most
    return there


class TestConnections:
    def test_a_refusal_counts_when_the_others_took_mails_after_it(self) -> None:
        limit = ConnectionLimit()
        learned(limit)
        assert not limit.is_in_question

    def test_one_connection_always_may_be(self) -> None:
        limit = ConnectionLimit()
        limit.refused(0, FULL, 10.0, one_just_ended=False)
        assert limit.most == 1

    def test_a_refusal_teaches_nothing_when_the_others_end_without_another_mail(self) -> None:
        limit = ConnectionLimit()
        limit.refused(4, FULL, 10.0, one_just_ended=False)
        assert limit.most == 4
        assert not limit.learns([Carrier(began_at=11.0, worked_at=12.0)], FULL, 12.0)
        assert limit.most is None and not limit.is_in_question and limit.grow_at == NEVER

    def test_what_an_ill_relay_refuses_teaches_nothing_and_takes_nothing_away(self) -> None:
        limit = ConnectionLimit()
        learned(limit)
        limit.refused(2, 5, 20.0, one_just_ended=False)
        assert limit.most == 2
        limit.forget_question()
        assert limit.most == 5

    def test_others_that_took_a_mail_and_ended_count_as_well(self) -> None:
        limit = ConnectionLimit()
        limit.refused(1, FULL, 10.0, one_just_ended=False)
        limit.ended(Carrier(worked_at=10.5))
        assert limit.learns([Carrier(began_at=10.6, worked_at=10.7)], FULL, 11.5)

    def test_a_few_refusals_just_after_a_connection_ended_are_excused_many_are_not(self) -> None:
        limit = ConnectionLimit()
        for moment in (10.0, 10.1, 10.2):
            limit.refused(4, FULL, moment, one_just_ended=True)
        assert limit.most is None
        limit.refused(4, FULL, 10.3, one_just_ended=True)
        assert limit.most == FULL - 1

    def test_one_more_is_tried_after_a_minute_and_later_each_time_it_is_refused(self) -> None:
        limit, now = ConnectionLimit(), 10.0
        there = learned(limit, now=now)
        pause = GROWTH_S
        for _ in range(9):
            assert limit.grow_at == pytest.approx(now + pause, abs=2)
            now = limit.grow_at
            assert limit.grow(5, now) == 6
            limit.refused(5, 6, now, one_just_ended=False)
            for each in there:
                each.worked_at = now + 0.5
            assert limit.learns(there, FULL, now + 0.5) and limit.most == 5
            pause = min(pause * 2, LONGEST_GROWTH_S)
        assert pause == LONGEST_GROWTH_S

    def test_one_that_is_taken_is_news_and_the_next_is_tried_a_minute_later(self) -> None:
        limit = ConnectionLimit()
        there = learned(limit)
        limit.grow(5, 100.0)
        assert not limit.learns(there, FULL, 101.0)
        there.append(Carrier(began_at=100.0, worked_at=101.0))
        assert limit.learns(there, FULL, 102.0)
        assert (limit.most, limit.grow_at) == (6, 102.0 + GROWTH_S)

    def test_when_all_that_are_wanted_are_taken_there_is_no_limit_any_more(self) -> None:
        limit = ConnectionLimit()
        there = learned(limit, most=FULL - 1)
        limit.grow(FULL - 1, 100.0)
        assert limit.learns([*there, Carrier(began_at=100.0, worked_at=101.0)], FULL, 102.0)
        assert limit.most is None and limit.grow_at == NEVER

    def test_what_others_know_holds_until_there_is_own_knowledge(self) -> None:
        limit = ConnectionLimit()
        limit.adopt(7, 5.0)
        assert (limit.most, limit.grow_at) == (7, 5.0 + GROWTH_S)
        learned(limit, most=3)
        limit.adopt(8, 20.0)
        assert limit.most == 3
        limit.adopt(None, 30.0)
        assert limit.most is None


class TestMails:
    def test_a_single_close_teaches_nothing(self) -> None:
        limit = MailsLimit()
        limit.met(Carrier(mails=1, worked_at=1.0), 1.0, says_so=False)
        assert not limit.is_in_question

    def test_connections_that_end_in_the_same_breath_are_one_fault(self) -> None:
        limit = MailsLimit()
        for _ in range(4):
            limit.met(Carrier(mails=57, worked_at=1.0), 1.0, says_so=False)
        assert not limit.is_in_question

    def ask(self, limit: MailsLimit, mails: int = 3) -> None:
        limit.met(Carrier(began_at=0.0, mails=mails, worked_at=1.0), 1.0, says_so=False)
        limit.met(Carrier(began_at=1.0, mails=mails, worked_at=2.0), 2.0, says_so=False)

    def test_two_in_a_row_teach_when_a_third_takes_mails(self) -> None:
        limit = MailsLimit()
        self.ask(limit)
        assert not limit.learns([Carrier(began_at=2.0)], 1000, 2.1)
        assert limit.learns([Carrier(began_at=2.0, worked_at=2.2)], 1000, 2.2)
        assert limit.most == 3

    def test_the_relays_words_need_no_second_one(self) -> None:
        limit = MailsLimit()
        limit.met(Carrier(mails=100, worked_at=1.0), 1.0, says_so=True)
        assert limit.learns([Carrier(began_at=1.0, worked_at=1.1)], 1000, 1.1)
        assert limit.most == 100

    def test_a_connection_that_carries_more_disproves_it(self) -> None:
        limit = MailsLimit()
        self.ask(limit)
        more = Carrier(began_at=2.0, worked_at=2.2, mails=4)
        assert not limit.learns([more], 1000, 2.2) and not limit.is_in_question

    def test_one_that_ended_after_more_disproves_it(self) -> None:
        limit = MailsLimit()
        self.ask(limit)
        assert not limit.ended(Carrier(began_at=0.0, mails=13, worked_at=2.0), 1000, 2.0) and not limit.is_in_question

    def test_nor_do_two_alike_teach_when_one_in_between_carried_more(self) -> None:
        limit = MailsLimit()
        limit.met(Carrier(began_at=0.0, mails=7, worked_at=1.0), 1.0, says_so=False)
        limit.ended(Carrier(began_at=0.0, mails=13, worked_at=1.0), 1000, 1.0)
        limit.met(Carrier(began_at=1.0, mails=7, worked_at=2.0), 2.0, says_so=False)
        assert not limit.is_in_question

    def test_an_ill_relay_teaches_nothing(self) -> None:
        limit = MailsLimit()
        self.ask(limit)
        limit.forget_question()
        assert not limit.learns([Carrier(began_at=2.0, worked_at=2.2)], 1000, 2.2)

    def test_now_and_then_one_tries_twice_as_many(self) -> None:
        limit = MailsLimit()
        limit.adopt(3, 0.0)
        assert limit.for_new(Carrier(), 1000, 1.0) == 3
        trial = Carrier(began_at=TRIAL_S)
        assert limit.for_new(trial, 1000, TRIAL_S) == limit.for_old(trial, 1000) == 6
        assert limit.for_new(Carrier(), 1000, TRIAL_S) == 3
        trial.mails, trial.worked_at = 6, TRIAL_S + 1
        assert limit.ended(trial, 1000, TRIAL_S + 1)
        assert limit.most == 6

    def test_a_trial_that_ends_in_between_teaches_where(self) -> None:
        limit = MailsLimit()
        limit.adopt(3, 0.0)
        trial = Carrier(began_at=TRIAL_S)
        limit.for_new(trial, 1000, TRIAL_S)
        trial.mails, trial.worked_at = 5, TRIAL_S + 1
        limit.met(trial, TRIAL_S + 1, says_so=False)
        assert not limit.ended(trial, 1000, TRIAL_S + 1)
        assert limit.learns([Carrier(began_at=TRIAL_S + 1, worked_at=TRIAL_S + 2)], 1000, TRIAL_S + 2)
        assert limit.most == 5

    def test_after_a_trial_that_was_refused_the_next_is_later(self) -> None:
        limit = MailsLimit()
        limit.adopt(3, 0.0)
        trial = Carrier(began_at=TRIAL_S, mails=3, worked_at=TRIAL_S + 1)
        limit.for_new(trial, 1000, TRIAL_S)
        limit.met(trial, TRIAL_S + 1, says_so=False)
        assert limit.for_new(Carrier(), 1000, TRIAL_S * 2) == 3
        assert limit.for_new(Carrier(), 1000, TRIAL_S * 3 + 1) == 6

    def test_it_never_goes_beyond_the_settings(self) -> None:
        limit = MailsLimit()
        limit.adopt(300, 0.0)
        assert limit.for_new(Carrier(), 200, 1.0) == 200


@pytest.mark.parametrize(
    ("reply", "may_be"),
    [
        (Reply(Stage.BANNER, 421, "4.7.0 too many"), True),
        (Reply(Stage.BANNER, 554, "too many connections"), True),
        (Reply(Stage.EHLO, 421, "4.7.0"), True),
        (Reply(Stage.CONNECT, None, "", "refused", Cause.UNREACHABLE), True),
        (Reply(Stage.BANNER, None, "", "closed", Cause.LOST), True),
        (Reply(Stage.BANNER, None, "", "silent", Cause.SILENT), True),
        (Reply(Stage.AUTH, 454, "4.7.0 not now"), True),
        (Reply(Stage.AUTH, 535, "5.7.8 wrong"), False),
        (Reply(Stage.MAIL, 530, "5.7.0 TLS first"), False),
        (Reply(Stage.STARTTLS, None, "", "expired", Cause.CERTIFICATE), False),
        (Reply(Stage.AUTH, None, "", "only GSSAPI", Cause.NOT_OFFERED), False),
        (Reply(Stage.AUTH, None, "", "in the clear", Cause.PLAINTEXT), False),
    ],
)
def test_only_what_may_be_about_their_number_is_taken_as_a_limit_of_connections(reply: Reply, may_be: bool) -> None:
    assert may_be_full(reply) is may_be


def test_what_the_exchange_says_anew_is_heeded_and_a_setting_stands_above_it() -> None:
    knows = Knowledge(RelaySettings(behind_dot=False))
    assert knows.adopt(RelayLimits(4, 20, behind_dot=True), 0.0)
    assert (knows.connections.most, knows.mails.most, knows.behind_dot) == (4, 20, False)
    assert not knows.adopt(RelayLimits(4, 20, behind_dot=True), 1.0)
