"""Passwords: hashed, checked, changed. A change ends every sign-in and link there is, and gives the present browser a new token."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.core.errors import Invalid, NotFound
from webapp.core.rules import passwords
from webapp.core.tables.users import SignIn, SignInLink, User
from webapp.core.users.hashes import hashed

NOBODY = generate_password_hash(secrets.token_hex(16))
"""The hash of a password that nobody knows."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that may be set. `before` is the hash that the present one fitted, None for somebody who came by a one-time link."""

    user_id: int
    before: str | None
    hash: str


def hash_of(password: str, about: Iterable[str]) -> str:
    """The hash of a password that may be used. Raises Invalid for one that is too easy to guess."""
    if problem := passwords.weakness(password, about):
        raise Invalid(problem, "password")
    return generate_password_hash(password)


def fitting_hash(session: Session, email: str, password: str) -> str | None:
    """The hash of the user with this e-mail, if the password fits it. It takes a tenth of a second, so ask before a transaction that
    writes. An unknown e-mail takes as long as a wrong password, so that the answer's time says nothing about who has an account."""
    known = session.scalar(select(User.password_hash).where(User.email == email.strip().lower(), User.is_active))
    return known if check_password_hash(known or NOBODY, password) else None


def new_password(session: Session, user_id: int, current: str | None, new: str) -> NewPassword:
    """What `change_password` sets: checked and hashed, which takes time, so ask before a transaction that writes. `current` is None for
    somebody who came by a one-time link and cannot know it. Raises Invalid with the field that is wrong."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("This user does not exist any more.")
    before = None if current is None else user.password_hash
    if before is not None and not check_password_hash(before, current or ""):
        raise Invalid("This is not your present password.", "current")
    return NewPassword(user_id, before, hash_of(new, [user.email, user.name]))


def change_password(session: Session, new: NewPassword, token: str, now: datetime) -> str:
    """Set a new password, end all of the user's sign-ins and links, and begin a sign-in of the browser that has `token` anew, which keeps
    its end. Returns the new token.

    Raises Invalid when the present password was changed meanwhile, or when somebody who came by a link took longer than its right to do
    without the old password lasts, or had used it.
    """
    user = session.get(User, new.user_id)
    here = session.scalar(
        select(SignIn).where(SignIn.user_id == new.user_id, SignIn.token_hash == hashed(token), SignIn.expires_at > now)
    )
    if user is None or here is None:
        raise Invalid("You were signed out meanwhile. Sign in again.", "password")
    if new.before is None and (here.sets_password_until is None or here.sets_password_until <= now):
        raise Invalid("The link you came by lets you do this no longer. Enter your present password.", "password")
    if new.before is not None and user.password_hash != new.before:
        raise Invalid("This is not your present password any more.", "current")
    user.password_hash = new.hash
    anew = secrets.token_urlsafe(32)
    place = {"browser": here.browser, "network": here.network, "expires_at": here.expires_at}
    session.execute(delete(SignIn).where(SignIn.user_id == user.id))
    session.execute(delete(SignInLink).where(SignInLink.user_id == user.id))
    session.add(SignIn(user_id=user.id, token_hash=hashed(anew), created_at=now, seen_at=now, **place))
    return anew
