"""After a pause or cancel has committed, at most one more mail an open connection arrives, and none later.

What the server can see: a mail whose content it had asked for before the commit may have been on the wire at that instant. Behind that
content the commands of the next mail may have left already; that is the one more. So of the mails whose content a connection
was asked for after the commit, or the few milliseconds until a sender on PostgreSQL must know of it, there may be one.

With a pace there are looks left over, which must not restart it: see paused_with_a_pace.py.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from sqlalchemy.orm import Session

from tests import comparison, engine, oracle_log
from tests.faults import paused_with_a_pace
from tests.faults.places import KINDS, Kind, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.oracle_log import Arrivals, Taken
from tests.scenes import Scene
from tests.smtp_oracle import Script
from tests.workers import Worker, wait_until
from webapp.adapters import clock, database
from webapp.core import broadcasts, ledger
from webapp.core.cadence import WATCH_OLDEST_S
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast

LATENCIES = (0.0, 0.002, 0.02, 0.1)
PACES = (2, 6, 12, 40)
"""Seconds from batch to batch."""
QUIET_S = 0.2
"""So long after the sender has ended the server is still looked at."""

DONE = {DeliveryState.ACCEPTED, DeliveryState.CANCELLED}


@dataclass
class Stop:
    """One pause or cancel: when its commit returned, and until when it was in force."""

    verb: str
    committed: float
    until: float = float("inf")

    def after(self, mails: Iterable[Taken]) -> list[Taken]:
        """What reached the server while it was in force."""
        return [mail for mail in mails if self.committed < mail.at < self.until]


@dataclass
class Seen:
    """What the server saw after all stops: how many there were, and of all connections together the most mails on the wire at the
    commit, and the most that were begun later."""

    stops: Counter[str] = field(default_factory=Counter)
    wire: int = 0
    more: int = 0


def run(*, short: bool, seed: int) -> Result:
    """After pause or cancel commits, at most one more mail per open connection, none later; a look left over restarts nothing."""
    if short:
        calls = [(kind, many, (0.002, 0.02), 300, 2, seed) for kind, many in zip(KINDS, (3, 10), strict=True)]
        paced: list[tuple[Kind, tuple[int, ...], bool]] = [(KINDS[0], (2, 6), True), (KINDS[1], (2, 6), False)]
    else:
        calls = [(kind, many, LATENCIES, 1_500, 7, seed) for many, kind in product((3, 10), KINDS)]
        paced = [(kind, PACES, with_scheduler) for with_scheduler, kind in product((True, False), KINDS)]
    total = Result("pause")
    seen = Seen()
    for found, one in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
        seen = Seen(seen.stops + one.stops, max(seen.wire, one.wire), max(seen.more, one.more))
    for found in side_by_side(paused_with_a_pace.play, paced, at_a_time=2):
        total.join(found)
    longest = max(max(paces) for _, paces, _ in paced)
    with_paces = sum(len(paces) for _, paces, _ in paced)
    total.notes.insert(
        0,
        f"{seen.stops['pause']} pauses, {seen.stops['cancel']} cancels; over all connections together at most {seen.wire} mails were on"
        f" the wire at the commit, and at most {seen.more} were begun later; {with_paces} broadcasts with paces of {min(PACES)} to"
        f" {longest} s stayed paused for two and a half intervals, while looks came",
    )
    return total


def _play(
    kind: Kind, connections: int, latencies: Sequence[float], mails: int, pauses: int, seed: int
) -> tuple[Result, Seen]:
    """One broadcast for each latency: paused so often, then finished or cancelled."""
    found, seen = Result("pause"), Seen()
    with scene(kind, connections=connections) as place:
        place.clients(mails)
        for latency in latencies:
            chance = random.Random(f"{seed} {kind} {connections} {latency}")
            where = f"{kind}, {connections} connections, latency {latency:g} s"
            with place.relay(Script(latency=latency)) as relay, place.worker(relay) as worker:
                key = place.broadcast(0)
                place.wake(key)
                cancelling = latency > 0.05 or chance.random() < 0.5
                try:
                    stops = _Disturbance(place, worker, key, chance).stops(pauses, cancelling)
                except AssertionError as error:
                    found.broken(f"{where}: {error}")
                    continue
            wrong = _judge(place, key, stops, where, found, seen)
            if wrong:
                found.broken(f"{where}: {'; '.join(wrong[:5])}")
    return found, seen


class _Disturbance:
    """A broadcast that is stopped again and again at instants left to chance."""

    def __init__(self, place: Scene, worker: Worker, key: int, chance: random.Random) -> None:
        self._place, self._worker, self._key, self._chance = place, worker, key, chance
        self._arrivals = Arrivals(place.log)

    def stops(self, pauses: int, cancelling: bool) -> list[Stop]:
        """Pause and resume so often, as far as there is something to pause; then wait for the end, or cancel."""
        place, key = self._place, self._key
        made: list[Stop] = []
        while len(made) < pauses and (stop := self._stop("pause")):
            self._comes_to_rest()
            stop.until = time.monotonic()
            made.append(stop)
            place.do(lambda session: broadcasts.resume(session, key, clock.now()))
            place.wake(key)
        if cancelling and (stop := self._stop("cancel")):
            made.append(stop)
            settled = lambda: set(engine.states(place.session, key)) <= DONE  # noqa: E731
            wait_until(settled, PATIENCE_S, "the rest is cancelled", self._worker.log)
            self._comes_to_rest()
        else:
            place.wait_for_state(key, BroadcastState.FINISHED, PATIENCE_S)
        return made

    def _stop(self, verb: str) -> Stop | None:
        """Pause or cancel when some more mails have come, None when the broadcast was done before."""
        place, key = self._place, self._key
        wanted = len(self._arrivals.so_far()) + self._chance.randint(1, 60)
        is_done = lambda: place.state(key) is BroadcastState.FINISHED  # noqa: E731
        has_come = lambda: len(self._arrivals.so_far()) >= wanted or is_done()  # noqa: E731
        wait_until(has_come, PATIENCE_S, f"{wanted} mails", self._worker.log)
        time.sleep(self._chance.random() * 0.02)
        reason = ["lunch"] if verb == "pause" else []
        with Session(engine.engine_of(place.app)) as session:
            database.will_write(session)
            try:
                getattr(broadcasts, verb)(session, key, *reason, clock.now())
            except Conflict:
                return None
            session.commit()
            return Stop(verb, time.monotonic())

    def _comes_to_rest(self) -> None:
        session = self._place.session

        def is_at_rest() -> bool:
            is_open = bool(ledger.open_senders(session, self._key))
            session.rollback()
            return not is_open

        wait_until(is_at_rest, PATIENCE_S, "the sender ends", self._worker.log)
        time.sleep(QUIET_S)


def _judge(place: Scene, key: int, stops: Sequence[Stop], where: str, found: Result, seen: Seen) -> list[str]:
    """What is wrong, in words."""
    compared = comparison.compare(place.session, key, place.log)
    found.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=compared.twice + compared.unknown,
        uncertain=compared.uncertain,
    )
    wrong = list(compared.wrong)
    if not set(compared.states) <= DONE:
        wrong.append(f"the rows are {compared.states}")
    sender = place.session.get_one(Broadcast, key).from_address.rpartition("<")[2].rstrip(">")
    mails = [mail for mail in oracle_log.received(place.log) if mail.mail_from == sender]
    for stop in stops:
        late = stop.after(mails)
        known = stop.committed + WATCH_OLDEST_S  # no mail is handed over on an older look at the broadcast's state
        more = Counter(mail.connection for mail in late if mail.asked_at > known)
        wire = len(late) - sum(more.values())
        seen.stops[stop.verb] += 1
        seen.wire, seen.more = max(seen.wire, wire), max(seen.more, sum(more.values()))
        if more and max(more.values()) > 1:
            after = max(mail.at for mail in late) - stop.committed
            wrong.append(
                f"after a {stop.verb}, {max(more.values())} mails on one connection, the last {after:.3f} s later"
            )
    return wrong
