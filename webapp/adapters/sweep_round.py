"""One round over everything that is not finished: what was lost is repaired, what is due is found, and what is old goes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from webapp.adapters import (
    clock,
    domain_round,
    import_jobs,
    import_round,
    list_round,
    notice_round,
    pulse,
    retention_round,
    wakeups,
)
from webapp.adapters.markers import Markers
from webapp.adapters.wakeups import Call
from webapp.core.ports import Journals
from webapp.core.sending import Runtime, sweeping
from webapp.core.settings import installation


def sweep(
    runtime: Runtime,
    journals: Journals,
    markers: Markers,
    instance: Path,
    ask_after: timedelta | None,
    *,
    asks_dns: bool = False,
) -> Iterator[Call]:
    """What workers are to be asked for, each as soon as that is known. A start missed by more than `ask_after` waits for a person.
    `asks_dns`: domains of senders are looked at."""
    engine = runtime.engine
    pulse.notice(engine, markers)
    if _may_repair(runtime):
        for broadcast_id in sweeping.sweep(runtime, journals.find, journals.discard, ask_after=ask_after):
            yield wakeups.look_at(broadcast_id)
    for import_id, step in import_round.waiting(engine):
        yield import_jobs.step_of(import_id, step)
    yield from list_round.waiting(engine)
    retention_round.tidy(engine, instance)
    if notice_round.look(engine, runtime.relay_key, ask_after):
        yield Call(wakeups.NOTIFY, (), wakeups.NOTIFY)
    if asks_dns and domain_round.is_due(engine, clock.now()):
        yield Call(wakeups.CHECK_DOMAINS, (), wakeups.CHECK_DOMAINS)


def _may_repair(runtime: Runtime) -> bool:
    """Whether what ended senders left can be settled: in a restored database not before a person has looked at it."""
    with Session(runtime.engine) as session:
        return not installation.is_unsettled(session)
