"""One-time links: a way in without a password, for the first time or after it was forgotten."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.tables.users import SignInLink, User
from webapp.core.users.accounts import get
from webapp.core.users.hashes import hashed

LINK_LASTS = timedelta(minutes=30)


def make_link(session: Session, user_id: int, now: datetime, *, by: int | None = None) -> str:
    """The token of a link that signs the user in once, within half an hour. Older links of the user end.

    `by` is another user who wants it, None for somebody who has the command line. Raises Invalid for an account that may not sign in, and
    where a user wants a link for an account that somebody uses: it would be a way into what is another's.
    """
    user = get(session, user_id)
    if not user.is_active:
        raise Invalid(f"{user.email} is locked. Unlock the user first.")
    if by is not None and user.used_at is not None:
        raise Invalid(
            f"{user.email} has signed in before, so only somebody at the server can make a link: "
            f"flask --app wsgi users link {user.email}"
        )
    token = secrets.token_urlsafe(24)
    session.execute(delete(SignInLink).where((SignInLink.expires_at < now) | (SignInLink.user_id == user_id)))
    session.add(SignInLink(user_id=user_id, token_hash=hashed(token), expires_at=now + LINK_LASTS))
    return token


def use_link(session: Session, token: str, now: datetime) -> User | None:
    """The user a one-time link stands for; the link is spent. None when it is unknown, spent or too old."""
    link = session.scalar(
        delete(SignInLink)
        .where(SignInLink.token_hash == hashed(token), SignInLink.expires_at > now)
        .returning(SignInLink.user_id)
    )
    user = session.get(User, link) if link else None
    return user if user and user.is_active else None
