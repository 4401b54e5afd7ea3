"""What tests of the sending engine share: frozen broadcasts, clocks to turn, a mailer without a network, and the engine run for real."""

import os
import selectors
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests import factories
from webapp.adapters import clock, database
from webapp.adapters.journal import FileJournal
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.watch import DatabaseWatch
from webapp.config import RelaySettings
from webapp.core import broadcasts, ledger, sending
from webapp.core.ledger import Lease
from webapp.core.ports import Cause, Exchange, Mail, Reply, Stage
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.pacing import Reading
from webapp.core.sending import Ending, Runtime, SenderSettings
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.extensions import db

NOW = factories.NOW
BEFORE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When broadcasts of these tests were frozen: in the past for every clock."""
URL = "https://mail.example.com"
"""Where recipients reach the console."""
TAKEN = Reply(Stage.DOT, 250, "2.0.0 taken")


@dataclass
class Clocks:
    """Clocks of one machine that stand still until they are turned."""

    wall: datetime = NOW
    ticks: float = 1000.0
    boot: str = "this-boot"

    def pass_(self, seconds: float) -> None:
        """Time passes."""
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall += timedelta(seconds=seconds)

    def reading(self) -> Reading:
        return Reading(self.wall, self.boot, self.ticks)


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


def sending_broadcast(session: Session, mails: int = 3, now: datetime = BEFORE, **columns: Any) -> Broadcast:
    """A broadcast to so many new clients, frozen and sending, made as the program does it. Without a pace unless one is given. Commits."""
    for _ in range(mails):
        factories.client(session)
    broadcast = factories.broadcast(session, **{"batch_size": 0, "interval_s": 0} | columns)
    broadcasts.schedule(session, broadcast.id, None, now)
    assert broadcasts.start(session, broadcast.id, now)
    while not ledger.freeze_chunk(session, broadcast.id, now):
        session.commit()
    session.commit()
    return broadcast


def lease_for(session: Session, broadcast: Broadcast, clocks: Clocks, journal: str = "none") -> Lease:
    """A lease of a process that does not exist. Commits."""
    lease = ledger.open_lease(session, broadcast.id, host="here", pid=1, journal=journal, reading=clocks.reading())
    session.commit()
    return lease


def state_of(session: Session, broadcast: Broadcast) -> BroadcastState:
    session.rollback()
    session.refresh(broadcast)
    return broadcast.state


def elsewhere(where: Engine, call: Callable[[Session], object]) -> None:
    """Do something in a transaction of one's own, as the console would."""
    with Session(where) as session:
        database.will_write(session)
        call(session)
        session.commit()


def states(session: Session, broadcast: Broadcast | int) -> dict[str, int]:
    """How many deliveries are in which state, counted in the ledger itself."""
    broadcast_id = broadcast if isinstance(broadcast, int) else broadcast.id
    session.rollback()
    found: dict[str, int] = {}
    for state in session.scalars(select(Delivery.state).where(Delivery.broadcast_id == broadcast_id)):
        found[state.value] = found.get(state.value, 0) + 1
    return found


def tallied(session: Session, broadcast: Broadcast | int) -> dict[str, int]:
    """The same as the tally has it."""
    broadcast_id = broadcast if isinstance(broadcast, int) else broadcast.id
    return {state.value: count for state, count in ledger.counts(session, broadcast_id).items()}


def rows(session: Session, broadcast: Broadcast | int) -> list[Delivery]:
    broadcast_id = broadcast if isinstance(broadcast, int) else broadcast.id
    session.rollback()
    query = select(Delivery).where(Delivery.broadcast_id == broadcast_id).order_by(Delivery.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def runtime(engine: Engine, **changes: Any) -> Runtime:
    given = Runtime(
        engine, database.will_write, clock.reading, clock.ticks, lambda key: DatabaseWatch(engine, key), public_url=URL
    )
    return replace(given, **changes)


def send(
    engine: Engine,
    broadcast_id: int,
    folder: Path,
    mailer: Callable[[], Any] | RelaySettings,
    *,
    settings: SenderSettings | None = None,
    **changes: Any,
) -> Ending:
    """Run the engine in this thread, as a job does. `mailer` makes the mailer, or is the relay for a real one."""
    relay = mailer
    make = (lambda: SmtpMailer(relay)) if isinstance(relay, RelaySettings) else relay
    return sending.send(
        runtime(engine, **changes),
        broadcast_id,
        mailer=make,
        journal=lambda: FileJournal(folder),
        host="here",
        pid=os.getpid(),
        settings=settings,
    )


Answer = Callable[[Mail], Reply]


@dataclass
class PlainMailer:
    """`ports.Mailer` without a network: hands over one mail after the other, each answered by `answer`. `sent` are those whose content
    left, in order. `before_body` is called while the relay waits for the content."""

    answer: Answer = lambda mail: TAKEN
    before_body: Callable[[Mail], None] = lambda mail: None
    troubles: list[Reply] = field(default_factory=list)
    sent: list[Mail] = field(default_factory=list)

    def run(self, exchange: Exchange) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(exchange.wake_fileno(), selectors.EVENT_READ)
            while not exchange.finished():
                for trouble in self.troubles:
                    exchange.trouble(trouble)
                self.troubles.clear()
                mail = exchange.take()
                if mail is None:
                    selector.select(1)
                    exchange.woken()
                    continue
                self._carry(exchange, mail)

    def _carry(self, exchange: Exchange, mail: Mail) -> None:
        reply = self.answer(mail)
        if reply.stage is Stage.DOT:
            self.before_body(mail)
            if not exchange.body_starts(mail):
                exchange.settled(mail, Reply(Stage.DATA, None, "", "called back", Cause.WITHDRAWN))
                return
            self.sent.append(mail)
        exchange.settled(mail, reply)

    def close(self) -> None:
        pass


def ids(mails: Iterable[Any]) -> list[int]:
    return [mail.delivery_id for mail in mails]


def in_state(session: Session, broadcast: Broadcast, state: DeliveryState) -> list[Delivery]:
    return [row for row in rows(session, broadcast) if row.state is state]
