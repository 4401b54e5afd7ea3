"""Accounts: made, found, described, locked."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.tables.users import SignIn, SignInLink, User
from webapp.core.users.passwords import NOBODY, hash_of


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
        password_hash=NOBODY if password is None else hash_of(password, [email, name]),
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


def id_of(session: Session, email: str) -> int | None:
    """Whose e-mail it is, if anybody's."""
    return session.scalar(select(User.id).where(User.email == email.strip().lower()))


def by_email(session: Session, email: str) -> User:
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(f"There is no user with the e-mail {email}.")
    return user


def change_profile(session: Session, user_id: int, *, name: str, time_zone: str) -> None:
    user = get(session, user_id)
    user.name = name.strip()[:200]
    user.time_zone = _zone(time_zone)


def set_active(session: Session, user_id: int, is_active: bool, *, by: int | None = None) -> User:
    """Let a user sign in, or no longer; the latter ends their sign-ins and links at once.

    `by` is the user who wants it, None for the command line. Of two who lock each other at the same moment the first succeeds: all
    accounts are locked as rows until the caller commits, so that the second sees that it was too late, and Conflict is raised. Raises
    Invalid for who would lock themselves out.
    """
    rows = select(User).order_by(User.id).with_for_update().execution_options(populate_existing=True)
    people = {user.id: user for user in session.scalars(rows)}
    if user_id not in people:
        raise NotFound("This user does not exist any more.")
    if by is not None and (by not in people or not people[by].is_active):
        raise Conflict("You were locked meanwhile. Nothing was changed.")
    if by == user_id and not is_active:
        raise Invalid("You cannot lock yourself out. Ask another administrator.")
    user = people[user_id]
    user.is_active = is_active
    if not is_active:
        session.execute(delete(SignIn).where(SignIn.user_id == user_id))
        session.execute(delete(SignInLink).where(SignInLink.user_id == user_id))
    return user


def _email(text: str) -> str:
    email = text.strip().lower()
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", email) or len(email) > 320 or not email.isprintable():
        raise Invalid("This is not an e-mail address.", "email")
    return email


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Invalid(f"There is no time zone called {name}.", "time_zone")
    return name
