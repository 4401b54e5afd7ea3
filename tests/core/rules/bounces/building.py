"""Mails as servers send them back, put together from a few words each: what stands in them is in the manner of the server named."""

import base64
from dataclasses import dataclass

from webapp.core.rules.relay_event import EventKind

MARK = "4294967299.0123456789abcdef0123456789abcdef"
MESSAGE_ID = f"{MARK}@example.com"
WHO = "zoe@example.net"
BACK = "bounce+k7qtoken@example.com"

OURS = f"""\
From: Example <news@example.com>
To: Zoe Hall <{WHO}>
Subject: News of November
Date: Mon, 23 Nov 2026 09:00:00 +0000
Message-ID: <{MESSAGE_ID}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Dear Zoe, the offer is over. Your account is not disabled, the mailbox is not full.
"""
HEAD = OURS.partition("\n\n")[0]


@dataclass(frozen=True)
class Format:
    """A mail, and what is to be read in it: `status` as far as it is certain, `address` "" where the form names none."""

    name: str
    kind: EventKind
    status: str
    raw: bytes
    address: str = WHO
    is_marked: bool = True


def _head(sender: str, subject: str, more: str = "") -> str:
    lines = [
        "Return-Path: <>",
        f"Delivered-To: {BACK}",
        "Received: from mx.example.net (mx.example.net [192.0.2.25]) by mx.example.com; Mon, 23 Nov 2026 09:03:00 +0000",
        f"From: {sender}",
        "To: bounce@example.com",
        f"Subject: {subject}",
        "Date: Mon, 23 Nov 2026 09:03:00 +0000",
        "MIME-Version: 1.0",
        "Message-ID: <20261123090300.77@mx.example.net>",
    ]
    return "\n".join([*lines, *filter(None, more.split("\n"))]) + "\n"


def _whole(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("utf-8")


def notification(
    words: str,
    status: str,
    diagnostic: str = "",
    *,
    action: str = "failed",
    sender: str = "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
    fields: str = "",
    more: str = "",
    returned: str = "message/rfc822",
    final: str = f"Final-Recipient: rfc822; {WHO}",
) -> bytes:
    """A delivery status notification (RFC 3464). `fields` are more of the recipient's, `more` of the head; `returned` "" for none."""
    block = [final, f"Action: {action}" if action else "", f"Status: {status}" if status else ""]
    block += [f"Diagnostic-Code: smtp; {diagnostic}" if diagnostic else "", fields]
    last = {
        "": "",
        "message/rfc822": f"--B\nContent-Type: message/rfc822\n\n{OURS}\n",
        "text/rfc822-headers": f"--B\nContent-Type: text/rfc822-headers\n\n{HEAD}\n\n",
    }[returned]
    return _whole(
        _head(sender, subject, more)
        + 'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\nThis is a MIME message.\n'
        + f"--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{words}\n\n"
        + "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n"
        + "Arrival-Date: Mon, 23 Nov 2026 09:00:00 +0000\n\n"
        + "\n".join(filter(None, block))
        + f"\n\n{last}--B--\n"
    )


def own_form(
    text: str,
    *,
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.example.net>",
    subject: str = "failure notice",
    more: str = "",
    quoted: str = OURS,
    charset: str = "utf-8",
    encoding: str = "8bit",
    kind: str = "plain",
) -> bytes:
    """A mail of text alone, with ours quoted below: a server's own form, or an answer."""
    body = f"{text}\n\n{quoted}" if quoted else text
    data = body.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        data = base64.encodebytes(data)
    head = (
        _head(sender, subject, more)
        + f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    )
    return _whole(head) + data


def attached(text: str, *, sender: str, subject: str, more: str = "") -> bytes:
    """A mail of words, with ours attached, and no report."""
    return _whole(
        _head(sender, subject, more)
        + 'Content-Type: multipart/mixed; boundary="B"\n\n'
        + f"--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n\n"
        + f"--B\nContent-Type: message/rfc822\n\n{OURS}\n--B--\n"
    )


def feedback(
    fields: str, *, sender: str, subject: str = "FW: News of November", more: str = "", ours: str = OURS
) -> bytes:
    """A complaint in the abuse reporting format (RFC 5965)."""
    return _whole(
        _head(sender, subject, more)
        + 'Content-Type: multipart/report; report-type=feedback-report; boundary="B"\n\n'
        + "--B\nContent-Type: text/plain; charset=us-ascii\n\nThis is an abuse report for a mail received from 192.0.2.10.\n\n"
        + f"--B\nContent-Type: message/feedback-report\n\n{fields}\n\n"
        + f"--B\nContent-Type: message/rfc822\n\n{ours}\n--B--\n"
    )


def answer(
    subject: str, text: str, more: str = "Auto-Submitted: auto-replied", sender: str = f"Zoe Hall <{WHO}>"
) -> bytes:
    """What a program says in the name of the recipient: no mail of ours in it, only the fields that make it an answer to one."""
    return own_form(text, sender=sender, subject=subject, more=f"In-Reply-To: <{MESSAGE_ID}>\n{more}", quoted="")


def disposition(text: str, subject: str = "Automatically rejected mail") -> bytes:
    """A notification of what became of a mail in its mailbox (RFC 8098)."""
    return _whole(
        _head(f"Mail Delivery Subsystem <{WHO}>", subject, "Auto-Submitted: auto-replied (rejected)")
        + 'Content-Type: multipart/report; report-type=disposition-notification; boundary="B"\n\n'
        + f"--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n\n"
        + f"--B\nContent-Type: message/disposition-notification\n\nReporting-UA: mx.example.net\nFinal-Recipient: rfc822; {WHO}\n"
        + f"Original-Message-ID: <{MESSAGE_ID}>\nDisposition: automatic-action/MDN-sent-automatically; deleted\n\n"
        + f"--B\nContent-Type: text/rfc822-headers\n\n{HEAD}\n\n--B--\n"
    )
