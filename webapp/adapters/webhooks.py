"""Calls of the house's webhook, signed as Standard Webhooks has it, so that any of its libraries can tell who calls.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from webapp.adapters import timed_call
from webapp.adapters.timed_call import HttpAnswer, TooLate
from webapp.core.notices.outbox import Answer

TIMEOUT_S = 10.0
"""So long a call may take, from its first octet to the answer's."""

METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")))
"""Where clouds tell their machines about themselves, beside 169.254.169.254, which is link-local."""

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
    inside: bool = False,
) -> Answer:
    """POST `payload` as JSON to `url` and say how it ended. 2xx is done; a redirect is not followed, since the address was set by hand.

    `id` is the same for each attempt at one notice, so that a receiver can tell a repeat. All `secrets` sign. Without `inside` nothing on
    this machine is called, and never what a cloud tells its machines: whoever may set the address, and reads the answer, would get there.
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
        return _said(_post(url, body, headers, timeout_s, inside))
    except TooLate:
        return Answer(False, f"No answer came within {timeout_s:g} seconds.")
    except _NotThere as error:
        return Answer(False, str(error))
    except ssl.SSLCertVerificationError as error:
        return Answer(False, f"Its certificate is not valid: {error.verify_message}.")
    except socket.gaierror:
        return Answer(False, f"There is no server called {urlsplit(url).hostname}.")
    except (OSError, http.client.HTTPException) as error:
        words = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
        return Answer(False, f"It cannot be reached: {words}.")


class _NotThere(Exception):
    """The address is one that must not be called."""


def _connect(
    inside: bool, address: tuple[str, int], timeout: float | None = None, source_address: object = None
) -> socket.socket:
    """As socket.create_connection, but only to where a webhook may go. What is checked is the very address that is connected to, whatever
    the name stands for a moment later."""
    error: OSError | None = None
    for family, kind, protocol, _name, target in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        if problem := forbidden(str(target[0]), inside):
            raise _NotThere(problem)
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout)
        try:
            connection.connect(target)
            return connection
        except OSError as failed:
            connection.close()
            error = failed
    raise error or OSError("it has no address")


def forbidden(address: str, inside: bool) -> str | None:
    """Why this address is not called; None for one that may be."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    if found.is_loopback or found.is_unspecified:
        if inside:
            return None
        return f"{address} is this machine itself, which is not called. Set MASSMAIL_WEBHOOK_INSIDE=1 if the receiver runs here."
    if found.is_link_local or found.is_multicast or found in METADATA:
        return f"{address} is no address of a receiver: it is kept for the network's own purposes."
    return None


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, inside: bool) -> HttpAnswer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise http.client.InvalidURL(f"no address of a web server: {url}")
    connection = kind(parts.hostname, parts.port or kind.default_port, timeout=timeout_s)
    connection._create_connection = partial(_connect, inside)  # type: ignore[attr-defined]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return timed_call.call(
        connection, "POST", target, body=body, headers=headers, timeout_s=timeout_s, most=READ_OF_AN_ANSWER
    )


def _said(answer: HttpAnswer) -> Answer:
    status, location, words = answer.status, answer.headers.get("Location", ""), answer.body.decode("utf-8", "replace")
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    if 300 <= status < 400:
        return Answer(False, f"{named}, to {location[:READ_OF_AN_ANSWER] or 'nowhere'}: redirects are not followed.")
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return Answer(200 <= status < 300, f"{named}: {said}" if said else named)
