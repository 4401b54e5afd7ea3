"""Content whose mails are signed as they are taken: by the keys of the sender's domain at the mail's Date."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.core.domains.sealing import Seal
from webapp.core.domains.signing import signed, signing_keys
from webapp.core.ports import Mail
from webapp.core.rules.dkim import MailSigner
from webapp.core.rules.message.parts import mailbox_or_blank


class MailSource(Protocol):
    """Makes the mails of a broadcast; see `content/compiling.CompiledContent`."""

    @property
    def tags(self) -> tuple[str, ...]: ...

    def tags_of(self, language: str) -> tuple[str, ...]: ...

    def mail(
        self, delivery_id: int, address: str, date: datetime, values: Sequence[str], *, language: str = ""
    ) -> Mail: ...


class SignedContent:
    """Mails of `content`, signed. Threads may share it: keys are replaced as a whole."""

    def __init__(self, content: MailSource, session: Session, sender: str, seal: Seal) -> None:
        """`sender` is that of the broadcast, as `Name <address>`."""
        self._content, self._seal = content, seal
        self._address = mailbox_or_blank(sender)[1]
        self._signer = MailSigner(signing_keys(session, self._address, seal))

    @property
    def tags(self) -> tuple[str, ...]:
        return self._content.tags

    def tags_of(self, language: str) -> tuple[str, ...]:
        return self._content.tags_of(language)

    def mail(
        self, delivery_id: int, address: str, date: datetime, values: Sequence[str], *, language: str = ""
    ) -> Mail:
        """The same bytes each time for the same mail, as RSA (PKCS #1 v1.5) and Ed25519 sign without chance."""
        mail = self._content.mail(delivery_id, address, date, values, language=language)
        return signed(mail, self._signer, date) if self._signer.keys else mail

    def look_again(self, engine: Engine) -> None:
        """Learn of keys that began to sign or ended since; to be called more often than `keys.SIGNS_AFTER`."""
        with Session(engine) as session:
            self._signer.keys = signing_keys(session, self._address, self._seal)
