"""The ledger of a broadcast beside the log that the mail server of the tests wrote about itself, row by row."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from tests import oracle_log
from tests.oracle_log import Taken
from webapp.core import ledger
from webapp.core.rules.lifecycle import OPEN, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt, Delivery

WITHOUT_MAIL = frozenset(DeliveryState) - {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}
"""States that say: the relay does not have this mail."""


@dataclass
class Comparison:
    """What ledger and log say together of one broadcast.

    `lost`: rows that promise a mail the server does not have, or that nobody will work on any more without having an outcome.
    `twice`: mails the server holds beyond the first of a row. `unknown`: mails it holds of rows that deny them, which would be sent
    again in silence. `doubted`: rows that deny a mail it holds, too, but whose attempts say that nobody knows. `differing`: repeats that
    are not byte-identical. `states` counts the rows. `wrong` says each disagreement in words.
    """

    states: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    twice: int = 0
    unknown: int = 0
    doubted: int = 0
    differing: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def mails(self) -> int:
        return sum(self.states.values())

    @property
    def uncertain(self) -> int:
        return self.states.get(DeliveryState.UNCERTAIN, 0)


def compare(session: Session, broadcast_id: int, log: Path, *, is_over: bool = True) -> Comparison:
    """Compare the rows of a broadcast with the mails the server holds of it, told apart by the broadcast's sender address, which must
    be its own where the log has several broadcasts. `is_over`: nobody works on it any more, so that an open row is a lost one."""
    session.rollback()
    broadcast = session.get_one(Broadcast, broadcast_id, populate_existing=True)
    sender = broadcast.from_address.rpartition("<")[2].rstrip(">")
    held: dict[str, list[Taken]] = {}
    for mail in oracle_log.kept(log):
        if mail.mail_from == sender:
            held.setdefault(mail.recipient, []).append(mail)
    found = Comparison()
    was_in_doubt = exists().where(Attempt.delivery_id == Delivery.id, Attempt.state == DeliveryState.UNCERTAIN)
    query = select(Delivery.state, Delivery.address, was_in_doubt).where(Delivery.broadcast_id == broadcast_id)
    rows = session.execute(query).all()
    for state, address, doubted in rows:
        found.states[state.value] = found.states.get(state.value, 0) + 1
        _compare_row(found, state, address, held.pop(address, ()), is_over=is_over, was_in_doubt=doubted)
    for address in held:
        found.unknown += 1
        found.wrong.append(f"{address}: the server has a mail of no row")
    if len(rows) != broadcast.frozen_count:
        found.lost += abs((broadcast.frozen_count or 0) - len(rows))
        found.wrong.append(f"{len(rows)} rows, {broadcast.frozen_count} were frozen")
    tallied = {state.value: count for state, count in ledger.counts(session, broadcast_id).items()}
    if tallied != found.states:
        found.wrong.append(f"the tally says {tallied}, the rows are {found.states}")
    return found


def _compare_row(
    found: Comparison,
    state: DeliveryState,
    address: str | None,
    mails: Iterable[Taken],
    *,
    is_over: bool,
    was_in_doubt: bool,
) -> None:
    mails = list(mails)
    if state is DeliveryState.ACCEPTED and not mails:
        found.lost += 1
        found.wrong.append(f"{address}: accepted, but the server has no such mail")
    if is_over and state in OPEN:
        found.lost += 1
        found.wrong.append(f"{address}: {state}, and nobody works on it")
    if state in WITHOUT_MAIL and mails and was_in_doubt:
        found.doubted += 1
    elif state in WITHOUT_MAIL and mails:
        found.unknown += 1
        found.wrong.append(f"{address}: {state}, but the server has the mail")
    if len(mails) > 1:
        found.twice += len(mails) - 1
        if len({mail.sha256 for mail in mails}) > 1:
            found.differing += 1
            found.wrong.append(f"{address}: two mails that are not byte-identical")
