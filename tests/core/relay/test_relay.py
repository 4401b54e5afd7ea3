"""The relay's health is one fact for the whole site: waited for, probed by one, refusing until a person looks; limits and rests are
kept."""

from datetime import timedelta

from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core import relay
from webapp.core.cadence import FIRST_WAIT_S, LONGEST_WAIT_S
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.tables.relay import RelayState

KEY = "relay.example:25"
HOURS = timedelta(hours=12)


def later(seconds: float):
    return NOW + timedelta(seconds=seconds)


def test_a_relay_nobody_has_met_is_well(session: Session):
    health = relay.read(session, KEY)
    assert (health.state, health.limits) == (RelayState.WELL, RelayLimits())
    assert not relay.is_well(session, KEY) and not relay.begin_probe(session, KEY, NOW, later(20))


def test_it_is_tried_again_after_ever_longer_pauses(session: Session):
    pauses, now = [], NOW
    for _ in range(9):
        health = relay.wait(session, KEY, "cannot be reached", now, waits_for=HOURS)
        pauses.append(health.next_try_in(now))
        now = health.next_try_at
    assert pauses[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S] and pauses[-1] == LONGEST_WAIT_S
    assert health.since == NOW and health.is_waiting


def test_one_process_alone_probes_and_only_when_it_is_time(session: Session):
    relay.wait(session, KEY, "cannot be reached", NOW, waits_for=HOURS)
    assert not relay.begin_probe(session, KEY, later(FIRST_WAIT_S - 1), later(30))
    assert relay.begin_probe(session, KEY, later(FIRST_WAIT_S), later(FIRST_WAIT_S + 20))
    assert not relay.begin_probe(session, KEY, later(FIRST_WAIT_S + 1), later(60))
    relay.keep_probing(session, KEY, later(100))
    assert not relay.begin_probe(session, KEY, later(FIRST_WAIT_S + 30), later(60))  # it said that it lives
    assert relay.begin_probe(session, KEY, later(100), later(120))  # and then no more
    relay.end_probe(session, KEY)
    assert relay.begin_probe(session, KEY, later(101), later(121))


def test_who_finds_out_again_ends_the_probe_and_who_gets_through_the_waiting(session: Session):
    relay.wait(session, KEY, "cannot be reached", NOW, waits_for=HOURS)
    assert relay.begin_probe(session, KEY, later(5), later(25))
    relay.wait(session, KEY, "still away", later(6), waits_for=HOURS)
    assert not relay.begin_probe(session, KEY, later(7), later(30))
    assert relay.begin_probe(session, KEY, later(16), later(40))
    assert relay.is_well(session, KEY) and not relay.is_well(session, KEY)
    health = relay.read(session, KEY)
    assert (health.state, health.since, health.words, health.tries) == (RelayState.WELL, None, "", 0)


def test_waited_for_too_long_it_refuses_until_a_person_has_it_tried(session: Session):
    relay.wait(session, KEY, "cannot be reached", NOW, waits_for=timedelta(minutes=1))
    health = relay.wait(session, KEY, "cannot be reached", later(61), waits_for=timedelta(minutes=1))
    assert health.is_refusing and "cannot be reached" in health.words
    assert relay.wait(session, KEY, "what one more says", later(62), waits_for=HOURS).is_refusing
    assert not relay.begin_probe(session, KEY, later(1000), later(1020))
    relay.try_now(session, later(1000))
    health = relay.read(session, KEY)
    assert (
        health.is_waiting and health.since == later(1000) and relay.begin_probe(session, KEY, later(1000), later(1020))
    )


def test_a_relay_that_is_well_is_not_made_to_wait_by_a_resume(session: Session):
    relay.take_note(session, KEY, NOW)
    relay.try_now(session, NOW)
    assert relay.read(session, KEY).state is RelayState.WELL and relay.read(session, KEY).taken_at == NOW


def test_each_limit_has_the_instant_at_which_it_was_learned(session: Session):
    relay.learn(session, KEY, RelayLimits(connections=5), NOW)
    relay.learn(session, KEY, RelayLimits(connections=5, per_connection=20, behind_dot=False), later(60))
    relay.learn_rate(session, KEY, 100, later(90))
    health = relay.read(session, KEY)
    assert health.limits == RelayLimits(5, 20, False) and health.per_minute == 100
    assert (health.connections_at, health.per_connection_at, health.behind_dot_at) == (NOW, later(60), later(60))
    relay.forget(session, KEY)
    assert relay.read(session, KEY).limits == RelayLimits() and relay.read(session, KEY).per_minute is None
    assert relay.read(session, "other:25").limits == RelayLimits()


def test_a_domain_is_given_ever_more_time_until_it_takes_mails_again(session: Session):
    for minutes in (1, 2, 4):
        relay.give_rest(session, "slow.example", "not now", NOW)
        assert relay.resting(session)["slow.example"].until == NOW + timedelta(minutes=minutes)
    relay.clear_rest(session, ["slow.example"])
    assert relay.resting(session) == {}
