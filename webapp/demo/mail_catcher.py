"""The demo's mail catcher: an SMTP server that takes every mail and delivers none.

`python -m webapp.demo.mail_catcher FOLDER FD [LISTENER]` serves on the listening socket with file descriptor FD until SIGTERM. Mails to
addresses such as bounce@… come back to LISTENER (lmtp://host:port). Its pages, `caught_mails`, need only the Maildir.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from webapp.demo.coming_back import Comeback, answer, bring, fate_of
from webapp.demo.maildir import Maildir

LARGEST = 64 * 1024 * 1024
TRIES_AGAIN_S = (1.0, 5.0, 30.0)
"""When what comes back is brought again to a listener that did not take it."""


def command(folder: Path, fd: int, bounces_to: str = "") -> Sequence[str]:
    """The command line that serves on the listening socket `fd`, keeps mails in `folder`, and has some come back to `bounces_to`."""
    return [sys.executable, "-m", "webapp.demo.mail_catcher", str(folder), str(fd), *filter(None, [bounces_to])]


class Catcher:
    """aiosmtpd's handler: every recipient is known, every mail is kept. What comes back does so after the answer."""

    def __init__(self, maildir: Maildir, bounces_to: str = ""):
        self.maildir, self.bounces_to = maildir, bounces_to
        self._under_way: set[asyncio.Task[None]] = set()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.maildir.keep(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        for recipient in envelope.rcpt_tos if self.bounces_to else ():
            if fate := fate_of(recipient):
                task = asyncio.create_task(self._come_back(fate, recipient, envelope))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
        return "250 2.0.0 caught"

    async def rest(self) -> None:
        """Wait until what is to come back has come back, or cannot."""
        await asyncio.gather(*self._under_way)

    async def _come_back(self, fate: Comeback, recipient: str, envelope: Envelope) -> None:
        data = answer(fate, recipient, envelope.original_content or b"")
        for pause in (0.0, *TRIES_AGAIN_S):
            await asyncio.sleep(pause)
            if await asyncio.to_thread(bring, self.bounces_to, envelope.mail_from or "", data):
                return


async def serve(folder: Path, listener: socket.socket, bounces_to: str = "") -> None:
    """Catch mails that come to `listener` until this process gets SIGTERM."""
    catcher = Catcher(Maildir(folder), bounces_to)
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
    asyncio.run(serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), *sys.argv[3:4]))
