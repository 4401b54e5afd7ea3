"""A header by which a relay names the mail in what it reports, for those that give mails a Message-ID of their own."""

import re
from typing import NamedTuple

from webapp.core.rules.relay_events.providers import Provider

KEY = "mail-id"
"""The name under which it comes back; what `events` of each relay looks for."""

MARK = re.compile(r"\d{1,19}\.[0-9a-f]{32}")
"""What names a mail: the left of its Message-ID (`message/headers.py`)."""


class MatchingHeader(NamedTuple):
    """The name of a header, and its value with `{}` where what names the mail belongs; `dot` is written for the dot in that."""

    name: str
    pattern: str
    dot: str = "."

    def value(self, mark: str) -> str:
        """The value for one mail. ValueError for what names none."""
        if not MARK.fullmatch(mark):
            raise ValueError(f"{mark!r} names no mail")
        return self.pattern.replace("{}", mark.replace(".", self.dot))


_HEADERS = {
    # A tag takes letters, digits, _ and - only: docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html
    Provider.SES: MatchingHeader("X-SES-MESSAGE-TAGS", f"{KEY}={{}}", dot="-"),
    Provider.MAILGUN: MatchingHeader("X-Mailgun-Variables", f'{{"{KEY}": "{{}}"}}'),
    Provider.POSTMARK: MatchingHeader(f"X-PM-Metadata-{KEY}", "{}"),
    Provider.SENDGRID: MatchingHeader("X-SMTPAPI", f'{{"unique_args": {{"{KEY}": "{{}}"}}}}'),
    Provider.BREVO: MatchingHeader("X-Mailin-custom", "{}"),
}


def matching_header(provider: Provider) -> MatchingHeader:
    """The header that has this relay say, in each event, which mail it is about."""
    return _HEADERS[provider]
