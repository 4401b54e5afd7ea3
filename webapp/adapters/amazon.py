"""What Amazon SNS has us fetch: the certificates that its messages are signed with, and the confirmation of a subscription.

Both addresses come out of what a stranger sent, so only those are called that `rules/relay_events/sns.py` found to be SNS's own: by https,
of a host whose certificate is checked, without following redirects, within a time and a size.
"""

import http.client
import ssl
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from webapp.adapters import timed_call
from webapp.adapters.timed_call import TooLate
from webapp.core.rules.relay_events import sns
from webapp.core.rules.relay_events.reading import Refused

TIMEOUT_S = 8.0
"""So long a call may take, from its first octet to the answer's; SNS waits 15 seconds for our own answer."""

LARGEST = 64 * 1024
"""Octets of an answer. A certificate has some 2,000."""

REMEMBERED = 32
"""So many certificates are kept. What lies at an address never changes, because its name is made of it."""

Connect = Callable[[str, float], http.client.HTTPConnection]
"""A connection to a host by TLS, with a time-out in seconds."""


class Unreachable(Exception):
    """Amazon did not give what was asked for. Later it may."""


def by_tls(host: str, timeout_s: float) -> http.client.HTTPConnection:
    return http.client.HTTPSConnection(host, 443, timeout=timeout_s, context=ssl.create_default_context())


class Amazon:
    """SNS as seen from here. One for a process: it remembers certificates, and may be asked from any thread."""

    def __init__(self, connect: Connect = by_tls, timeout_s: float = TIMEOUT_S, most: int = REMEMBERED) -> None:
        self._connect, self._timeout_s, self._most = connect, timeout_s, most
        self._certificates: dict[str, bytes] = {}
        self._remembering = threading.Lock()

    def certificate(self, url: str) -> bytes:
        """The certificate at an address that `sns.is_certificate` found good. Raises Unreachable."""
        with self._remembering:
            if url in self._certificates:
                return self._certificates[url]
        found = self._get(url)
        with self._remembering:
            while len(self._certificates) >= self._most:
                self._certificates.pop(next(iter(self._certificates)))
            self._certificates[url] = found
        return found

    def confirm(self, url: object, topic: str) -> None:
        """Confirm the subscription to `topic`. Raises Refused for an address that is for anything else, Unreachable."""
        if not sns.is_confirmation(url, topic):
            raise Refused(
                "It wants something else confirmed than the subscription to the topic entered here.", is_final=True
            )
        self._get(str(url))

    def _get(self, url: str) -> bytes:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            answer = timed_call.call(
                self._connect(parts.netloc, self._timeout_s),
                "GET",
                target,
                headers={"User-Agent": "MassMail"},
                timeout_s=self._timeout_s,
                most=LARGEST + 1,
            )
        except TooLate:
            raise Unreachable(f"{parts.netloc} did not answer within {self._timeout_s:g} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{parts.netloc}: {error or type(error).__name__}") from error
        found = answer.body
        if answer.status != http.HTTPStatus.OK or len(found) > LARGEST:
            raise Unreachable(f"{parts.netloc} answered {answer.status} with {len(found)} octets")
        return found
