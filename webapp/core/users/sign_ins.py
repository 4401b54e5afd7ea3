"""Sign-ins: one row a browser, so that each can be shown, ends when nobody uses it, and can be ended from elsewhere."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.tables.users import SignIn, SignInLink, User
from webapp.core.users.hashes import hashed
from webapp.core.users.throttle import remember_network

SIGN_IN_LASTS = timedelta(days=14)
IDLE = timedelta(hours=8)
SETS_PASSWORD_FOR = timedelta(minutes=10)
"""So long somebody who came by a one-time link may set a password without the old one, once."""


@dataclass(frozen=True, slots=True)
class SignInOrigin:
    """Where somebody signs in: the browser in words, and the address it comes from."""

    browser: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A sign-in that holds. `may_set_password`: without the old one, having come by a link a moment ago."""

    user: User
    sign_in_id: int
    seen_at: datetime
    may_set_password: bool


def sign_in(
    session: Session,
    user: User,
    now: datetime,
    place: SignInOrigin = SignInOrigin(),
    *,
    lasts: timedelta = SIGN_IN_LASTS,
    by_link: bool = False,
) -> str:
    """Begin a signed-in session. Returns the token for the browser; the database keeps only its hash."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(
        SignIn(
            user_id=user.id,
            token_hash=hashed(token),
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
            sets_password_until=now + SETS_PASSWORD_FOR if by_link else None,
            browser=place.browser[:120],
            network=place.address[:64],
        )
    )
    user.used_at = user.used_at or now
    remember_network(session, user.id, place.address, now)
    return token


def signed_in(session: Session, token: str, now: datetime, idle: timedelta = IDLE) -> Visit | None:
    """What a browser's token stands for, or None when it was revoked, has run out, was not used for `idle` or never was."""
    found = session.execute(
        select(User, SignIn)
        .join(SignIn, SignIn.user_id == User.id)
        .where(SignIn.token_hash == hashed(token), SignIn.expires_at > now, SignIn.seen_at > now - idle, User.is_active)
    ).first()
    if found is None:
        return None
    user, row = found
    may = row.sets_password_until is not None and row.sets_password_until > now
    return Visit(user, row.id, row.seen_at, may)


def seen(session: Session, sign_in_id: int, now: datetime) -> None:
    """Somebody uses this sign-in now."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now))


def sign_ins(session: Session, user_id: int, now: datetime, idle: timedelta = IDLE) -> Sequence[SignIn]:
    """The user's sign-ins that hold, the one used last first."""
    return session.scalars(
        select(SignIn)
        .where(SignIn.user_id == user_id, SignIn.expires_at > now, SignIn.seen_at > now - idle)
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    ).all()


def end_sign_in(session: Session, user_id: int, sign_in_id: int) -> bool:
    """End one sign-in of this user; False when it had ended."""
    gone = delete(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == user_id)
    return guarded.change_one(session, gone, synchronize="auto")


def sign_out(session: Session, token: str) -> None:
    session.execute(delete(SignIn).where(SignIn.token_hash == hashed(token)))


def sign_out_elsewhere(session: Session, user_id: int, token: str) -> int:
    """End every sign-in of the user but the one with `token`, and links that were not used yet. Returns how many sign-ins there were."""
    others = delete(SignIn).where(SignIn.user_id == user_id, SignIn.token_hash != hashed(token))
    gone = guarded.change(session, others, synchronize="auto")
    session.execute(delete(SignInLink).where(SignInLink.user_id == user_id))
    return gone
