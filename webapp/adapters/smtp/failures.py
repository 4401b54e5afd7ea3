"""The words for a connection that fails: what happened, and which setting is likely to be wrong."""

import ssl
from collections.abc import Sequence

from webapp.config import RelaySettings
from webapp.core.ports import Stage

_WAITED_FOR = {
    Stage.CONNECT: "no answer",
    Stage.BANNER: "no greeting",
    Stage.EHLO: "no answer to EHLO",
    Stage.STARTTLS: "no answer to TLS",
    Stage.AUTH: "no answer to the sign-in",
}
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""How an alert and a handshake of TLS begin (RFC 8446 section 5.1)."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})


def silence(stage: Stage, seconds: float, settings: RelaySettings) -> str:
    """The relay said nothing for `seconds`."""
    words = f"{_WAITED_FOR.get(stage, 'no answer')} for {seconds:g} s"
    if stage is Stage.BANNER and not settings.implicit_tls:
        return f"{words}; a port that speaks TLS from the start keeps silent, too: for such a one set MAIL_USE_SSL"
    return words


def lost(stage: Stage, why: str, came: bytes, settings: RelaySettings) -> str:
    """The connection ended for the reason `why` before a whole answer had come."""
    if stage is Stage.BANNER and not settings.implicit_tls:
        if came.startswith(_TLS_RECORDS):
            return _speaks_tls(settings)
        return f"{why} before its greeting; a port that speaks TLS from the start does so, too: for such a one set MAIL_USE_SSL"
    return why


def handshake(error: OSError, settings: RelaySettings) -> str:
    """The TLS handshake failed, for another reason than the certificate."""
    words = f"TLS handshake failed: {error.strerror or error}"
    if settings.implicit_tls and isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return (
            f"port {settings.port} of the relay does not speak TLS from the start: unset MAIL_USE_SSL, and set MAIL_USE_TLS if the relay "
            f"offers STARTTLS ({words})"
        )
    return words


def nonsense(stage: Stage, raw: bytes, settings: RelaySettings) -> str:
    """The relay sent something that is no reply."""
    return _speaks_tls(settings) if stage is Stage.BANNER and raw.startswith(_TLS_RECORDS) else "answer not understood"


def _speaks_tls(settings: RelaySettings) -> str:
    return f"port {settings.port} of the relay speaks TLS from the start: set MAIL_USE_SSL, and not MAIL_USE_TLS"


def mechanisms(offered: Sequence[str]) -> str:
    """The relay offers no way to sign in that we know."""
    if not offered:
        return "The relay offers no sign-in, but MAIL_USERNAME is set: unset it, or set MAIL_USE_TLS if the relay offers it only then"
    names = f"{', '.join(offered[:-1])} and {offered[-1]}" if len(offered) > 1 else offered[0]
    return f"The relay offers only {names} for signing in; this program signs in by PLAIN or LOGIN"
