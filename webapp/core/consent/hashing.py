"""Addresses that are kept turned into hashes: all of them, some thousand at a time, or those of one client who is forgotten. Not back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.consent import settings
from webapp.core.consent.settings import Consent
from webapp.core.rules.address_hashes import address_hash, without_addresses
from webapp.core.rules.consent import SuppressionScope
from webapp.core.tables.consent import Suppression, SuppressionChange, TopicOptOut

CHUNK = 2_000
"""Rows of each table turned in one transaction."""


def left(session: Session) -> int:
    """How many addresses are still kept as they are."""
    query = select(func.count()).select_from(Suppression).where(~Suppression.is_hashed)
    return session.scalar(query) or 0


def turn_some(session: Session, most: int | None = None) -> int:
    """Turn the next addresses into hashes, `CHUNK` of each table unless it is said; 0 when there are none left."""
    return _turn(session, settings.read(session), (), most or CHUNK)


def forget(session: Session, address_key: str) -> int:
    """Keep what concerns one address under its hash alone, as for a client who is erased. It still holds. Returns how many rows."""
    return _turn(session, settings.read(session), (address_key,), CHUNK)


def _turn(session: Session, consent: Consent, only: Sequence[str], most: int) -> int:
    turned = 0
    for table in (Suppression, SuppressionChange, TopicOptOut):
        mine: list[ColumnElement[bool]] = [~table.is_hashed]
        if only:
            mine.append(table.address_key.in_(only))
        rows = session.scalars(select(table).where(*mine).order_by(table.address_key).limit(most)).all()
        turned += len(rows)
        for row in rows:
            session.expunge(row)
        if table is Suppression:
            _turn_suppressions(session, consent, [row for row in rows if isinstance(row, Suppression)])
        elif table is SuppressionChange:
            _turn_changes(session, consent, [row for row in rows if isinstance(row, SuppressionChange)])
        else:
            _turn_opt_outs(session, consent, [row for row in rows if isinstance(row, TopicOptOut)])
    return turned


def _turn_suppressions(session: Session, consent: Consent, rows: Sequence[Suppression]) -> None:
    hashes = {row.address_key: address_hash(consent.hash_key, row.address_key) for row in rows}
    query = select(Suppression).where(Suppression.address_key.in_(sorted(hashes.values())))
    there = {(row.address_key, row.kind): row for row in session.scalars(query)} if hashes else {}
    moved: list[dict[str, Any]] = []
    for row in rows:
        twin = there.get((hashes[row.address_key], row.kind))
        if twin is None:
            said = {"reason": without_addresses(row.reason), "evidence": without_addresses(row.evidence)}
            moved.append({"was": row.address_key, "of": row.kind, "address_key": hashes[row.address_key], **said})
            continue
        # The same twice, once as a hash: that one stays, and holds for what either did.
        if row.scope is SuppressionScope.EVERYTHING:
            twin.scope = row.scope
        gone = delete(Suppression).where(Suppression.address_key == row.address_key, Suppression.kind == row.kind)
        guarded.change(session, gone)
    session.flush()
    if moved:
        table = Suppression.__table__
        mine = (table.c.address_key == bindparam("was"), table.c.kind == bindparam("of"))
        session.execute(update(table).where(*mine).values(is_hashed=True), moved)


def _turn_changes(session: Session, consent: Consent, rows: Sequence[SuppressionChange]) -> None:
    moved = [
        {
            "of": row.id,
            "address_key": address_hash(consent.hash_key, row.address_key),
            "reason": without_addresses(row.reason),
        }
        for row in rows
    ]
    if moved:
        table = SuppressionChange.__table__
        session.execute(update(table).where(table.c.id == bindparam("of")).values(is_hashed=True), moved)


def _turn_opt_outs(session: Session, consent: Consent, rows: Sequence[TopicOptOut]) -> None:
    for row in rows:
        kept = address_hash(consent.hash_key, row.address_key)
        mine = (TopicOptOut.address_key == row.address_key, TopicOptOut.topic_id == row.topic_id)
        if session.get(TopicOptOut, (kept, row.topic_id)) is not None:
            guarded.change(session, delete(TopicOptOut).where(*mine))
        else:
            turn = update(TopicOptOut).where(*mine).values(address_key=kept, is_hashed=True)
            guarded.change(session, turn)
