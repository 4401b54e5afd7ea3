"""Addresses that must not be mailed: the one writer of what is suppressed, and of its history.

What is suppressed here is left out of the count, skipped at the freeze, and held back at each claim for what was frozen before. Each
address has at most one suppression of each kind; a second one of the same kind may only widen the first. Addresses are kept as they are,
or as keyed hashes of them (`rules/address_hashes.py`); whoever asks need not know which.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.consent import settings
from webapp.core.consent.settings import Consent
from webapp.core.errors import Invalid
from webapp.core.rules.address_hashes import is_hash, without_addresses
from webapp.core.rules.consent import (
    LONGEST_REASON,
    USUAL_SCOPE,
    EntryFate,
    SuppressionAction,
    SuppressionKind,
    SuppressionScope,
)
from webapp.core.rules.suppression_lists import SuppressionEntry
from webapp.core.tables.consent import Suppression, SuppressionChange

LONGEST_EVIDENCE = 2000
LONGEST_SOURCE = 40

NOTHING_ELSE: Mapping[str, Any] = MappingProxyType({})

Key = tuple[str, SuppressionKind]
"""An address as it is kept, and the kind."""


@dataclass(frozen=True)
class Added:
    """What became of entries: new ones, known ones that now hold for more, and those that were known as they are."""

    added: int = 0
    widened: int = 0
    known: int = 0

    @classmethod
    def of(cls, fates: Mapping[Key, EntryFate]) -> "Added":
        counts = Counter(fates.values())
        return cls(counts[EntryFate.NEW], counts[EntryFate.WIDER], counts[EntryFate.KNOWN])

    def __add__(self, other: "Added") -> "Added":
        return Added(self.added + other.added, self.widened + other.widened, self.known + other.known)


def suppress(
    session: Session,
    address_key: str,
    kind: SuppressionKind,
    now: datetime,
    *,
    scope: SuppressionScope | None = None,
    reason: str = "",
    source: str = "",
    evidence: str = "",
    delivery_id: int | None = None,
    by: str = "",
) -> bool:
    """Mail this address no more, from the next mail on. The scope is the kind's usual one where none is given.

    False, and nothing changes, when it is suppressed for this kind already and as widely; then its first reason stays.
    """
    entry = SuppressionEntry(address_key, kind, scope or USUAL_SCOPE[kind], reason, source, evidence)
    done = add(session, [entry], now, by=by, deliveries={address_key: delivery_id} if delivery_id else {})
    return bool(done.added or done.widened)


def add(
    session: Session,
    entries: Iterable[SuppressionEntry],
    now: datetime,
    *,
    by: str = "",
    source: str = "",
    deliveries: Mapping[str, int] | None = None,
) -> Added:
    """Suppress some thousand entries at most. `source` stands where an entry has none; `deliveries` has by which mail it came, by address.

    In the order of their keys, so that no two transactions wait for each other.
    """
    return Added.of(add_each(session, entries, now, by=by, source=source, deliveries=deliveries))


def add_each(
    session: Session,
    entries: Iterable[SuppressionEntry],
    now: datetime,
    *,
    by: str = "",
    source: str = "",
    deliveries: Mapping[str, int] | None = None,
) -> dict[Key, EntryFate]:
    """As `add`; what became of each address and kind."""
    consent = settings.read(session)
    fresh, wider, known = _told_apart(session, consent, entries)
    given = deliveries or {}
    rows = [_row(consent, entry, source, given.get(entry.address_key), by, now) for entry in fresh]
    made = _insert(session, rows, now)
    for row, entry in wider:
        _widen(session, row, entry, source, by, now)
    there = [entry for entry, row in zip(fresh, rows, strict=True) if (row["address_key"], row["kind"]) not in made]
    return _fates(fresh, wider, known) | dict.fromkeys(map(_key, there), EntryFate.KNOWN)


def foresee(session: Session, entries: Iterable[SuppressionEntry]) -> Added:
    """What `add` would do."""
    return Added.of(foresee_each(session, entries))


def foresee_each(session: Session, entries: Iterable[SuppressionEntry]) -> dict[Key, EntryFate]:
    """What `add_each` would do."""
    return _fates(*_told_apart(session, settings.read(session), entries))


def _fates(
    fresh: Iterable[SuppressionEntry],
    wider: Iterable[tuple[Suppression, SuppressionEntry]],
    known: Iterable[SuppressionEntry],
) -> dict[Key, EntryFate]:
    return (
        dict.fromkeys(map(_key, fresh), EntryFate.NEW)
        | {_key(entry): EntryFate.WIDER for _, entry in wider}
        | dict.fromkeys(map(_key, known), EntryFate.KNOWN)
    )


def _key(entry: SuppressionEntry) -> Key:
    return entry.address_key, entry.kind


def lift(
    session: Session,
    address_key: str,
    kind: SuppressionKind,
    now: datetime,
    *,
    reason: str,
    by: str = "",
    source: str = "",
) -> bool:
    """Let this address be mailed again, as far as this kind is concerned; `address_key` may be the hash, too. False when there is none.
    Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why this address may be mailed again.", "reason")
    rows = [row for row in holding(session, [address_key]) if row.kind is kind]
    return _remove(session, rows, reason, by, now, source) > 0


def put_back(
    session: Session,
    entry: SuppressionEntry,
    now: datetime,
    *,
    by: str,
    created_by: str = "",
    delivery_id: int | None = None,
) -> bool:
    """Undo a lift: suppress again what stood there, since when it did; `by` is who undoes it, `created_by` who had suppressed it. False
    when it is suppressed again already."""
    row = _row(settings.read(session), entry, "", delivery_id, created_by, now)
    told = {"reason": "lifting it was undone", "by": by}
    return bool(_insert(session, [row], now, told))


def take_back(
    session: Session,
    deliveries: Mapping[int, str],
    kind: SuppressionKind,
    now: datetime,
    *,
    source: str,
    reason: str,
    by: str = "",
) -> int:
    """Lift what these mails brought about (by id, each with its address), since it was no fact. Returns how many."""
    if not deliveries:
        return 0
    rows = holding(session, set(deliveries.values()))
    mine = [row for row in rows if row.kind is kind and row.source == source and row.delivery_id in deliveries]
    return _remove(session, mine, reason, by, now, source)


def holding(session: Session, address_keys: Collection[str], consent: Consent | None = None) -> list[Suppression]:
    """The suppressions of these addresses, as they are kept or as hashes, the oldest first. `consent` are the settings, if read already."""
    consent = consent or settings.read(session)
    forms = sorted({form for one in address_keys for form in consent.forms(one)})
    query = select(Suppression).where(Suppression.address_key.in_(forms))
    query = query.order_by(Suppression.created_at, Suppression.kind).execution_options(populate_existing=True)
    return list(session.scalars(query)) if forms else []


def history(session: Session, address_key: str) -> Sequence[SuppressionChange]:
    """What was done to the suppressions of an address, the latest first."""
    forms = settings.read(session).forms(address_key)
    query = select(SuppressionChange).where(SuppressionChange.address_key.in_(forms))
    return session.scalars(query.order_by(SuppressionChange.at.desc(), SuppressionChange.id.desc())).all()


def _told_apart(
    session: Session, consent: Consent, entries: Iterable[SuppressionEntry]
) -> tuple[list[SuppressionEntry], list[tuple[Suppression, SuppressionEntry]], list[SuppressionEntry]]:
    """Entries that are new, those that hold for more than what stands there, and the others."""
    wanted = _wanted(entries)
    there = {(row.address_key, row.kind): row for row in holding(session, {key for key, _ in wanted}, consent)}
    fresh, wider, known = [], [], []
    for (address_key, kind), entry in sorted(wanted.items()):
        rows = [row for form in consent.forms(address_key) if (row := there.get((form, kind)))]
        if not rows:
            fresh.append(entry)
        elif entry.scope is SuppressionScope.EVERYTHING and all(row.scope is not entry.scope for row in rows):
            wider.append((rows[0], entry))
        else:
            known.append(entry)
    return fresh, wider, known


def _wanted(entries: Iterable[SuppressionEntry]) -> dict[Key, SuppressionEntry]:
    """Each address and kind once; of two the one that holds for more."""
    wanted: dict[Key, SuppressionEntry] = {}
    for entry in entries:
        before = wanted.setdefault((entry.address_key, entry.kind), entry)
        if before.scope is SuppressionScope.MARKETING and entry.scope is SuppressionScope.EVERYTHING:
            wanted[entry.address_key, entry.kind] = before._replace(scope=entry.scope)
    return wanted


def _row(
    consent: Consent, entry: SuppressionEntry, source: str, delivery_id: int | None, by: str, now: datetime
) -> dict[str, Any]:
    hidden = consent.keep_hashed or is_hash(entry.address_key)
    reason, evidence = entry.reason, entry.evidence
    if hidden:
        reason, evidence = without_addresses(reason), without_addresses(evidence)
    return {
        "address_key": consent.kept_as(entry.address_key),
        "kind": entry.kind,
        "scope": entry.scope,
        "reason": reason[:LONGEST_REASON],
        "source": (entry.source or source)[:LONGEST_SOURCE],
        "evidence": evidence[:LONGEST_EVIDENCE],
        "delivery_id": delivery_id,
        "created_at": entry.since or now,
        "created_by": by,
        "is_hashed": hidden,
    }


def _insert(
    session: Session, rows: Sequence[dict[str, Any]], now: datetime, told: Mapping[str, Any] = NOTHING_ELSE
) -> set[Key]:
    """Make those that nobody else made meanwhile, and say so in the history, where `told` says what the rows do not. Returns which."""
    if not rows:
        return set()
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = (
        dialect.insert(Suppression).on_conflict_do_nothing().returning(Suppression.address_key, Suppression.kind)
    )
    made = {(address_key, kind) for address_key, kind in session.execute(statement, rows)}
    done = [
        {
            "address_key": row["address_key"],
            "kind": row["kind"],
            "scope": row["scope"],
            "action": SuppressionAction.ADDED,
            "at": now,
            "by": row["created_by"],
            "reason": row["reason"],
            "source": row["source"],
            "is_hashed": row["is_hashed"],
        }
        | dict(told)
        for row in rows
        if (row["address_key"], row["kind"]) in made
    ]
    if done:
        session.execute(insert(SuppressionChange), done)
    return made


def _widen(session: Session, row: Suppression, entry: SuppressionEntry, source: str, by: str, now: datetime) -> None:
    """It held for marketing alone, and holds for everything from now on."""
    session.execute(
        update(Suppression)
        .where(Suppression.address_key == row.address_key, Suppression.kind == row.kind)
        .values(scope=entry.scope)
    )
    said = without_addresses(entry.reason) if row.is_hashed else entry.reason
    change = _change(row, SuppressionAction.CHANGED, said, by, now, entry.source or source)
    session.execute(insert(SuppressionChange), [change | {"scope": entry.scope}])


def _remove(session: Session, rows: Sequence[Suppression], reason: str, by: str, now: datetime, source: str) -> int:
    """Lift them; how many were still there."""
    count = 0
    for row in rows:
        said = without_addresses(reason) if row.is_hashed else reason
        change = _change(row, SuppressionAction.LIFTED, said, by, now, source)
        gone = delete(Suppression).where(Suppression.address_key == row.address_key, Suppression.kind == row.kind)
        if guarded.change_one(session, gone):
            session.expunge(row)
            session.execute(insert(SuppressionChange), [change])
            count += 1
    return count


def _change(
    row: Suppression, action: SuppressionAction, reason: str, by: str, now: datetime, source: str
) -> dict[str, Any]:
    return {
        "address_key": row.address_key,
        "kind": row.kind,
        "scope": row.scope,
        "action": action,
        "at": now,
        "by": by,
        "reason": reason.strip()[:LONGEST_REASON],
        "source": source[:LONGEST_SOURCE],
        "is_hashed": row.is_hashed,
    }
