"""Several broadcasts under real workers: none keeps another waiting, and a large one is served by all who have nothing else to do."""

import time
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import oracle_log
from tests.scenes import Scene
from tests.smtp_oracle import Script
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.sending import SenderSettings
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Sender, Tally

SLOWLY = Script(latency=0.02)


@pytest.fixture
def scene(sqlite_app: Flask, sqlite_session: Session, redis_url: str, tmp_path: Path) -> Scene:
    return Scene(sqlite_app, sqlite_session, redis_url, tmp_path)


@pytest.fixture
def relay(scene: Scene) -> Iterator[int]:
    with scene.relay(SLOWLY) as port:
        yield port


def frozen(scene: Scene, mails: int, **columns: int) -> int:
    """A broadcast to so many more clients than the one before."""
    key = scene.broadcast(mails, **columns)
    scene.freeze(key)
    return key


def arrivals(scene: Scene, key: int) -> list[float]:
    """When the mails of a broadcast came."""
    sender = sender_of(scene, key)
    return [mail.at for mail in oracle_log.received(scene.log) if mail.mail_from == sender]


def sender_of(scene: Scene, key: int) -> str:
    return scene.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")


def test_a_paced_broadcast_never_keeps_another_waiting(scene: Scene, relay: int):
    paced = frozen(scene, 8, batch_size=1, interval_s=3)
    other = frozen(scene, 200)
    with scene.worker(relay):
        scene.wake(paced)
        scene.wait_for_mails(2)
        began = time.monotonic()
        scene.wake(other)
        scene.wait_for_state(other, BroadcastState.FINISHED)
        scene.wait_for_state(paced, BroadcastState.FINISHED)
    of_other, of_paced = arrivals(scene, other), arrivals(scene, paced)
    assert of_other[0] - began < 2, "it waited for a worker that waited"
    assert of_other[-1] < of_paced[-1]
    assert oracle_log.most_in_any(scene.log, 3, sender_of(scene, paced)) == 1
    assert of_paced[-1] - of_paced[0] < 7 * 3 * 1.2, "the paced one came to its right, too"


def test_two_large_broadcasts_share_one_worker_in_slices(scene: Scene, relay: int):
    first = frozen(scene, 1_200)
    second = frozen(scene, 0)
    with scene.worker(relay):
        scene.wake(first)
        scene.wake(second)
        for key in (first, second):
            scene.wait_for_state(key, BroadcastState.FINISHED)
    slices = [
        (sender, [mail.at for mail in mails])
        for sender, mails in groupby(oracle_log.received(scene.log), lambda mail: mail.mail_from)
    ]
    assert len(slices) >= 3, "one had to wait for the end of the other"
    assert all(times[-1] - times[0] < SenderSettings().slice_s + 3 for _, times in slices[:-1])


def test_two_workers_serve_one_large_broadcast_together(scene: Scene, relay: int):
    with scene.workers(relay, 2):
        key = frozen(scene, 2_500)  # takes longer than the sweeps with which workers begin, which would wake both
        scene.wake(key)
        scene.wait_for_state(key, BroadcastState.FINISHED)
    states, held = scene.check(key)
    assert states == {"accepted": 2_500} and set(held.values()) == {1}
    query = (
        select(Sender.started_at, Sender.ended_at, Tally.count)
        .join(Tally, Tally.sender_id == Sender.id)
        .where(Tally.broadcast_id == key, Tally.state == DeliveryState.ACCEPTED)
        .order_by(Sender.started_at)
    )
    shares = [row for row in scene.session.execute(query).all() if row.count]
    assert sum(row.count for row in shares) == 2_500
    assert any(later.started_at < earlier.ended_at for earlier, later in pairwise(shares)), "one after the other"
