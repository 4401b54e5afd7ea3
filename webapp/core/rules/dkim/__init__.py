"""DKIM signatures (RFC 6376, RFC 8463): a mail's bytes and a domain's keys in, header fields out."""

from webapp.core.rules.dkim.keys import Algorithm, SigningKey, opened, record_of
from webapp.core.rules.dkim.signing import VALID_FOR, MailSigner

__all__ = ["VALID_FOR", "Algorithm", "MailSigner", "SigningKey", "opened", "record_of"]
