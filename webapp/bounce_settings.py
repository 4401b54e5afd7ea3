"""Settings of bounces from the environment, checked at start; `webapp/config.py` reads them with all others."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from webapp.environ import SettingError

_THIS_MACHINE = {"localhost", "::1", "127.0.0.1"}


def read(environ: Mapping[str, str]) -> dict[str, object]:
    """The part of the app's configuration that is about bounces. Raises SettingError for a value that cannot be used."""
    return {
        "BOUNCE_ADDRESS": _bounce_address(environ),
        "BOUNCE_LISTEN": _bounce_listen(environ),
        "BOUNCE_MAILDIR": environ.get("MASSMAIL_BOUNCE_MAILDIR") or None,
        "BOUNCE_IMAP": _bounce_imap(environ),
    }


def _bounce_address(environ: Mapping[str, str]) -> str | None:
    """Where bounces come to; a token stands for the `*`, or behind a + where there is none. None: return paths are the senders'."""
    address = environ.get("MASSMAIL_BOUNCE_ADDRESS", "").strip()
    if address and not re.fullmatch(
        r"[A-Za-z0-9][A-Za-z0-9._=+-]{0,17}(?:\*[A-Za-z0-9._=+-]{0,9})?@[A-Za-z0-9.-]{1,255}", address
    ):
        raise SettingError(
            f"MASSMAIL_BOUNCE_ADDRESS is {address!r}: use an address with at most 18 letters before the @, such as bounce@mail.example.com."
        )
    return address or None


def _bounce_listen(environ: Mapping[str, str]) -> str:
    """lmtp:// or smtp:// with host and port, where the listener for bounces is."""
    place = environ.get("MASSMAIL_BOUNCE_LISTEN", "").strip() or "lmtp://127.0.0.1:2424"
    if not re.fullmatch(r"(?:lmtp|smtp)://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}", place):
        raise SettingError(f"MASSMAIL_BOUNCE_LISTEN is {place!r}: use lmtp://127.0.0.1:2424 or smtp://127.0.0.1:2525.")
    return place


def _bounce_imap(environ: Mapping[str, str]) -> str | None:
    """The mailbox to which bounces come: imaps://user:password@host/folder, or imap:// without TLS on this machine."""
    url = environ.get("MASSMAIL_BOUNCE_IMAP", "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("imaps", "imap") or not (parts.hostname and parts.username and parts.password):
        raise SettingError(
            "MASSMAIL_BOUNCE_IMAP cannot be read: use imaps://user:password@mail.example.com/INBOX, with @, / and : in a password "
            "written as %40, %2F and %3A."
        )
    if parts.scheme == "imap" and parts.hostname not in _THIS_MACHINE:
        raise SettingError("MASSMAIL_BOUNCE_IMAP would send the password in the clear: use imaps://.")
    return url
