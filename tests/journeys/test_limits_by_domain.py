"""A limit by the recipient's domain under real workers, and through what may happen meanwhile."""

import bisect
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import engine, factories, oracle_log
from tests.oracle_log import Taken
from tests.scenes import Scene
from tests.smtp_oracle import Oracle, Script
from tests.workers import wait_until
from webapp.adapters import clock
from webapp.core import broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.settings import receivers

S = BroadcastState
CONNECTIONS = 3
GIVEN = 20
"""Mails a second to the domain with a limit."""
TO_IT, ELSEWHERE = 80, 40


@pytest.fixture
def scene(app: Flask, session: Session, redis_url: str, tmp_path: Path) -> Scene:
    return Scene(app, session, redis_url, tmp_path, connections=CONNECTIONS)


@pytest.fixture
def relay(scene: Scene) -> Iterator[Oracle]:
    with Oracle(scene.log, Script(latency=0.005)) as oracle:
        yield oracle


def limited_broadcast(scene: Scene) -> int:
    """A broadcast of which most goes to a domain with a limit of mails and connections; its id."""
    for number in range(TO_IT):
        factories.client(scene.session, f"ada{number}@gmail.com")
    receivers.add(scene.session, ReceiverLimit(("gmail.com",), GIVEN, connections=1))
    scene.session.commit()
    return scene.broadcast(ELSEWHERE)


def to_it(scene: Scene) -> list[Taken]:
    return [mail for mail in oracle_log.received(scene.log) if mail.recipient.endswith("@gmail.com")]


def most_in_a_second(mails: list[Taken]) -> int:
    times = sorted(mail.at for mail in mails)
    return max((i - bisect.bisect_right(times, at - 1) + 1 for i, at in enumerate(times)), default=0)


def carried_at_once(mails: list[Taken]) -> int:
    """Over how many connections at a time, from the relay's go-ahead to the final dot."""
    spans = sorted(
        (moment, step, mail.connection) for mail in mails for moment, step in ((mail.asked_at, 1), (mail.at, 0))
    )
    carrying: set[int] = set()
    most = 0
    for _, begins, connection in spans:
        (carrying.add if begins else carrying.discard)(connection)
        most = max(most, len(carrying))
    return most


def test_two_workers_through_pause_and_kill_lose_nobody_and_never_give_a_domain_too_much(scene: Scene, relay: Oracle):
    key = limited_broadcast(scene)
    with scene.workers(relay, 2) as workers:
        scene.wake(key)
        wait_until(lambda: len(to_it(scene)) >= 10, 60, "mails to the domain", workers[0].log)
        scene.do(lambda session: broadcasts.pause(session, key, "lunch", clock.now()))
        wait_until(lambda: not any(worker.horses() for worker in workers), 20, "the senders ended", workers[0].log)
        scene.do(lambda session: broadcasts.resume(session, key, clock.now()))
        scene.wake(key)
        before = len(to_it(scene))
        assert before < TO_IT
        wait_until(lambda: len(to_it(scene)) >= before + 5, 60, "more mails to the domain", workers[0].log)
        for worker in workers:
            worker.kill_all()
        for worker in workers:
            worker.start()
        wait_until(lambda: scene.state(key) is not S.SENDING, 90, "done", workers[0].log)
    states, held = scene.check(key)
    assert states["accepted"] + states.get("uncertain", 0) == TO_IT + ELSEWHERE
    assert states.get("uncertain", 0) <= 2 * CONNECTIONS and max(held.values()) == 1
    assert most_in_a_second(to_it(scene)) <= GIVEN
    assert carried_at_once(to_it(scene)) == 1


def test_who_has_an_address_elsewhere_does_not_wait(scene: Scene, relay: Oracle):
    key = limited_broadcast(scene)
    with scene.worker(relay):
        scene.wake(key)
        scene.wait_for_state(key, S.FINISHED)
    assert engine.states(scene.session, key) == {"accepted": TO_IT + ELSEWHERE}
    order = [
        mail.recipient.endswith("@gmail.com") for mail in sorted(oracle_log.kept(scene.log), key=lambda one: one.at)
    ]
    last_elsewhere = max(place for place, is_limited in enumerate(order) if not is_limited)
    assert sum(order[:last_elsewhere]) <= 2 * GIVEN, "all others were there while the domain took its first mails"
    assert most_in_a_second(to_it(scene)) <= GIVEN
