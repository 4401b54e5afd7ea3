"""Who may try how often to sign in. Guessing is slowed down, and cannot be used to keep somebody out of their own account.

Failures are counted by where they come from: a browser that has signed in to the account before, a network from which that was done, or
strangers, who share one count for the account and one for each of their networks. So whoever guesses from elsewhere stops only strangers.
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from webapp.core.tables.users import FailedSignIn, KnownNetwork, User

FAILURES_ALLOWED = 8
FAILURE_WINDOW = timedelta(minutes=15)
NETWORK_IS_KNOWN_FOR = timedelta(days=90)


def keys_for(session: Session, email: str, address: str | None, browser: str | None, now: datetime) -> list[str]:
    """Under what an attempt counts. `browser` stands for one that has signed in to this very account, None for any other; `address` is the
    one it comes from."""
    email, near = email.strip().lower()[:250], network(address)
    if browser:
        return [f"browser:{browser}"]
    known = (
        select(KnownNetwork.user_id)
        .join(User, User.id == KnownNetwork.user_id)
        .where(User.email == email, KnownNetwork.network == near, KnownNetwork.seen_at > now - NETWORK_IS_KNOWN_FOR)
    )
    if near and session.scalar(known) is not None:
        return [f"known:{email} {near}"]
    return [f"email:{email}", f"from:{near if near and ':' in near else address or ''}"]


def may_try(session: Session, keys: Sequence[str], now: datetime) -> bool:
    """False when one of `keys` has failed too often in the last quarter of an hour."""
    failures = (
        select(FailedSignIn.key)
        .where(FailedSignIn.key.in_(keys), FailedSignIn.failed_at > now - FAILURE_WINDOW)
        .group_by(FailedSignIn.key)
        .having(func.count() >= FAILURES_ALLOWED)
    )
    return session.scalar(failures.limit(1)) is None


def authenticate(session: Session, email: str, fitting: str | None, keys: Sequence[str], now: datetime) -> User | None:
    """The user with this e-mail whose hash is still `fitting`, or None; a failure is remembered under `keys`.

    A success forgets only what failed under the first key, which is of the account: whoever has one account must not be able to try others
    without end."""
    user = session.scalar(select(User).where(User.email == email.strip().lower(), User.is_active))
    if user and user.password_hash == fitting:
        session.execute(delete(FailedSignIn).where(FailedSignIn.key == keys[0]))
        return user
    failed(session, keys, now)
    return None


def failed(session: Session, keys: Sequence[str], now: datetime) -> None:
    """Remember an attempt that failed."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.failed_at < now - FAILURE_WINDOW))
    session.add_all(FailedSignIn(key=key[:320], failed_at=now) for key in keys)


def unlock(session: Session, user: User) -> None:
    """Forget what failed for this account, wherever it came from."""
    email = user.email[:250]
    session.execute(
        delete(FailedSignIn).where(
            or_(
                FailedSignIn.key == f"email:{email}",
                FailedSignIn.key.startswith(f"known:{email} ", autoescape=True),
            )
        )
    )


def network(address: str | None) -> str:
    """The network an address is in, as providers hand them out: /24 of IPv4, /56 of IPv6. "" for what is no address."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 56), strict=False))


def remember_network(session: Session, user_id: int, address: str, now: datetime) -> None:
    """The user signs in from this address."""
    near = network(address)
    session.execute(delete(KnownNetwork).where(KnownNetwork.seen_at < now - NETWORK_IS_KNOWN_FOR))
    if not near:
        return
    row = session.get(KnownNetwork, (user_id, near))
    if row is None:
        session.add(KnownNetwork(user_id=user_id, network=near, seen_at=now))
    else:
        row.seen_at = now
