"""The demo's mail catcher: an SMTP server that takes every mail and delivers none.

`python -m webapp.demo.mail_catcher FOLDER FD` serves on the listening socket with file descriptor FD until SIGTERM. What it needs is
installed for the demo alone; its pages, `caught_mails`, need only the Maildir.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from webapp.demo.maildir import Maildir

LARGEST = 64 * 1024 * 1024


def command(folder: Path, fd: int) -> Sequence[str]:
    """The command line that serves on the listening socket `fd` and keeps mails in `folder`."""
    return [sys.executable, "-m", "webapp.demo.mail_catcher", str(folder), str(fd)]


class Catcher:
    """aiosmtpd's handler: every recipient is known, every mail is kept."""

    def __init__(self, maildir: Maildir):
        self.maildir = maildir

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.maildir.keep(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        return "250 2.0.0 caught"


async def serve(folder: Path, listener: socket.socket) -> None:
    """Catch mails that come to `listener` until this process gets SIGTERM."""
    catcher = Catcher(Maildir(folder))
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, asked_to_end.set)

    def connection() -> SMTP:
        return SMTP(
            catcher, hostname="mail-catcher.example", data_size_limit=LARGEST, enable_SMTPUTF8=True, ident="caught here"
        )

    server = await loop.create_server(connection, sock=listener)
    await asked_to_end.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))))
