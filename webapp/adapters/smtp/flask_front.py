"""Flask-Mail as the front of one-off mails, notices and test sends: the same relay, time-outs and verified TLS as for broadcasts.

Flask-Mail itself connects without a time-out, does not verify the certificate after STARTTLS, and lets a failing QUIT after the
acceptance look like a failure to send.
"""

import contextlib
import smtplib
from dataclasses import replace
from types import TracebackType
from typing import Any

import flask_mail
from flask import current_app

from webapp.adapters.smtp.one_off import send_one
from webapp.adapters.smtp.opening import ehlo_name, tls_context
from webapp.config import RelaySettings
from webapp.core.ports import Mail, Reply


class RelayConnection(flask_mail.Connection):
    """A Flask-Mail connection to the relay of the settings; for one-off messages only."""

    def configure_host(self) -> smtplib.SMTP:
        relay = _relay()
        name = ehlo_name(relay.ehlo_name, "127.0.0.1")
        host: smtplib.SMTP
        if relay.implicit_tls:
            host = smtplib.SMTP_SSL(
                relay.host, relay.port, name, timeout=relay.connect_timeout, context=tls_context(relay.ca_file)
            )
        else:
            host = smtplib.SMTP(relay.host, relay.port, name, timeout=relay.connect_timeout)
        try:
            assert host.sock is not None
            host.sock.settimeout(relay.command_timeout)
            if relay.starttls:
                host.starttls(context=tls_context(relay.ca_file))
            if relay.username:
                if not (relay.starttls or relay.implicit_tls or host.sock.getpeername()[0] in ("127.0.0.1", "::1")):
                    raise smtplib.SMTPNotSupportedError(
                        "No password is sent without TLS: set MAIL_USE_TLS or MAIL_USE_SSL."
                    )
                host.login(relay.username, relay.password or "")
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):  # the goodbye changes no outcome
            super().__exit__(exc_type, exc_value, tb)  # type: ignore[arg-type]


class RelayMail(flask_mail.Mail):
    """Flask-Mail's extension with our connection."""

    def connect(self) -> RelayConnection:
        """A connection for Flask-Mail's own messages."""
        return RelayConnection(current_app.extensions["mail"])

    def send_one(self, mail: Mail, **time_outs: Any) -> Reply:
        """Hand over one rendered mail, such as a test send, and say how it ended, as `one_off.send_one` does. `time_outs` (fields of
        RelaySettings, in seconds) replace those of the relay's settings when somebody waits for the answer."""
        return send_one(replace(_relay(), **time_outs), mail)


def _relay() -> RelaySettings:
    relay = current_app.config["RELAY"]
    assert isinstance(relay, RelaySettings)
    return relay
