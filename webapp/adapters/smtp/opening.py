"""From the TCP connection to the first mail: banner, EHLO, STARTTLS, EHLO again, AUTH.

It is a generator, so that the order on the page is the order on the wire: it yields the stage whose reply it waits for, and is sent the
reply (`None` for TCP and TLS, which have no reply).
"""

import base64
import re
import socket
import ssl
from collections.abc import Generator
from typing import Any

from webapp.adapters.smtp import failures
from webapp.adapters.smtp.replies import Answer, as_text
from webapp.adapters.smtp.roles import Conversation
from webapp.core.ports import Cause, Reply, Stage

Dialogue = Generator[str, Any, None]

_MECHANISM_REFUSED = re.compile(rb"504 |53[48] |5\d\d 5\.5\.4\b")
"""These answers are about the way of signing in, not about the user who does (RFC 4954 section 6)."""


class Ended(Exception):
    """The conversation cannot go on. `reply` is the reply for the mail on it, or tells the trouble; None: nothing to tell."""

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__(reply)
        self.reply = reply


def refused(stage: Stage, answer: Answer) -> Reply:
    """The relay's answer as a Reply; an answer that makes no sense at this stage counts as garbled."""
    code, text = answer
    if 400 <= code <= 599:
        return Reply(stage, code, as_text(text))
    return Reply(stage, None, as_text(text), f"answer {code} makes no sense here", Cause.GARBLED)


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """A context that always verifies certificate and host name: against `ca_file` alone if there is one, else the system's authorities."""
    return ssl.create_default_context(cafile=ca_file)


def ehlo_name(configured: str, own_address: str) -> str:
    """The name for EHLO: the configured one, else this host's if it is a full one, else an address literal (RFC 5321 section 4.1.3)."""
    if configured:
        return configured
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    plain = own_address.partition("%")[0]
    return f"[IPv6:{plain}]" if ":" in plain else f"[{plain}]"


def opening(connection: Conversation) -> Dialogue:
    """Open the conversation as the settings demand. Raises Ended when that fails."""
    settings = connection.settings
    yield Stage.CONNECT
    if settings.implicit_tls:
        yield from _encrypt(connection)
    answer = yield Stage.BANNER
    if answer[0] != 220:
        raise Ended(refused(Stage.BANNER, answer))
    yield from _greet(connection)
    if settings.starttls:
        if "STARTTLS" not in connection.features:
            raise Ended(_not_offered(Stage.STARTTLS, "the relay does not offer STARTTLS"))
        connection.wire.write(b"STARTTLS\r\n")
        answer = yield Stage.STARTTLS
        if answer[0] != 220:
            raise Ended(refused(Stage.STARTTLS, answer))
        if not connection.reader.is_empty:
            raise Ended(
                Reply(Stage.STARTTLS, None, "", "unencrypted text after STARTTLS", Cause.GARBLED)
            )  # CVE-2011-0411
        yield from _encrypt(connection)
        yield from _greet(connection)
    if settings.username:
        yield from _sign_in(connection, settings.username, settings.password or "")


def _encrypt(connection: Conversation) -> Dialogue:
    try:
        connection.wire.wrap(connection.pool.tls(), connection.settings.host)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Ended(Reply(Stage.STARTTLS, None, "", f"TLS cannot begin: {error}", Cause.CERTIFICATE)) from error
    yield Stage.STARTTLS


def _greet(connection: Conversation) -> Dialogue:
    settings = connection.settings
    name = ehlo_name(settings.ehlo_name, connection.wire.socket.getsockname()[0]).encode("ascii", "replace")
    connection.wire.write(b"EHLO %b\r\n" % name)
    answer = yield Stage.EHLO
    features = _features(answer[1])
    if 500 <= answer[0] <= 599 and not settings.starttls and not settings.username:
        connection.wire.write(b"HELO %b\r\n" % name)
        answer = yield Stage.EHLO
        features = {}
    if answer[0] != 250:
        raise Ended(refused(Stage.EHLO, answer))
    connection.greeted(features)


def _features(text: bytes) -> dict[str, str]:
    """Keyword -> parameters of an EHLO answer (RFC 5321 section 4.1.1.1), both upper case; its first line is the relay's name."""
    features: dict[str, str] = {}
    for line in text.decode("ascii", "replace").upper().split("\n")[1:]:
        keyword, _, parameters = line.replace("AUTH=", "AUTH ", 1).strip().partition(" ")
        features[keyword] = f"{features[keyword]} {parameters}" if keyword in features else parameters
    return features


def _sign_in(connection: Conversation, username: str, password: str) -> Dialogue:
    """Sign in with AUTH PLAIN (RFC 4616) or LOGIN; without encryption on this machine itself only."""
    if not connection.wire.is_tls and not connection.wire.is_loopback():
        raise Ended(Reply(Stage.AUTH, None, "", "no password is sent without TLS", Cause.PLAINTEXT))
    mechanisms = connection.features.get("AUTH", "").split()
    ways = [way for name, way in (("PLAIN", _by_plain), ("LOGIN", _by_login)) if name in mechanisms]
    if not ways:
        raise Ended(_not_offered(Stage.AUTH, failures.mechanisms(mechanisms)))
    for way in ways:
        answer: Answer = yield from way(connection, username, password)
        if answer[0] == 235:
            return
        if not _MECHANISM_REFUSED.match(b"%d %b" % answer):
            break
    raise Ended(refused(Stage.AUTH, answer))


def _by_plain(connection: Conversation, username: str, password: str) -> Generator[str, Any, Answer]:
    secret = base64.b64encode(f"\0{username}\0{password}".encode())
    connection.wire.write(b"AUTH PLAIN %b\r\n" % secret)
    answer: Answer = yield Stage.AUTH
    return answer


def _by_login(connection: Conversation, username: str, password: str) -> Generator[str, Any, Answer]:
    connection.wire.write(b"AUTH LOGIN\r\n")
    for part in (username, password):
        answer: Answer = yield Stage.AUTH
        if answer[0] != 334:
            return answer
        connection.wire.write(base64.b64encode(part.encode()) + b"\r\n")
    answer = yield Stage.AUTH
    return answer


def _not_offered(stage: Stage, words: str) -> Reply:
    return Reply(stage, None, "", words, Cause.NOT_OFFERED)
