"""Calls of the house's webhook, signed as Standard Webhooks has it, so that any of its libraries can tell who calls.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from webapp.core.notices.outbox import Answer

TIMEOUT_S = 10.0
"""So long a call may take, from its first octet to the answer's."""

READ_OF_AN_ANSWER = 200
"""Octets of an answer that are shown beside its status."""


def call(
    url: str,
    secrets: Sequence[str],
    id: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """POST `payload` as JSON to `url` and say how it ended. 2xx is done; a redirect is not followed, since the address was set by hand.

    `id` is the same for each attempt at one notice, so that a receiver can tell a repeat. All `secrets` sign.
    """
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "MassMail",
        "Connection": "close",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(id, now, body.decode()) for secret in secrets),
    }
    try:
        return _said(*_post(url, body, headers, timeout_s))
    except (TimeoutError, _Late):
        return Answer(False, f"No answer came within {timeout_s:g} seconds.")
    except ssl.SSLCertVerificationError as error:
        return Answer(False, f"Its certificate is not valid: {error.verify_message}.")
    except socket.gaierror:
        return Answer(False, f"There is no server called {urlsplit(url).hostname}.")
    except (OSError, http.client.HTTPException) as error:
        words = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
        return Answer(False, f"It cannot be reached: {words}.")


class _Late(Exception):
    """The time was over in the middle of it."""


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> tuple[int, str, str]:
    """Status, place of a redirect and first words of the answer."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise http.client.InvalidURL(f"no address of a web server: {url}")
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    late = threading.Event()

    def hang_up() -> None:
        """A time-out of the socket begins anew with each octet; this one does not."""
        late.set()
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, hang_up)
    timer.daemon = True
    timer.start()
    try:
        connection.request(
            "POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers)
        )
        response = connection.getresponse()
        words = response.read(READ_OF_AN_ANSWER)
        if late.is_set():  # what was cut off here looks like an end
            raise _Late
        return response.status, response.headers.get("Location") or "", words.decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise _Late from error
        raise
    finally:
        timer.cancel()
        connection.close()


def _said(status: int, location: str, words: str) -> Answer:
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    if 300 <= status < 400:
        return Answer(False, f"{named}, to {location[:READ_OF_AN_ANSWER] or 'nowhere'}: redirects are not followed.")
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return Answer(200 <= status < 300, f"{named}: {said}" if said else named)
