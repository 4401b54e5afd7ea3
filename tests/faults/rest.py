"""When a broadcast of a fault family has come to rest, how time passes for one that waits, and for how long a family waits itself."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from tests.scenes import Scene
from tests.workers import wait_until
from webapp.adapters import clock
from webapp.core import ledger
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.relay import Relay, RelayState

PATIENCE_S = 120.0
"""For so long a family waits for what has to come, on a machine of any speed: how soon it comes is not judged, only that it does."""

DONE = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
SOON = timedelta(seconds=1)
NEAR_S = 8.0
"""A row that is due sooner is being waited for."""


def is_at_rest(scene: Scene, broadcast_id: int) -> bool:
    """Whether nobody works on it and nobody will for a while: it is over, paused, or waits for the relay or for rows that are due much
    later.

    Senders are looked for last: one that began after a look at them, and has paused it by now, still has rows to give back.
    """
    state = scene.state(broadcast_id)
    if state is BroadcastState.SCHEDULED:
        return False
    if state is BroadcastState.SENDING:
        if scene.session.get_one(Broadcast, broadcast_id).frozen_at is None:
            return False
        waits = select(Relay.key).where(Relay.state == RelayState.WAITING, Relay.next_try_at > clock.now() + SOON)
        if scene.session.scalar(waits.where(Relay.probe_until.is_(None)).limit(1)):
            return True
        due = ledger.next_due(scene.session, broadcast_id)
        if due is None or (due - clock.now()).total_seconds() <= NEAR_S:
            return False
    scene.session.rollback()
    return not ledger.open_senders(scene.session, broadcast_id)


def let_time_pass(scene: Scene, broadcast_id: int) -> None:
    """Make due at once what waits in a broadcast, as if the time had passed."""
    now = clock.now()
    scene.do(
        lambda session: session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.due_at > now)
            .values(due_at=now)
            .execution_options(synchronize_session=False)
        )
    )


def settle(scene: Scene, broadcast_id: int, log: Path) -> None:
    """Until nobody works on the broadcast any more. A minute that somebody waits for is over at once. `log` is the worker's."""

    def is_done() -> bool:
        if scene.state(broadcast_id) in DONE:
            return True
        due = ledger.next_due(scene.session, broadcast_id)
        far = due is not None and (due - clock.now()).total_seconds() > 2
        if far and not ledger.open_senders(scene.session, broadcast_id):
            let_time_pass(scene, broadcast_id)
            scene.wake(broadcast_id)
        return False

    wait_until(is_done, PATIENCE_S, f"the end of broadcast {broadcast_id}", log)
