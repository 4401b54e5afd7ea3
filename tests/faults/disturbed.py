"""A full disk, a locked database, a sender that stands still, a time-out: all as promised, and sending goes on by itself.

While the database takes nothing, each mail that the server has must be known to the journal or to the ledger. A sender that cannot renew
its lease stops by its own clock; one that was stopped and continued after others took its mails over changes nothing any more.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import journals
from tests import comparison, engine, oracle_log
from tests.faults import troubles
from tests.faults.places import Kind, scene
from tests.faults.points import is_alive
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.oracle_log import Arrivals
from tests.scenes import Scene
from tests.smtp_oracle import Fault, Script
from tests.workers import wait_until
from webapp.adapters import clock, journal, wakeups
from webapp.core import ledger
from webapp.core.cadence import LEASE_S
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import UncertainPolicy
from webapp.core.tables.deliveries import Delivery, Sender

DONE = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
BEFORE = 250
"""Mails that the relay has when the trouble begins."""

CONNECTIONS = 3
AGAIN_S = 30.0
"""So soon after the trouble mails must arrive again; in the short form, that they do is enough."""

STILL_S = 60.0
"""Who goes still when the database takes nothing has done so by then, on a machine of any speed."""

RQ_S = 5
"""The time-out that RQ is given for a job: time enough for it to begin to send."""

AT_A_TIME = 6
"""Scenes side by side: they wait more than they work."""


@dataclass(frozen=True)
class Case:
    """One run. `trouble`: full, locked, away (for so many `seconds`), stopped, stopped-recording, time-out. Mails must arrive again within
    `again` seconds after it."""

    trouble: str
    kind: Kind
    seconds: float = 0.0
    policy: UncertainPolicy = UncertainPolicy.HOLD
    again: float = AGAIN_S

    def __str__(self) -> str:
        length = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.trouble}{length} on {self.kind}, {self.policy}"


HOLD, RETRY = UncertainPolicy.HOLD, UncertainPolicy.RETRY
SHORT = (
    Case("stopped", "sqlite"),
    Case("locked", "sqlite", 14),
    Case("locked", "postgresql", 14),
    Case("full", "sqlite", 6),
    Case("full", "postgresql", 6),
    Case("time-out", "postgresql"),
)
FULL = (
    Case("stopped", "sqlite"),
    Case("stopped", "sqlite", policy=RETRY),
    Case("stopped", "postgresql"),
    Case("stopped", "postgresql", policy=RETRY),
    Case("stopped-recording", "postgresql"),
    Case("locked", "sqlite", 32),
    Case("locked", "postgresql", 32),
    Case("locked", "sqlite", 14),
    Case("locked", "postgresql", 14),
    Case("away", "postgresql", 32),
    Case("full", "sqlite", 32),
    Case("full", "postgresql", 32),
    Case("away", "postgresql", 6),
    Case("full", "sqlite", 6),
    Case("full", "postgresql", 6),
    Case("time-out", "sqlite"),
    Case("time-out", "postgresql"),
)


def run(*, short: bool, seed: int) -> Result:
    """Disk full and locked database after 250, a worker stopped beyond its lease and continued, a time-out in the dot: all as promised."""
    return run_cases([replace(case, again=PATIENCE_S) for case in SHORT] if short else FULL, seed)


def run_cases(cases: Sequence[Case], seed: int) -> Result:
    total = Result("disturbed")
    for found in side_by_side(_play, [(case, seed) for case in cases], at_a_time=AT_A_TIME):
        total.join(found)
    return total


def _play(case: Case, seed: int) -> Result:
    found = Result("disturbed")
    play = {"stopped": _stopped, "stopped-recording": _stopped, "time-out": _timed_out}.get(case.trouble, _outage)
    with ExitStack() as stack:
        place: Scene = stack.enter_context(scene(case.kind, connections=CONNECTIONS))
        disk = place.folder
        if case.trouble == "full":
            try:
                place, disk = stack.enter_context(troubles.on_small_disk(place, case.kind))
            except (OSError, subprocess.CalledProcessError) as error:
                found.notes.append(f"{case}: not run, because no small disk can be made here ({error})")
                return found
        try:
            key, note = play(case, place, disk, random.Random(f"{seed} {case}"))
        except AssertionError as error:
            found.broken(f"{case}: {error}")
        else:
            found.notes.append(f"{case}: {note}")
            _judge(case, place, key, found)
    return found


def _judge(case: Case, place: Scene, key: int, found: Result) -> None:
    """Ledger against log. Only a sender that stood still leaves something in doubt, one mail a connection."""
    doubtful = CONNECTIONS if case.trouble.startswith("stopped") else 0
    compared = comparison.compare(place.session, key, place.log)
    wrong = list(compared.wrong)
    beyond = max(0, compared.twice - doubtful * (case.policy is RETRY))
    if compared.uncertain > doubtful * (case.policy is HOLD):
        wrong.append(f"{compared.uncertain} rows are uncertain")
    if set(compared.states) - {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}:
        wrong.append(f"the rows are {compared.states}")
    found.add(
        str(case),
        mails=compared.mails,
        lost=compared.lost,
        duplicates=compared.unknown + beyond,
        uncertain=compared.uncertain,
    )
    if wrong:
        found.broken(f"{case}: {'; '.join(wrong[:5])}")


# The database takes nothing


def _outage(case: Case, place: Scene, disk: Path, chance: random.Random) -> tuple[int, str]:
    """Slow enough that mails are in hand for longer than a lease lasts, where it is to run out."""
    is_long = case.seconds > LEASE_S
    goes_still = is_long or case.trouble != "locked"  # who waits for a lock goes on, as long as its lease does
    latency = 0.1 if is_long else 0.06
    mails = 1_900 if is_long else 950  # two workers may begin at once
    if not goes_still:  # all are in hand: there must be more than the relay can take meanwhile
        mails = max(mails, BEFORE + 2 * int(CONNECTIONS * case.seconds / latency))
    key = place.broadcast(mails, uncertain_policy=case.policy)
    arrivals = Arrivals(place.log)
    with place.relay(Script(latency=latency)) as relay, place.workers(relay, 2 if is_long else 1):
        place.wake(key)
        place.wait_for_mails(BEFORE, PATIENCE_S)
        with _trouble(case, place, disk) as eyes:
            began = time.monotonic()
            time.sleep(chance.random())
            while time.monotonic() < began + case.seconds or (goes_still and not _is_still(arrivals, began)):
                _all_known(place, key, eyes, arrivals)
                time.sleep(1.0)
            expired = _expiry(eyes, key) if eyes else began + LEASE_S
            ended = time.monotonic()
        meanwhile = [mail for mail in arrivals.so_far() if began < mail.at < ended]
        last = max((mail.at for mail in meanwhile), default=began)
        late = [mail for mail in meanwhile if mail.asked_at > expired]
        assert not late, (
            f"{len(late)} mails were begun after the lease had ended, the last {late[-1].asked_at - expired:.3f} s"
        )
        if goes_still:
            assert last < ended - 1, f"mails went out to the last ({ended - last:.1f} s before the end)"
        assert place.state(key) not in DONE, "all was done before the trouble ended"
        wait_until(lambda: arrivals.so_far()[-1].at > ended, case.again, "mails arrive again", place.last_log())
        again = next(mail.at for mail in arrivals.so_far() if mail.at > ended) - ended
        wait_until(lambda: place.state(key) in DONE, PATIENCE_S, "the end", place.last_log())
    return key, (
        f"{len(meanwhile)} mails meanwhile, the last after {last - began:.1f} s, all known to the journal or the ledger; the next"
        f" {again:.1f} s after the end"
    )


def _trouble(case: Case, place: Scene, disk: Path) -> AbstractContextManager[Session | None]:
    if case.trouble == "full":
        return troubles.full(place, disk)
    return troubles.locked(place) if case.trouble == "locked" else troubles.away(place)


def _is_still(arrivals: Arrivals, began: float) -> bool:
    """Whether no mail has come for a second, or they have come for so long that there is no hope."""
    now = time.monotonic()
    return arrivals.so_far()[-1].at < now - 1 or now > began + STILL_S


def _all_known(place: Scene, key: int, eyes: Session | None, arrivals: Arrivals) -> None:
    """Each mail that the server has is recorded, or stands in a journal. Read in the order in which a mail travels, backwards: what has
    left its journal meanwhile is in the ledger by then."""
    held = {mail.recipient for mail in arrivals.so_far()}
    begun: set[int] = set()
    folder = journals(place.app)
    for name in journal.names(folder):
        begun.update(delivery_id for delivery_id, _ in journal.find(folder, name).begun)
    if eyes is None:
        return
    rows = eyes.execute(select(Delivery.address, Delivery.id, Delivery.state).where(Delivery.broadcast_id == key)).all()
    if eyes is place.session:
        eyes.rollback()
    unknown = [
        address
        for address, delivery_id, state in rows
        if address in held and state is not DeliveryState.ACCEPTED and delivery_id not in begun
    ]
    assert not unknown, f"{len(unknown)} mails are at the server, and neither ledger nor journal knows"


def _expiry(eyes: Session, key: int) -> float:
    """The steady time at which the last lease of the broadcast ends or ended."""
    latest = max(eyes.scalars(select(Sender.expires_at).where(Sender.broadcast_id == key)))
    now = clock.now()
    return time.monotonic() + (latest - now).total_seconds()


# A sender that stands still


def _stopped(case: Case, place: Scene, _disk: Path, chance: random.Random) -> tuple[int, str]:
    key = place.broadcast(600, uncertain_policy=case.policy)
    arrivals = Arrivals(place.log)
    with place.relay(Script(latency=0.06)) as relay, place.workers(relay, 2):
        place.wake(key)
        place.wait_for_mails(BEFORE - chance.randint(0, 100), PATIENCE_S)
        time.sleep(chance.random() * 0.2)
        with _standing_still(case, place, key) as stale:
            began = time.monotonic()
            wait_until(lambda: _sender(place, key).id != stale.id, PATIENCE_S, "another takes over", place.last_log())
            taken_over = time.monotonic()
            here = len(arrivals.so_far())
            wait_until(lambda: len(arrivals.so_far()) >= here + 20, PATIENCE_S, "the other sends", place.last_log())
            theirs = {mail.connection for mail in arrivals.so_far() if mail.at < taken_over}
        continued = time.monotonic()
        wait_until(lambda: not is_alive(stale.pid), PATIENCE_S, "the stale sender ends", place.last_log())
        gone = time.monotonic() - continued
        wait_until(lambda: place.state(key) in DONE, PATIENCE_S, "the end", place.last_log())
    late = sum(mail.connection in theirs and mail.at > continued for mail in arrivals.so_far())
    assert late <= CONNECTIONS, f"the stale sender went on: {late} mails, and not at most {CONNECTIONS}"
    return key, (
        f"taken over after {taken_over - began:.0f} s; continued, the stale sender finished {late} mails and was gone after"
        f" {gone:.1f} s"
    )


@contextmanager
def _standing_still(case: Case, place: Scene, key: int) -> Iterator[Sender]:
    """Stop a sender for as long as this lasts. On SQLite, not while it has the database locked: then all the house waits for it. One that
    was just about to leave its worker to others goes, and its successor is stopped."""
    if case.trouble == "stopped-recording":
        stale = _sender(place, key)
        with troubles.locked(place):
            wait_until(lambda: troubles.waits_for_lock(place), PATIENCE_S, "the sender waits for a lock")
            os.kill(stale.pid, signal.SIGSTOP)
    else:
        while not (stale := _stop_sender(place, key)):
            time.sleep(0.01)
    try:
        yield stale
    finally:
        os.kill(stale.pid, signal.SIGCONT)


def _stop_sender(place: Scene, key: int) -> Sender | None:
    """The sender, stopped; None when it goes on, because it had the database locked or had ended its lease."""
    stale = _sender(place, key)
    try:
        os.kill(stale.pid, signal.SIGSTOP)
        if not _is_locked(place) and _sender(place, key).id == stale.id:
            return stale
        os.kill(stale.pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
    return None


def _is_locked(place: Scene) -> bool:
    """SQLite: whether somebody writes, and goes on for a second."""
    if place.session.get_bind().dialect.name != "sqlite":
        return False
    with engine.engine_of(place.app).connect() as connection:
        connection.execute(text("PRAGMA busy_timeout=1000"))
        connection.rollback()
        try:
            connection.execution_options(will_write=True).execute(text("SELECT 1"))
        except OperationalError:
            return True
        finally:
            connection.invalidate()
    return False


def _sender(place: Scene, key: int) -> Sender:
    """The one that sends now; the latest, where one stands still."""
    found: list[Sender] = []

    def somebody_sends() -> bool:
        place.session.rollback()
        found[:] = ledger.open_senders(place.session, key)[-1:]
        return bool(found)

    wait_until(somebody_sends, PATIENCE_S, "somebody sends", place.last_log())
    place.session.expunge_all()
    place.session.rollback()
    return found[0]


# A job time-out


def _timed_out(case: Case, place: Scene, _disk: Path, chance: random.Random) -> tuple[int, str]:
    """One of RQ's own, then SIGALRM by hand each time the relay is slow to answer a dot. Every sender ends, another goes on."""
    slow = [Fault("dot", "slow", nth=number, seconds=2.0) for number in range(220, 381, 40)]  # RQ's own comes sooner
    key = place.broadcast(440, uncertain_policy=case.policy)
    ended = 0
    place.freeze(key)
    with (
        place.app.app_context()
    ):  # before there is a worker, which would be told to look at the broadcast by its first sweep
        wakeups.queue().enqueue_call(wakeups.LOOK, (key,), timeout=RQ_S, result_ttl=0)
    with place.relay(Script(latency=0.1, faults=tuple(slow))) as relay, place.workers(relay, 1):
        first = _sender(place, key)
        wait_until(lambda: not is_alive(first.pid), PATIENCE_S, "RQ's time-out ends the sender", place.last_log())
        assert place.state(key) not in DONE, "RQ's time-out did not end the sender before it was done"
        for number, _ in enumerate(slow, 1):
            wait_until(_is_slow(place.log, number), PATIENCE_S, "the relay is slow", place.last_log())
            time.sleep(chance.random())
            sender = _sender(place, key)
            with suppress(ProcessLookupError):  # it had just ended by itself
                os.kill(sender.pid, signal.SIGALRM)
            wait_until(lambda pid=sender.pid: not is_alive(pid), PATIENCE_S, "the sender ends", place.last_log())  # type: ignore[misc]
            ended += 1
        wait_until(lambda: place.state(key) in DONE, PATIENCE_S, "the end", place.last_log())
    return key, f"RQ's own after {RQ_S} s, and {ended} in the middle of the dot"


def _is_slow(log: Path, number: int) -> Callable[[], bool]:
    return lambda: sum(1 for _ in oracle_log.events(log, "fault")) >= number
