"""Where the house's own programs are called with each notice, and the secret that signs the calls."""

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.tables.notices import HouseWebhook

THE_ROW = 1
OLD_SECRET_LASTS = timedelta(hours=24)
"""Beside a new secret the one before it signs for so long, so that a receiver can be changed without losing a call."""

LONGEST_URL = 2000


def read(session: Session) -> HouseWebhook | None:
    """The webhook, if there is one."""
    return session.get(HouseWebhook, THE_ROW, populate_existing=True)


def get(session: Session) -> HouseWebhook:
    """The webhook. Raises NotFound."""
    hook = read(session)
    if hook is None:
        raise NotFound("There is no webhook (any more).")
    return hook


def set_up(session: Session, url: str, now: datetime) -> str:
    """Have `url` called from now on. Returns the secret, which is shown to nobody again. Raises Invalid for a URL that cannot be called;
    Conflict when there is a webhook already."""
    checked = check_url(url)
    if read(session) is not None:
        raise Conflict("Somebody else has set up a webhook meanwhile.")
    secret = _new_secret()
    session.add(HouseWebhook(id=THE_ROW, url=checked, secret=secret, made_at=now))
    session.flush()
    return secret


def change_url(session: Session, url: str) -> None:
    """Call another address, signed by the same secret. Raises Invalid; NotFound."""
    get(session).url = check_url(url)


def rotate(session: Session, now: datetime) -> str:
    """A new secret, shown to nobody again; the old one signs beside it for OLD_SECRET_LASTS. Raises NotFound."""
    hook = get(session)
    hook.old_secret, hook.old_until = hook.secret, now + OLD_SECRET_LASTS
    hook.secret, hook.made_at = _new_secret(), now
    session.flush()
    return hook.secret


def remove(session: Session) -> None:
    """Call nobody any more. Removing what is not there changes nothing."""
    hook = read(session)
    if hook is not None:
        session.delete(hook)


def secrets_of(hook: HouseWebhook, now: datetime) -> tuple[str, ...]:
    """The secrets that sign a call at `now`, the present one first."""
    old = hook.old_secret if hook.old_until and hook.old_until > now else None
    return (hook.secret, old) if old else (hook.secret,)


def check_url(url: str) -> str:
    """The URL without blanks around it. Raises Invalid for what is no plain address of a web server."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid("This is not a URL, as in https://hooks.example.com/massmail.", "url") from None
    if parts.scheme not in ("http", "https"):
        raise Invalid("Use a URL that begins with https:// or http://.", "url")
    if not host or port == 0:
        raise Invalid("This URL names no server, as in https://hooks.example.com/massmail.", "url")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("Use only letters of ASCII without blanks; write a host with others as xn--….", "url")
    if parts.username is not None or parts.password is not None:
        raise Invalid("Leave out name and password: the signature says who calls.", "url")
    if parts.fragment:
        raise Invalid("Leave out what stands behind #: it is not sent.", "url")
    if len(url) > LONGEST_URL:
        raise Invalid(f"Use at most {LONGEST_URL:,} letters.", "url")
    return url


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
