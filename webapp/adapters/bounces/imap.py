"""A mailbox on an IMAP server to which bounces come: what is new is read and stays as it is, unseen and where it lies, unless it is told to
delete what was recorded.

How far it was read stands in the database (UIDVALIDITY and UID, RFC 3501 section 2.3.1.1), in the transaction that records the mail, so a
mail is neither lost nor read twice, whatever breaks. Between two looks the server tells of news (IDLE, RFC 2177).
"""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient  # type: ignore[import-untyped]
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.adapters.bounces.taking import BounceTaker
from webapp.adapters.database import will_write
from webapp.core.events import keeping
from webapp.core.rules.bounces import LARGEST

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
IDLE_S = 300.0
"""So long the server is listened to before a fresh look: it may end a silent connection after 29 minutes, routers do so sooner."""
POLL_S = 60.0
"""Between two looks where the server has no IDLE."""
_BODY = f"BODY.PEEK[]<0.{LARGEST}>"


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """Where a mailbox is, and with what it opens."""

    host: str
    port: int
    is_tls: bool
    username: str
    password: str
    folder: str

    @classmethod
    def of(cls, url: str) -> "ImapMailbox":
        """From imaps://user:password@host:port/folder, INBOX where no folder is named. `webapp/config.py` has checked it."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "imaps"
        return cls(
            parts.hostname or "",
            parts.port or (993 if is_tls else 143),
            is_tls,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            unquote(parts.path.lstrip("/")) or "INBOX",
        )

    @property
    def name(self) -> str:
        """What it is called in the database: no secret is in it."""
        return f"{self.username}@{self.host}:{self.port}/{self.folder}"[:400]


class ImapReader:
    """Reads a mailbox over one connection. Use it as a context: leaving it signs out. All that goes wrong raises OSError,
    imapclient's errors or SQLAlchemy's; then make a new one."""

    def __init__(self, mailbox: ImapMailbox, taker: BounceTaker, engine: Engine, *, deletes: bool = False):
        self._mailbox, self._taker, self._engine, self._deletes = mailbox, taker, engine, deletes
        self._client = IMAPClient(
            mailbox.host,
            port=mailbox.port,
            ssl=mailbox.is_tls,
            ssl_context=ssl.create_default_context() if mailbox.is_tls else None,
            timeout=TIMEOUT_S,
        )

    def __enter__(self) -> "ImapReader":
        self._client.login(self._mailbox.username, self._mailbox.password)
        self._uid_validity = self._selected()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._client.logout()
        except Exception:  # the connection may be gone, which is why this is left
            log.debug("the mailbox's server did not hear the sign-out", exc_info=True)

    def read_new(self) -> int:
        """Take what is new, the oldest first. Returns how many mails."""
        with Session(self._engine) as session:
            last = keeping.position(session, self._mailbox.name, self._uid_validity)
        # "n:*" always names the newest mail, also where that has a lower number.
        uids = sorted(uid for uid in self._client.search(["UID", f"{last + 1}:*"]) if uid > last)
        for uid in uids:
            found = self._client.fetch([uid], [_BODY]).get(uid, {})
            raw = next((content for name, content in found.items() if name.startswith(b"BODY[]")), None)
            with Session(self._engine) as session:
                if raw is None:  # somebody has deleted it meanwhile
                    will_write(session)
                else:
                    self._taker.record(session, raw)
                keeping.reached(session, self._mailbox.name, self._uid_validity, uid, clock.now())
                session.commit()
            if self._deletes and raw is not None:
                self._client.delete_messages([uid], silent=True)
                if self._client.has_capability("UIDPLUS"):
                    self._client.uid_expunge([uid])
        return len(uids)

    def wait(self, must_stop: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Until there may be news: until the server tells so, or for a while. `pause` waits some seconds, shorter when asked to end."""
        if not self._client.has_capability("IDLE"):
            pause(POLL_S)
            self._client.noop()
            return
        self._client.idle()
        try:
            waited = 0.0
            while waited < IDLE_S and not must_stop():
                if any(len(one) > 1 and one[1] in (b"EXISTS", b"RECENT") for one in self._client.idle_check(timeout=1)):
                    break
                waited += 1
        finally:
            self._client.idle_done()

    def _selected(self) -> int:
        found = self._client.select_folder(self._mailbox.folder, readonly=not self._deletes)
        return int(found[b"UIDVALIDITY"])
