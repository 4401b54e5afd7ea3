"""The delivery ledger: who gets which broadcast, and what became of it. Written by `core/ledger/` and nothing else."""

from datetime import datetime
from typing import Any, overload

from sqlalchemy import CheckConstraint, ColumnElement, Float, ForeignKey, Index, SQLColumnExpression, String, Text, desc
from sqlalchemy.orm import Mapped, mapped_column

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.base import Base, BigId, EnumText, UtcDateTime, one_of

CLIENTS = 1 << 32
"""So many numbers the deliveries of a broadcast have: one for every client there may ever be."""


Number = SQLColumnExpression[int]


@overload
def delivery_id(broadcast_id: int, client_id: int) -> int: ...
@overload
def delivery_id(broadcast_id: Number, client_id: int | Number) -> ColumnElement[int]: ...
@overload
def delivery_id(broadcast_id: int, client_id: Number) -> ColumnElement[int]: ...
def delivery_id(broadcast_id: Any, client_id: Any) -> Any:
    """The id of the delivery of a broadcast to a client; of numbers a number, of columns an expression."""
    return broadcast_id * CLIENTS + client_id


def client_of(delivery_id: int) -> int:
    """The id of the client of a delivery, out of its own; 0 for none."""
    return delivery_id % CLIENTS


def _its_id(context: Any) -> int:
    values = context.get_current_parameters()
    return int(delivery_id(values["broadcast_id"], values["client_id"]))


class Delivery(Base):
    """One broadcast x one recipient. Neither can be deleted while the row is there; a trigger on their tables sees to that, because a
    foreign key would look both up for each of a million rows that are made out of nothing but these tables.

    `id` is made of both, so that the primary key says that a client gets a broadcast once, has a broadcast's rows side by side in the order
    of its clients, and finds a client's row in any broadcast: two indexes less for each row that is frozen, claimed and recorded.
    `address` is what stands in RCPT TO, fixed at the freeze. `address_key` is NULL on skipped rows, so that UNIQUE(broadcast,
    address_key) speaks of mails only. `service_id` and `addon_assignment_id` name the holding whose data the tags take.
    `merge_values` is a JSON list, the value of each of the broadcast's tags in their order, fixed when the row is first
    claimed: a repeat is byte-identical, and the mail can be shown later as it was. `stamped_at` (first claim) is its Date.
    `due_at` is when the row may be claimed (again). `again_at` is when somebody last had it sent again after it had failed.
    `language` is that of the text it was frozen with, NULL for the broadcast's main text.
    `epoch` is that of the sender's lease under which it was claimed.
    `reason` is a short code (`SkipReason`, or the outcome's), `reply_code`, `reply_text` and `stage` the relay's last own words.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, default=_its_id)
    broadcast_id: Mapped[int]
    client_id: Mapped[int] = mapped_column(BigId)
    address: Mapped[str | None] = mapped_column(String(320))
    address_key: Mapped[str | None] = mapped_column(String(320))
    service_id: Mapped[int | None] = mapped_column(BigId)
    addon_assignment_id: Mapped[int | None] = mapped_column(BigId)
    state: Mapped[DeliveryState] = mapped_column(EnumText(DeliveryState))
    reason: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sender_id: Mapped[int | None] = mapped_column(BigId)
    epoch: Mapped[int | None] = mapped_column(BigId)
    attempts: Mapped[int] = mapped_column(default=0)
    stamped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merge_values: Mapped[str | None] = mapped_column(Text)
    reply_code: Mapped[int | None]
    reply_text: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(String(10))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    language: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        one_of("state", DeliveryState),
        CheckConstraint(f"id = broadcast_id * {CLIENTS} + client_id AND client_id < {CLIENTS}", name="id"),
        CheckConstraint("state = 'skipped' OR address IS NOT NULL", name="address"),
        CheckConstraint("(state = 'claimed') = (sender_id IS NOT NULL)", name="claimed_by"),
        # Compared byte by byte: PostgreSQL would look for the places of a million addresses by the rules of a language.
        Index(
            "uq_delivery_broadcast_id_address_key",
            "broadcast_id",
            "address_key",
            unique=True,
            postgresql_ops={"address_key": "varchar_pattern_ops"},
        ),
        # States fall, so that the rows of a freeze go to the end of the index: skipped ones stand before pending ones.
        Index("ix_delivery_state", "broadcast_id", desc("state"), desc("due_at"), "id"),
    )


class Attempt(Base):
    """One SMTP transaction of a delivery that did not end in plain acceptance at the first try; the first acceptance stands in the
    delivery itself, so that the common case writes one row a mail."""

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    state: Mapped[DeliveryState] = mapped_column(EnumText(DeliveryState))
    reply_code: Mapped[int | None]
    reply_text: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(String(10))
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Sender(Base):
    """A process that sends for a broadcast, under a lease. Each takes a new row; `epoch` grows when the sweep takes its rows over.

    `journal` is the name of its file in the journals folder of the machine that wrote it, `boot` that machine's boot. `machine` is the id
    of that folder, `host` the machine's name, for people: two may have the same, and one may be renamed.
    `connections` is how many it holds to the relay, or may hold where there is a limit for all processes together; `taken_at` is when the
    relay last took a mail from it, to some seconds.
    The lease ends at `expires_at`. A sweep that finds it over writes down when it saw that first (`suspected_…`, in the three
    ways of telling time of `rules/pacing.Reading`), and any renewal clears it: a clock that jumps takes no lease away.
    """

    __tablename__ = "sender"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), index=True)
    epoch: Mapped[int] = mapped_column(BigId, default=1)
    host: Mapped[str] = mapped_column(String(200))
    machine: Mapped[str] = mapped_column(String(32), default="", server_default="")
    boot: Mapped[str] = mapped_column(String(36))
    pid: Mapped[int]
    journal: Mapped[str] = mapped_column(String(400))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    connections: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspected_boot: Mapped[str | None] = mapped_column(String(36))
    suspected_ticks: Mapped[float | None] = mapped_column(Float(53))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_sender_open", "ended_at", "expires_at"),)


class ReceiverShare(Base):
    """How many connections a sending process may use at a time for mails to a receiver that has a limit of them
    (`rules/receivers.ReceiverLimit`). The row goes with the lease."""

    __tablename__ = "receiver_share"
    receiver_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sender_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    connections: Mapped[int]


class Tally(Base):
    """How many deliveries of a broadcast are in a state, kept in the transaction that moves them. One row a sender (0 = the console
    and the freeze, and later also senders that ended), so that senders do not wait for each other; a broadcast's number is the sum over
    its rows."""

    __tablename__ = "tally"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    sender_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    state: Mapped[DeliveryState] = mapped_column(EnumText(DeliveryState), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class PaceUse(Base):
    """Mails of a broadcast (or, as broadcast 0, of all while there is a ceiling per second; or, as broadcast -n, of all to the receiver of
    the limit n) that left, at the latest at an instant: the memory of the pace, for all its senders together.

    The instant is told twice: `taken_at` by the database's wall clock, and as `ticks` (seconds since the `boot` of the machine
    that recorded it), which no change of the wall clock moves. `rules/pacing.py` says how they are read.
    """

    __tablename__ = "pace_use"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int]
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    boot: Mapped[str] = mapped_column(String(36))
    ticks: Mapped[float] = mapped_column(Float(53))
    count: Mapped[int]

    __table_args__ = (Index("ix_pace_use_window", "broadcast_id", "taken_at"),)


class MinuteCount(Base):
    """Outcomes per minute of a broadcast, for the chart, by sender as in `Tally`. `minute` is the instant's whole minute."""

    __tablename__ = "minute_count"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True)
    sender_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    accepted: Mapped[int] = mapped_column(default=0)
    other: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_minute_count_minute", "minute"),)
