"""Mails that come back in the demo, as they would from a recipient's server or provider: the mail catcher makes them for addresses such as
bounce@…, and its pages for any mail. They go to the program's own listener for bounces."""

import secrets
import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

from webapp.adapters.clock import now

TIMEOUT_S = 10.0
SERVER = "mail-catcher.example"


class Comeback(StrEnum):
    """What the recipient's side does with a mail. The values are the names of addresses that do it by themselves."""

    BOUNCE = "bounce"
    FULL = "full"
    DELIVERED = "delivered"
    AWAY = "away"
    COMPLAIN = "complain"

    @property
    def label(self) -> str:
        return {
            Comeback.BOUNCE: "No such mailbox",
            Comeback.FULL: "Mailbox is full",
            Comeback.DELIVERED: "Delivered",
            Comeback.AWAY: "Out of office",
            Comeback.COMPLAIN: "Complain",
        }[self]


_REPORTS = {
    Comeback.BOUNCE: ("failed", "5.1.1", "550 5.1.1 no such mailbox here"),
    Comeback.FULL: ("failed", "5.2.2", "552 5.2.2 mailbox full"),
    Comeback.DELIVERED: ("delivered", "2.0.0", "250 2.0.0 delivered to the mailbox"),
}


def fate_of(address: str) -> Comeback | None:
    """What an address does by itself: bounce@example.com comes back, and so does bounce+anything@example.com."""
    name = address.partition("@")[0].partition("+")[0].lower()
    return Comeback(name) if name in set(Comeback) else None


def answer(fate: Comeback, recipient: str, mail: bytes) -> bytes:
    """The mail that comes back: a report (RFC 3464), a complaint (RFC 5965) or an answer (RFC 3834)."""
    if fate is Comeback.AWAY:
        reply = EmailMessage(policy=policy.SMTP)
        reply["From"], reply["Subject"] = recipient, "Out of office"
        reply["Auto-Submitted"], reply["Date"] = "auto-replied", format_datetime(now())
        reply["In-Reply-To"] = str(message_from_bytes(mail, policy=policy.compat32).get("Message-ID", ""))
        reply.set_content("I am out of the office until Monday.")
        return reply.as_bytes()
    is_complaint = fate is Comeback.COMPLAIN
    kind, report = _feedback(recipient) if is_complaint else _status(fate, recipient)
    mark = f"=_{secrets.token_hex(16)}"
    head = (
        f"From: Mail catcher <mailer-daemon@{SERVER}>\r\n"
        f"Subject: {'Complaint about a mail' if is_complaint else 'What became of your mail'}\r\n"
        f"Date: {format_datetime(now())}\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="{mark}"\r\n\r\n'
        f"--{mark}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThe mail catcher was asked to make this.\r\n\r\n"
        f"--{mark}\r\nContent-Type: message/{kind}\r\n\r\n{report}\r\n"
        f"--{mark}\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return head.encode() + mail + f"\r\n--{mark}--\r\n".encode()


def _status(fate: Comeback, recipient: str) -> tuple[str, str]:
    action, status, words = _REPORTS[fate]
    fields = f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {words}\r\n"
    return "delivery-status", f"Reporting-MTA: dns; {SERVER}\r\n\r\n{fields}"


def _feedback(recipient: str) -> tuple[str, str]:
    fields = ("Feedback-Type: abuse", "User-Agent: mail-catcher/1", "Version: 1", f"Original-Rcpt-To: {recipient}", "")
    return "feedback-report", "\r\n".join(fields)


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
