"""OpenSMTPD, as it comes: 100 mails on a connection, its `smtp limit max-mails`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.relays import packages
from tests.relays.relay import Running
from tests.relays.rooted import MAIL_USER, Rooted, free_port

MAILS = "var/mail/all"
CONFIGURATION = """\
table mails {{ "@" = "{user}" }}
smtp limit max-mails {most}
listen on 127.0.0.1 port {port} hostname relay.example.test
action "keep" maildir "/{mails}" virtual <mails>
match from any for any action "keep"
"""
MOST, MOST_SHORT = 100, 10
"""Mails on a connection: what it takes as it comes, and so few that the short form meets the limit, too."""
USERS = ("opensmtpd", "opensmtpq")
"""The first runs the server, the second owns the queue; both are told to the programs when they are built."""


@contextmanager
def running(folder: Path, short: bool) -> Iterator[Running]:
    """With its own limits, and everything into one Maildir."""
    port = free_port()
    with Rooted(packages.debian("opensmtpd", "opensmtpd"), folder, users=USERS) as room:
        room.write(
            "etc/smtpd.conf",
            CONFIGURATION.format(user=MAIL_USER, port=port, mails=MAILS, most=MOST_SHORT if short else MOST),
        )
        room.folder("var/lib/opensmtpd/empty", mode=0o711)
        room.folder("var/spool/smtpd", mode=0o711)
        maildir = room.maildir(MAILS)
        server = room.start("/usr/sbin/smtpd", "-d", "-v")
        room.wait_for(server, port)
        yield Running(port, maildir, room.log, room.version)
