"""Our keys: made, signing once DNS shows them, taken over by newer ones, retired. The only writer of `dkim_key`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from webapp.core.domains.sealing import Seal, SealBroken
from webapp.core.errors import Conflict
from webapp.core.rules.dkim import VALID_FOR, Algorithm, record_of
from webapp.core.rules.dkim.keys import made
from webapp.core.rules.sender_domains.findings import DnsRecord
from webapp.core.rules.sender_domains.keys_in_dns import name_of
from webapp.core.tables.domains import DkimKey

SIGNS_AFTER = timedelta(minutes=5)
"""A key that DNS shows signs mails dated from this much later on: until then all sending processes know of it, so that a mail is signed
with the same key each time."""


class KeyState(StrEnum):
    """Where a key stands. KEPT: it signs nothing new, and its record has to stay in DNS for the mails that it signed."""

    WAITING = "waiting"
    SIGNING = "signing"
    KEPT = "kept"
    RETIRED = "retired"

    @property
    def label(self) -> str:
        return {"waiting": "Waits for DNS", "signing": "Signs", "kept": "Kept", "retired": "Retired"}[self.value]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as pages show it: never its private half. `can_be_used`: it was sealed with the secret that this installation has now."""

    domain: str
    selector: str
    algorithm: Algorithm
    state: KeyState
    record: DnsRecord
    public: str
    seen_at: datetime | None
    signs_from: datetime | None
    signs_until: datetime | None
    keep_until: datetime | None
    can_be_used: bool


def make(session: Session, domain: str, seal: Seal, now: datetime) -> None:
    """A new pair of keys for the domain, RSA and Ed25519, that waits for DNS. Raises Conflict where a pair waits already."""
    known = session.scalars(select(DkimKey).where(DkimKey.domain == domain)).all()
    if any(state_of(key, now) is KeyState.WAITING for key in known):
        raise Conflict("New keys of this domain wait for DNS already.")
    taken = {key.selector for key in known}
    stem = f"mm{now:%Y%m%d}"
    for number in range(len(taken) + 1):
        name = f"{stem}-{number}" if number else stem
        if not taken & {_selector(name, algorithm) for algorithm in Algorithm}:
            break
    for algorithm in Algorithm:
        private, public = made(algorithm)
        selector = _selector(name, algorithm)
        session.add(
            DkimKey(
                domain=domain,
                selector=selector,
                algorithm=algorithm,
                private=seal.close(private, _about(domain, selector)),
                public=public,
                made_at=now,
            )
        )
    session.flush()


def withdraw(session: Session, domain: str) -> None:
    """Throw keys away that wait for DNS; what signs goes on."""
    session.execute(delete(DkimKey).where(DkimKey.domain == domain, DkimKey.signs_from.is_(None)))


def stop(session: Session, domain: str, now: datetime) -> None:
    """Sign no more for the domain, from mails dated some minutes from now on. Keys that wait are thrown away."""
    withdraw(session, domain)
    for key in _rows(session, domain):
        if key.signs_until is None:
            assert key.signs_from is not None
            key.signs_until = max(key.signs_from, now + SIGNS_AFTER)
    session.flush()


def seen(session: Session, domain: str, public: Sequence[str], now: datetime) -> None:
    """DNS shows these keys of the domain, as they are. One that waited begins to sign, in place of the older one of its kind."""
    rows = _rows(session, domain)
    for key in rows:
        if key.public not in public:
            continue
        key.seen_at = now
        if key.signs_from is None:
            key.signs_from = now + SIGNS_AFTER
            for older in rows:
                if older is not key and older.algorithm is key.algorithm and older.signs_from and not older.signs_until:
                    older.signs_until = max(key.signs_from, older.signs_from)
    session.flush()


def is_one_over(session: Session, now: datetime) -> bool:
    """Whether there is a key to retire."""
    return session.scalar(_over(now).limit(1)) is not None


def retire(session: Session, now: datetime) -> None:
    """Throw away the private halves of keys whose last signatures cannot be verified any more."""
    for key in session.scalars(_over(now)):
        key.private, key.retired_at = None, now
    session.flush()


def _over(now: datetime) -> Select[DkimKey]:
    return select(DkimKey).where(DkimKey.retired_at.is_(None), DkimKey.signs_until <= now - VALID_FOR)


def listing(session: Session, domain: str, seal: Seal, now: datetime) -> list[KnownKey]:
    """The keys of a domain that are not retired, the newest first."""
    return [
        KnownKey(
            key.domain,
            key.selector,
            key.algorithm,
            state_of(key, now),
            DnsRecord("TXT", name_of(key.selector, domain), record_of(key.algorithm, key.public)),
            key.public,
            key.seen_at,
            key.signs_from,
            key.signs_until,
            key.signs_until + VALID_FOR if key.signs_until else None,
            opened_private(key, seal) is not None,
        )
        for key in reversed(_rows(session, domain))
    ]


def state_of(key: DkimKey, now: datetime) -> KeyState:
    if key.retired_at is not None:
        return KeyState.RETIRED
    if key.signs_from is None:
        return KeyState.WAITING
    return KeyState.SIGNING if key.signs_until is None or now < key.signs_until else KeyState.KEPT


def opened_private(key: DkimKey, seal: Seal) -> bytes | None:
    """The private half (PKCS #8, DER); None where it was sealed with another secret, or is gone."""
    try:
        return seal.open(key.private, _about(key.domain, key.selector)) if key.private else None
    except SealBroken:
        return None


def sealed_otherwise(session: Session, seal: Seal, now: datetime) -> Sequence[DkimKey]:
    """The keys that sign, or wait for it, and that `seal` does not open: mails of their domains would leave without a signature."""
    ended = DkimKey.signs_until <= now
    rows = session.scalars(select(DkimKey).where(DkimKey.retired_at.is_(None), ended.is_not(True)).order_by(DkimKey.id))
    return [key for key in rows if opened_private(key, seal) is None]


def _rows(session: Session, domain: str) -> Sequence[DkimKey]:
    found = select(DkimKey).where(DkimKey.domain == domain, DkimKey.retired_at.is_(None))
    return session.scalars(found.order_by(DkimKey.id)).all()


def _selector(name: str, algorithm: Algorithm) -> str:
    return f"{name}-{'rsa' if algorithm is Algorithm.RSA else 'ed'}"


def _about(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"
