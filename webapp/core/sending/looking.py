"""A look at a broadcast: do what is due, in the order in which it must be done, and say when to look again."""

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
"""A process joins others at a broadcast that has so many pending mails."""


@dataclass(frozen=True, slots=True)
class Host:
    """The machine and process that send. `name` and `pid` are for people, `machine` is the id of the folder of its journals.

    `is_held` says whether nothing of a broadcast may leave. `settle_in` is called before anything is sent: then the freeze, which needs
    more memory, is over. While `pulse` is entered it gives signs of life, and it gives a way to ask whether everything is held by now.
    `connections` is how many connections to the relay this process would like.
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
    """Start a broadcast, freeze it, settle what ended senders left, and send its mails, as far as each is due. Returns when to look again,
    None for never. `ask_after` and `first_chunk` are those of `begin`."""
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
    """Whether nobody serves the broadcast; or whether to join those who do, because there is much to send and nothing else to do here."""
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
