"""Mails that come back in the demo, as they would from a recipient's server or provider: the mail catcher makes them for addresses such as
bounce@…, and its pages for any mail. They go to the program's own listener for bounces."""

import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from enum import StrEnum

from webapp.adapters.clock import now

TIMEOUT_S = 10.0
SERVER = "mail-catcher.example"


class Fate(StrEnum):
    """What the recipient's side does with a mail. The values are the names of addresses that do it by themselves."""

    BOUNCE = "bounce"
    FULL = "full"
    DELIVERED = "delivered"
    AWAY = "away"
    COMPLAIN = "complain"

    @property
    def label(self) -> str:
        return {
            Fate.BOUNCE: "No such mailbox",
            Fate.FULL: "Mailbox is full",
            Fate.DELIVERED: "Delivered",
            Fate.AWAY: "Out of office",
            Fate.COMPLAIN: "Complain",
        }[self]


_REPORTS = {
    Fate.BOUNCE: ("failed", "5.1.1", "550 5.1.1 no such mailbox here"),
    Fate.FULL: ("failed", "5.2.2", "552 5.2.2 mailbox full"),
    Fate.DELIVERED: ("delivered", "2.0.0", "250 2.0.0 delivered to the mailbox"),
}


def fate_of(address: str) -> Fate | None:
    """What an address does by itself: bounce@example.com comes back, and so does bounce+anything@example.com."""
    name = address.partition("@")[0].partition("+")[0].lower()
    return Fate(name) if name in set(Fate) else None


def answer(fate: Fate, recipient: str, mail: bytes) -> bytes:
    """The mail that comes back: a report (RFC 3464), a complaint (RFC 5965) or an answer (RFC 3834)."""
    if fate is Fate.AWAY:
        reply = EmailMessage(policy=policy.SMTP)
        reply["From"], reply["Subject"] = recipient, "Out of office"
        reply["Auto-Submitted"], reply["Date"] = "auto-replied", format_datetime(now())
        reply["In-Reply-To"] = str(message_from_bytes(mail, policy=policy.compat32).get("Message-ID", ""))
        reply.set_content("I am out of the office until Monday.")
        return reply.as_bytes()
    is_complaint = fate is Fate.COMPLAIN
    whole = MIMEMultipart("report")
    whole.set_param("report-type", "feedback-report" if is_complaint else "delivery-status")
    whole["From"] = f"Mail catcher <mailer-daemon@{SERVER}>"
    whole["Subject"] = "Complaint about a mail" if is_complaint else "What became of your mail"
    whole["Date"] = format_datetime(now())
    whole.attach(MIMEText("The mail catcher was asked to make this.\n"))
    whole.attach(_feedback(recipient) if is_complaint else _status(fate, recipient))
    whole.attach(MIMEMessage(message_from_bytes(mail, policy=policy.compat32)))
    return whole.as_bytes(policy=policy.SMTP)


def _status(fate: Fate, recipient: str) -> MIMEText:
    action, status, words = _REPORTS[fate]
    return _part(
        "delivery-status",
        f"Reporting-MTA: dns; {SERVER}\n\nFinal-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {words}\n",
    )


def _feedback(recipient: str) -> MIMEText:
    fields = f"Feedback-Type: abuse\nUser-Agent: mail-catcher/1\nVersion: 1\nOriginal-Rcpt-To: {recipient}\n"
    return _part("feedback-report", fields)


def _part(kind: str, text: str) -> MIMEText:
    part = MIMEText(text)
    part.replace_header("Content-Type", f"message/{kind}")
    return part


def bring(listener: str, return_path: str, data: bytes) -> bool:
    """Hand a mail to the listener for bounces (lmtp://host:port), as a mail server would. False when it did not take it."""
    host, _, port = listener.removeprefix("lmtp://").rpartition(":")
    try:
        with smtplib.LMTP(host, int(port)) as client:
            if client.sock is not None:
                client.sock.settimeout(TIMEOUT_S)
            client.sendmail("", [return_path], data)
    except (OSError, smtplib.SMTPException):
        return False
    return True
