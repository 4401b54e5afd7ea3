"""Who signs the mails of a sender: the keys of its domain, opened."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.domains.keys import opened_private
from webapp.core.domains.sealing import Seal
from webapp.core.errors import Conflict
from webapp.core.ports import Mail
from webapp.core.rules.dkim import MailSigner, SigningKey, opened
from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.rules.sender_domains.answers import in_ascii
from webapp.core.tables.domains import DkimKey

log = logging.getLogger(__name__)


def signing_keys(session: Session, address: str, seal: Seal) -> tuple[SigningKey, ...]:
    """The keys for mails from this address, of all times that are not over: which of them sign is decided by a mail's Date. Raises Conflict
    where one that signs from now on was sealed with another secret."""
    domain = in_ascii(address.rpartition("@")[2])
    rows = select(DkimKey).where(
        DkimKey.domain == domain, DkimKey.retired_at.is_(None), DkimKey.signs_from.is_not(None)
    )
    found = []
    for key in session.scalars(rows.order_by(DkimKey.id)):
        private = opened_private(key, seal)
        if private is None and key.signs_until is None:
            raise Conflict(
                f"Mails from {domain} would leave without a signature: its key {key.selector} was sealed with another SECRET_KEY. Give "
                "this process the console's, or stop signing and make new keys in Settings, Domains."
            )
        if private is None:
            about = {"event": "key_not_opened", "domain": domain, "selector": key.selector}
            log.error(
                "the key %s of %s was sealed with another SECRET_KEY: mails are not signed with it",
                key.selector,
                domain,
                extra=about,
            )
            continue
        found.append(SigningKey(domain, key.selector, key.algorithm, opened(private), key.signs_from, key.signs_until))
    return tuple(found)


def signer_for(session: Session, address: str, seal: Seal) -> MailSigner:
    """Signs mails from this address; nothing where the domain has no keys of ours."""
    return MailSigner(signing_keys(session, address, seal))


def signed_trial(session: Session, mails: Sequence[Mail], sender: str, seal: Seal, date: datetime) -> list[Mail]:
    """The mails of a test, signed as those of a broadcast from that `sender` (`Name <address>`) would be. `date` is that in their heads."""
    signer = signer_for(session, mailbox_or_blank(sender)[1], seal)
    return [signed(mail, signer, date) for mail in mails]


def signed(mail: Mail, signer: MailSigner, date: datetime) -> Mail:
    """The mail with its signatures in front. `date` (aware) is that in its head."""
    return mail._replace(data=signer.fields(mail.data, date, mail.tail) + mail.data)
