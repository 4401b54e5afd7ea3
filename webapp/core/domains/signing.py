"""Who signs the mails of a sender: the keys of its domain, opened."""

import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.domains.keys import opened_private
from webapp.core.domains.sealing import Seal
from webapp.core.rules.dkim import MailSigner, SigningKey, opened
from webapp.core.rules.sender_domains.answers import in_ascii
from webapp.core.tables.domains import DkimKey

log = logging.getLogger(__name__)


def signing_keys(session: Session, address: str, seal: Seal) -> tuple[SigningKey, ...]:
    """The keys for mails from this address, of all times that are not over: which of them sign is decided by a mail's Date."""
    domain = in_ascii(address.rpartition("@")[2])
    rows = select(DkimKey).where(
        DkimKey.domain == domain, DkimKey.retired_at.is_(None), DkimKey.signs_from.is_not(None)
    )
    found = []
    for key in session.scalars(rows.order_by(DkimKey.id)):
        private = opened_private(key, seal)
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


def signer_for(session: Session, address: str, seal: Seal | None) -> MailSigner:
    """Signs mails from this address; nothing without a seal, or where the domain has no keys of ours."""
    return MailSigner(signing_keys(session, address, seal) if seal is not None else ())
