"""The people who sign in: accounts, passwords, sign-ins that can be revoked, and one-time links."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.core.errors import Invalid, NotFound
from webapp.core.tables.users import FailedSignIn, SignIn, SignInLink, User

MIN_PASSWORD = 10
SIGN_IN_LASTS = timedelta(days=14)
LINK_LASTS = timedelta(minutes=30)
FAILURES_ALLOWED = 8
FAILURE_WINDOW = timedelta(minutes=15)

_NOBODY = generate_password_hash(secrets.token_hex(16))
"""The hash of a password that nobody knows."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that may be set. `before` is the hash that the present one fitted, None for somebody who came by a one-time link."""

    user_id: int
    before: str | None
    hash: str


def create(
    session: Session, email: str, password: str | None, now: datetime, *, name: str = "", time_zone: str = "UTC"
) -> User:
    """A new user; without a password for somebody who comes by a one-time link first. Raises Invalid for an address or password that
    cannot be taken, or an address in use."""
    email = _email(email)
    if session.scalar(select(User.id).where(User.email == email)):
        raise Invalid(f"There is already a user with the e-mail {email}.", "email")
    user = User(
        email=email,
        name=name.strip()[:200],
        password_hash=_NOBODY if password is None else generate_password_hash(_password(password)),
        time_zone=_zone(time_zone),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def listing(session: Session) -> Sequence[User]:
    """All users, by e-mail."""
    return session.scalars(select(User).order_by(User.email)).all()


def get(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("This user does not exist any more.")
    return user


def by_email(session: Session, email: str) -> User:
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(f"There is no user with the e-mail {email}.")
    return user


def may_try(session: Session, keys: Sequence[str], now: datetime) -> bool:
    """False when one of `keys` (e-mail tried, network) has failed too often in the last quarter of an hour."""
    failures = (
        select(FailedSignIn.key)
        .where(FailedSignIn.key.in_(keys), FailedSignIn.failed_at > now - FAILURE_WINDOW)
        .group_by(FailedSignIn.key)
        .having(func.count() >= FAILURES_ALLOWED)
    )
    return session.scalar(failures.limit(1)) is None


def fitting_hash(session: Session, email: str, password: str) -> str | None:
    """The hash of the user with this e-mail, if the password fits it. It takes a tenth of a second, so ask before a transaction that
    writes. An unknown e-mail takes as long as a wrong password, so that the answer's time says nothing about who has an account."""
    known = session.scalar(_active(email).with_only_columns(User.password_hash))
    return known if check_password_hash(known or _NOBODY, password) else None


def authenticate(session: Session, email: str, fitting: str | None, keys: Sequence[str], now: datetime) -> User | None:
    """The user with this e-mail whose hash is still `fitting`, or None; a failure is remembered under `keys`.

    A success forgets only what failed under the first key, which is that of the e-mail: whoever has one account must not be able to
    try others without end."""
    user = session.scalar(_active(email))
    if user and user.password_hash == fitting:
        session.execute(delete(FailedSignIn).where(FailedSignIn.key == keys[0]))
        return user
    session.execute(delete(FailedSignIn).where(FailedSignIn.failed_at < now - FAILURE_WINDOW))
    session.add_all(FailedSignIn(key=key[:320], failed_at=now) for key in keys)
    return None


def sign_in(session: Session, user: User, now: datetime) -> str:
    """Begin a signed-in session. Returns the token for the browser; the database keeps only its hash."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(
        SignIn(user_id=user.id, token_hash=_hash(token), created_at=now, seen_at=now, expires_at=now + SIGN_IN_LASTS)
    )
    return token


def signed_in(session: Session, token: str, now: datetime) -> User | None:
    """The user a browser's token stands for, or None when it was revoked, has run out or never was."""
    return session.scalar(
        select(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(SignIn.token_hash == _hash(token), SignIn.expires_at > now, User.is_active)
    )


def sign_out(session: Session, token: str) -> None:
    session.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))


def sign_out_elsewhere(session: Session, user_id: int, token: str) -> int:
    """Revoke every sign-in of the user but the one with `token`. Returns how many there were."""
    gone = session.execute(delete(SignIn).where(SignIn.user_id == user_id, SignIn.token_hash != _hash(token)))
    return gone.rowcount  # type: ignore[attr-defined]


def new_password(session: Session, user_id: int, current: str | None, new: str) -> NewPassword:
    """What `change_password` sets: checked and hashed, which takes time, so ask before a transaction that writes. `current` is None for
    somebody who came by a one-time link and cannot know it. Raises Invalid with the field that is wrong."""
    before = None if current is None else get(session, user_id).password_hash
    if before is not None and not check_password_hash(before, current or ""):
        raise Invalid("This is not your present password.", "current")
    return NewPassword(user_id, before, generate_password_hash(_password(new)))


def change_password(session: Session, new: NewPassword, token: str) -> None:
    """Set a new password and revoke the user's other sign-ins. Raises Invalid when the present password was changed meanwhile."""
    user = get(session, new.user_id)
    if new.before is not None and user.password_hash != new.before:
        raise Invalid("This is not your present password any more.", "current")
    user.password_hash = new.hash
    sign_out_elsewhere(session, new.user_id, token)


def change_profile(session: Session, user_id: int, *, name: str, time_zone: str) -> None:
    user = get(session, user_id)
    user.name = name.strip()[:200]
    user.time_zone = _zone(time_zone)


def set_active(session: Session, user_id: int, active: bool) -> User:
    """Let a user sign in, or no longer; the latter ends their sign-ins at once."""
    user = get(session, user_id)
    user.is_active = active
    if not active:
        session.execute(delete(SignIn).where(SignIn.user_id == user_id))
    return user


def make_link(session: Session, user_id: int, now: datetime) -> str:
    """The token of a link that signs the user in once, within half an hour."""
    token = secrets.token_urlsafe(24)
    session.execute(delete(SignInLink).where(SignInLink.expires_at < now))
    session.add(SignInLink(user_id=user_id, token_hash=_hash(token), expires_at=now + LINK_LASTS))
    return token


def use_link(session: Session, token: str, now: datetime) -> User | None:
    """The user a one-time link stands for; the link is spent. None when it is unknown, spent or too old."""
    link = session.scalar(
        delete(SignInLink)
        .where(SignInLink.token_hash == _hash(token), SignInLink.expires_at > now)
        .returning(SignInLink.user_id)
    )
    user = session.get(User, link) if link else None
    return user if user and user.is_active else None


def _active(email: str) -> Select[User]:
    return select(User).where(User.email == email.strip().lower(), User.is_active)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _email(text: str) -> str:
    email = text.strip().lower()
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", email) or len(email) > 320:
        raise Invalid("This is not an e-mail address.", "email")
    return email


def _password(text: str) -> str:
    if len(text) < MIN_PASSWORD:
        raise Invalid(f"Use at least {MIN_PASSWORD} characters.", "password")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Invalid(f"There is no time zone called {name}.", "time_zone")
    return name
