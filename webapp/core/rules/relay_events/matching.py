"""A header by which a relay names the mail in what it reports, for those that give mails a Message-ID of their own."""

import re
from typing import NamedTuple

from webapp.core.rules.relay_events.providers import Provider

KEY = "mail-id"
"""The name under which it comes back; what `events` of each relay looks for."""

MAIL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What every relay carries unchanged: a tag of SES takes no other letters, Postmark no longer value than some 80 octets."""


class MatchingHeader(NamedTuple):
    """The name of a header, and its value with `{}` where the mail's id belongs."""

    name: str
    pattern: str

    def value(self, mail_id: str) -> str:
        """The value for one mail. ValueError for an id with letters that one of the relays would not carry."""
        if not MAIL_ID.fullmatch(mail_id):
            raise ValueError(f"{mail_id!r} cannot stand in this header")
        return self.pattern.replace("{}", mail_id)


_HEADERS = {
    Provider.SES: MatchingHeader("X-SES-MESSAGE-TAGS", f"{KEY}={{}}"),
    Provider.MAILGUN: MatchingHeader("X-Mailgun-Variables", f'{{"{KEY}": "{{}}"}}'),
    Provider.POSTMARK: MatchingHeader(f"X-PM-Metadata-{KEY}", "{}"),
    Provider.SENDGRID: MatchingHeader("X-SMTPAPI", f'{{"unique_args": {{"{KEY}": "{{}}"}}}}'),
    Provider.BREVO: MatchingHeader("X-Mailin-custom", "{}"),
}


def matching_header(provider: Provider) -> MatchingHeader:
    """The header that has this relay say, in each event, which mail it is about."""
    return _HEADERS[provider]
