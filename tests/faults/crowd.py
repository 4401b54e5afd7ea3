"""Eight schedulers start the same broadcast at the same instant, and then eight workers serve it.

The schedulers are processes that meet at a barrier and do what a look at a due broadcast begins with; the freeze goes in small chunks, so
that they really meet in it.
"""

import multiprocessing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from jobs.start_broadcast import start_broadcast
from tests import comparison, factories
from tests.databases import make_app
from tests.faults.places import KINDS, Kind, Place, scene
from tests.faults.rest import PATIENCE_S
from tests.faults.result import Result
from tests.smtp_oracle import Script
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.deliveries import Sender, Tally

SOME, SOME_EACH = "AT", 10
"""The country of every so many clients: to those there is a second broadcast beside the first, which the workers freeze themselves."""

CHUNKS = 20
"""The freeze of an audience goes in about so many."""

LATENCY_S, FEW_LATENCY_S = 0.02, 0.06
"""So slow is the relay that one worker alone would need a minute. In the short form, others have half of it to join, however slow the
machine is: they do as long as much is in nobody's hands."""


@dataclass(frozen=True)
class Started:
    """What one of the schedulers did: whether it was the one that began, in how many chunks it froze, what went wrong."""

    has_begun: bool = False
    chunks: int = 0
    error: str = ""


def run(*, short: bool, seed: int) -> Result:
    """8 schedulers at the same instant and 8 workers x 10,000 rows, on both databases: 10,000 mails, 1 freeze, 0 duplicates."""
    found = Result("crowd")
    if short:
        _play(found, KINDS[seed % len(KINDS)], mails=3_000, workers=3, least=2, latency=FEW_LATENCY_S)
    else:
        for kind in KINDS:
            _play(found, kind, mails=10_000, workers=8, least=4, latency=LATENCY_S)
    return found


def _play(found: Result, kind: Kind, *, mails: int, workers: int, least: int, latency: float) -> None:
    """`workers` serve a broadcast to `mails` clients; at least so many of them must really have sent."""
    with scene(kind, connections=3) as place:
        _clients(place, mails)
        key = place.broadcast(0)
        other = place.broadcast(0, audience_filter={"countries": [SOME]})
        started = _start_at_once(place, key, schedulers=workers, chunk=mails // CHUNKS)
        wrong = [f"a scheduler failed: {one.error}" for one in started if one.error]
        if (begun := sum(one.has_begun for one in started)) != 1:
            wrong.append(f"{begun} schedulers began the broadcast")
        wrong += _check_freeze(place, key, mails)
        freezers = sum(one.chunks > 0 for one in started)
        with place.relay(Script(latency=latency)) as relay, place.workers(relay, workers):
            for each in (key, other):
                place.wake(each, first_chunk=mails // CHUNKS)
            try:
                for each in (key, other):
                    place.wait_for_state(each, BroadcastState.FINISHED, PATIENCE_S)
            except AssertionError as error:
                wrong.append(str(error))
        compared = comparison.compare(place.session, key, place.log)
        shares = _shares(place, key)
        if len(shares) < least:
            wrong.append(f"only {len(shares)} processes took part, and not {least}")
        beside = comparison.compare(place.session, other, place.log)
        for each in (compared, beside):
            twice = each.twice + each.unknown
            found.add(kind, mails=each.mails, lost=each.lost, duplicates=twice, uncertain=each.uncertain)
        found.notes.append(
            f"{kind}: 1 freeze of {compared.mails:,} by {freezers} schedulers together; {len(shares)} processes sent"
            f" {', '.join(f'{count:,}' for count in shares)}"
        )
        if wrong := [*wrong, *compared.wrong, *beside.wrong]:
            found.broken(f"{kind}: {'; '.join(wrong[:5])}")


def _clients(place: Place, count: int) -> None:
    """Clients by the thousand."""
    for number in range(count):
        factories.client(place.session, **({"country": SOME} if number % SOME_EACH == 0 else {}))
        if number % 1000 == 999:
            place.session.commit()
            place.session.expunge_all()
    place.session.commit()


def _start_at_once(place: Place, key: int, *, schedulers: int, chunk: int) -> list[Started]:
    """Have so many processes start the broadcast at the same instant."""
    method = multiprocessing.get_context("spawn")
    barrier, queue = method.Barrier(schedulers), method.Queue()
    url = str(place.app.config["SQLALCHEMY_DATABASE_URI"])
    arguments = (url, place.redis_url, place.folder, key, chunk, barrier, queue)
    processes = [method.Process(target=_scheduler, args=arguments, daemon=True) for _ in range(schedulers)]
    for process in processes:
        process.start()
    started = [queue.get(timeout=2 * PATIENCE_S) for _ in processes]
    for process in processes:
        process.join(10)
    return started


def _scheduler(url: str, redis_url: str, folder: Path, key: int, chunk: int, barrier: Any, queue: Any) -> None:
    """One of them, in its own process."""
    begun: list[bool] = []
    frozen: list[bool] = []
    start, freeze_chunk = broadcasts.start, ledger.freeze_chunk

    def start_and_tell(*arguments: Any, **options: Any) -> bool:
        begun.append(start(*arguments, **options))
        return begun[-1]

    def freeze_and_tell(*arguments: Any, **_: Any) -> bool:
        frozen.append(freeze_chunk(*arguments, chunk=chunk))
        return frozen[-1]

    broadcasts.start, ledger.freeze_chunk = start_and_tell, freeze_and_tell
    try:
        app = make_app(url, folder)
        app.config["REDIS_URL"] = redis_url
        with app.app_context():
            barrier.wait(PATIENCE_S)
            start_broadcast(key)
        queue.put(Started(any(begun), frozen.count(False)))
    except Exception as error:
        queue.put(Started(error=f"{type(error).__name__}: {error}"))


def _check_freeze(place: Place, key: int, mails: int) -> Iterable[str]:
    place.session.rollback()
    counts: Mapping[DeliveryState, int] = ledger.counts(place.session, key)
    if counts != {DeliveryState.PENDING: mails}:
        yield f"after the freeze the tally says {counts}"


def _shares(place: Place, key: int) -> list[int]:
    """How many mails each sending process had accepted, the largest share first."""
    query = (
        select(func.sum(Tally.count))
        .join(Sender, Sender.id == Tally.sender_id)
        .where(Tally.broadcast_id == key, Tally.state == DeliveryState.ACCEPTED)
        .group_by(Sender.pid)
    )
    return sorted((int(count) for count in place.session.scalars(query) if count), reverse=True)
