"""A look at a broadcast: whatever is due of it is done, in the order in which it must be, and it is said when to look again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.cadence import COME_BACK_S, EARLY_S
from webapp.core.ports import Journals, Mailer
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import sweeping
from webapp.core.sending.beginning import FIRST_CHUNK, begin
from webapp.core.sending.runtime import Runtime, SenderSettings
from webapp.core.sending.sender import Ending, send

MUCH = 1000
"""A process joins others at a broadcast of which so many mails are pending."""


@dataclass(frozen=True, slots=True)
class Host:
    """The machine and process that send. `name` and `pid` are for people, `machine` is the id of the folder of its journals.

    `is_held` says whether nothing of a broadcast may leave. `settle_in` is called before anything is sent: the freeze, which wants more
    memory, is over then. `pulse` gives signs of life for as long as it is entered, and a way to ask whether everything is held by now.
    `connections`: how many this process would like to have to the relay.
    """

    name: str
    pid: int
    machine: str
    mailer: Callable[[], Mailer]
    journals: Journals
    is_held: Callable[[int], bool]
    pulse: Callable[[int], AbstractContextManager[Callable[[], bool]]]
    settle_in: Callable[[], None] = lambda: None
    connections: int = 10


class NextLook(NamedTuple):
    """When to look again; None: at once, behind those who wait."""

    at: datetime | None


def look(
    runtime: Runtime,
    host: Host,
    broadcast_id: int,
    *,
    ask_after: timedelta | None,
    much: int = MUCH,
    first_chunk: int = FIRST_CHUNK,
) -> NextLook | None:
    """Start a broadcast, freeze it, settle what ended senders left, send its mails: what is due, as far as it goes. None: nothing to come
    back for. `ask_after` and `first_chunk` are those of `begin`."""
    if host.is_held(broadcast_id):
        return None
    begun = begin(runtime, broadcast_id, ask_after=ask_after, first_chunk=first_chunk)
    if not begun.is_ready:
        return NextLook(begun.begins_at) if begun.begins_at else None
    host.settle_in()
    sweeping.recover(runtime, host.journals.find, host.journals.discard, broadcast_id)
    if not _may_send(runtime, broadcast_id, much):
        return None
    with host.pulse(broadcast_id) as is_held:
        ending = send(
            replace(runtime, must_stop=lambda: runtime.must_stop() or is_held()),
            broadcast_id,
            mailer=host.mailer,
            journal=host.journals.open,
            host=host.name,
            pid=host.pid,
            machine=host.machine,
            settings=SenderSettings.for_connections(host.connections),
        )
    return _next_look(runtime, ending)


def _may_send(runtime: Runtime, broadcast_id: int, much: int) -> bool:
    """Whether nobody serves it; or to join those who do, because there is much to send and nothing else to do here."""
    with Session(runtime.engine) as session:
        if not ledger.in_force(session, broadcast_id, runtime.reading().wall):
            return True
        return ledger.has_much(session, broadcast_id, much) and not runtime.somebody_waits()


def _next_look(runtime: Runtime, ending: Ending) -> NextLook | None:
    if ending.state is not BroadcastState.SENDING or ending.next_in is None:
        return None
    if ending.next_in <= COME_BACK_S:
        return NextLook(None)
    return NextLook(runtime.reading().wall + timedelta(seconds=ending.next_in - EARLY_S))
