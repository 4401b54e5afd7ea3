"""What is paused stays paused, whatever looks are left over from its pace.

A broadcast with a pace asks for a look at its next batch long before that is due, and nobody takes that back when it is paused. So several
with paces of different length are paused after their first batch, some of them resumed and paused again at once; looks come all the while,
early and late, and for two and a half of the longest interval nothing may leave. Then they are resumed, and go on.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from tests import comparison, engine
from tests.faults.places import Kind, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.oracle_log import Arrivals
from tests.scenes import Scene
from tests.workers import wait_until
from webapp.adapters import clock, database, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.cadence import WATCH_OLDEST_S
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

BATCH, CLIENTS, WORKERS = 2, 12, 2
INTERVALS_WATCHED = 2.5
LOOKS_EACH_S = 0.7
WIRE_S = 1.0
"""For so long the one mail that a connection had begun may take to arrive."""


def play(kind: Kind, intervals: Sequence[int], with_scheduler: bool) -> Result:
    """Broadcasts with paces of so many seconds, under workers with or without RQ's scheduler."""
    found = Result("pause")
    where = f"{kind}, paces of {', '.join(map(str, intervals))} s, {'with' if with_scheduler else 'without'} scheduler"
    with scene(kind, connections=2) as place:
        place.clients(CLIENTS)
        keys = [place.broadcast(0, batch_size=BATCH, interval_s=interval) for interval in intervals]
        with place.relay() as relay, place.workers(relay, WORKERS, with_scheduler=with_scheduler):
            for key in keys:
                place.wake(key, first_chunk=CLIENTS // 2)
            arrivals = Arrivals(place.log)
            try:
                wrong = _paused(place, keys, intervals, arrivals)
                _resumed(place, keys, arrivals)
            except AssertionError as error:
                wrong = [str(error)]
            for key in keys:
                place.do(lambda session, key=key: broadcasts.cancel(session, key, clock.now()))
            # What had left is recorded, before the workers are killed.
            wait_until(lambda: _has_ended(place), PATIENCE_S, "the senders end", place.last_log())
        for key in keys:
            compared = comparison.compare(place.session, key, place.log, is_over=False)
            found.add(where, mails=compared.mails, duplicates=compared.twice + compared.unknown)
            wrong += compared.wrong
    if wrong:
        found.broken(f"{where}: {'; '.join(wrong[:5])}")
    return found


def _paused(place: Scene, keys: Sequence[int], intervals: Sequence[int], arrivals: Arrivals) -> list[str]:
    """Pause each after its first batch and watch. Returns what is wrong, in words."""
    senders = {key: _sender(place, key) for key in keys}
    paused: dict[str, float] = {}
    started = {}
    for number, key in enumerate(keys):
        wait_until(lambda sender=senders[key]: _count(arrivals)[sender] >= BATCH, PATIENCE_S, "the first batch")
        paused[senders[key]] = _pause(place, key)
        if number % 2:
            place.do(lambda session, key=key: broadcasts.resume(session, key, clock.now()))
            place.wake(key)
            paused[senders[key]] = _pause(place, key)
        started[key] = _started_at(place, key)
        with place.app.app_context():
            wakeups.wake(key, at=clock.now() + timedelta(seconds=intervals[number]))
    end = time.monotonic() + INTERVALS_WATCHED * max(intervals)
    while time.monotonic() < end:
        for key in keys:
            place.wake(key)
        time.sleep(LOOKS_EACH_S)
    wrong = []
    for key in keys:
        late = [mail for mail in arrivals.so_far() if mail.mail_from == senders[key] and mail.at > paused[senders[key]]]
        more = [mail for mail in late if mail.asked_at > paused[senders[key]] + WATCH_OLDEST_S]
        after = max((mail.at - paused[senders[key]] for mail in late), default=0.0)
        if after > WIRE_S or max(Counter(mail.connection for mail in more).values(), default=0) > 1:
            wrong.append(f"broadcast {key}: {len(late)} mails after the pause, the last {after:.1f} s later")
        if (state := place.state(key)) is not BroadcastState.PAUSED:
            wrong.append(f"broadcast {key} is {state}")
        if _started_at(place, key) != started[key]:
            wrong.append(f"broadcast {key} started anew")
    return wrong


def _resumed(place: Scene, keys: Sequence[int], arrivals: Arrivals) -> None:
    """Each goes on when somebody resumes it."""
    before = _count(arrivals)
    for key in keys:
        place.do(lambda session, key=key: broadcasts.resume(session, key, clock.now()))
        place.wake(key)
    for key in keys:
        sender = _sender(place, key)
        wait_until(lambda sender=sender: _count(arrivals)[sender] > before[sender], PATIENCE_S, "it goes on")


def _has_ended(place: Scene) -> bool:
    place.session.rollback()
    return not ledger.open_senders(place.session)


def _pause(place: Scene, key: int) -> float:
    """Pause it; when the commit had returned."""
    with Session(engine.engine_of(place.app)) as session:
        database.will_write(session)
        broadcasts.pause(session, key, "lunch", clock.now())
        session.commit()
        return time.monotonic()


def _started_at(place: Scene, key: int) -> datetime | None:
    place.session.rollback()
    return place.session.get_one(Broadcast, key, populate_existing=True).started_at


def _sender(place: Scene, key: int) -> str:
    return place.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")


def _count(arrivals: Arrivals) -> Counter[str]:
    return Counter(mail.mail_from for mail in arrivals.so_far())
