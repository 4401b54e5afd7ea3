"""Relays that sign nothing, and prove themselves by a password that was given to them: HTTP Basic (RFC 7617) or Bearer (RFC 6750)."""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256

from webapp.core.rules.relay_events.reading import Refused

USER = "massmail"
"""The name before the password; it is not looked at."""

LONGEST = 1_000


def kept(password: str) -> str:
    """What is kept of a password: enough to know it again. It is as long as a key, so no slow hash is needed."""
    return sha256(password.encode("utf-8", "replace")).hexdigest()


def verify(headers: Mapping[str, str], key: str) -> None:
    """Refused unless the Authorization header brings the password of which `key` is kept."""
    given = headers.get("Authorization") or ""
    if not given:
        raise Refused("It brings no password.")
    if not hmac.compare_digest(kept(_brought(given)), key):
        raise Refused("It brings another password than the one that was given out here.")


def _brought(header: str) -> str:
    scheme, _, value = header[:LONGEST].partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[2]
    except ValueError:  # binascii.Error and UnicodeDecodeError are of its kind
        return ""
