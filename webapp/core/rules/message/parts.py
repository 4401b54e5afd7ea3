"""What goes into a mail: the content's parts, the envelope they all share, and what belongs to one mail only."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from webapp.core.errors import DomainError, Invalid
from webapp.core.rules.addresses import Unusable, usable
from webapp.core.rules.branding.look import BrandLook

MAX_BYTES = 10_000_000
"""A mail larger than this is refused unless the envelope says otherwise: most relays take 10 MB or more."""


NO_REPLIES = "with letters outside ASCII before the @ in its header, most servers would not take the mail"
"""Why an address that some clients have cannot be the one for replies."""


class RenderError(DomainError):
    """This one mail cannot be written, because of a value in it."""


class MessageTooLarge(DomainError):
    """The mail would be larger than the limit."""

    def __init__(self, size: int, limit: int):
        super().__init__(f"The mail would have {size / 1e6:,.1f} MB; {limit / 1e6:,.1f} MB is the most that is sent.")
        self.size, self.limit = size, limit


@dataclass(frozen=True, slots=True)
class MessageParts:
    """Subject, HTML and text as composed, with their tags. `text` None means: derived from `html`; `html` empty: a mail of text only.
    `language` (BCP 47) is said in the HTML document with its direction, and in the head (RFC 3282), if it is known; `preheader` stands
    hidden at the beginning of the HTML."""

    subject: str
    html: str
    text: str | None = None
    language: str = ""
    preheader: str = ""

    def with_html(self, html: str) -> "MessageParts":
        """The same with other HTML."""
        return replace(self, html=html)


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom the mails are. `reply_to` is `Name <local@domain>` or a bare address; `domain` stands on the right of Message-IDs and is
    From's by default; `max_bytes` is the size of a whole mail from which on it is refused."""

    from_name: str
    from_address: str
    reply_to: str | None = None
    domain: str = ""
    max_bytes: int = MAX_BYTES

    @classmethod
    def of(cls, sender: str, reply_to: str | None = None, *, max_bytes: int = MAX_BYTES) -> "Envelope":
        """The envelope of a broadcast, whose sender is `Name <local@domain>`. Raises Invalid for an address that cannot be used.

        >>> Envelope.of("News, Example <news@example.com>").from_name
        'News, Example'
        """
        name, address = split_mailbox(sender, "from_address")
        return cls(name, address, reply_to or None, max_bytes=max_bytes)


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted of a broadcast's mails: `clicks` on their links, and `opens`. `secret` is the broadcast's."""

    secret: str
    clicks: bool
    opens: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around the content of a broadcast's mails because of what it is for. `base` is the console's public address, without a slash
    at its end. Marketing mail says who sends it, and how to decline; important mail does not. Neither: nobody has said which it is.
    `list_name` names in a domain's name what can be declined together; `broadcast_id` is for those who look into a mail. `named_by` are
    headers by which relays name the mail in what they report: name, value with `{}` in it, and what is written for the dot of its mark.
    `counting` is None where nothing of the mails is counted.
    `brand` is what a body of the design view stands in, None where it stands alone."""

    base: str
    is_marketing: bool = False
    is_important: bool = False
    list_name: str = ""
    broadcast_id: int = 0
    business_name: str = ""
    postal_address: str = ""
    named_by: tuple[tuple[str, str, str], ...] = ()
    counting: Counting | None = None
    brand: BrandLook | None = None


NO_TOKEN = "0" * 44
"""Stands for a token in a preview or a test: it is that of no delivery, and opens nothing."""


class MailIdentity(NamedTuple):
    """What one mail has for itself: its delivery, the secret of its broadcast, the address as in RCPT TO, its Date (aware), and the tokens
    of its links."""

    delivery_id: int
    broadcast_secret: str
    address: str
    date: datetime
    unsubscribe_token: str = NO_TOKEN
    browser_token: str = NO_TOKEN
    click_token: str = NO_TOKEN
    open_token: str = NO_TOKEN


def split_mailbox(text: str, field: str) -> tuple[str, str]:
    """Name and usable address of `Name <local@domain>` or a bare address. Raises Invalid, naming `field`.

    One for replies must be ASCII: it stands in every mail, and would bar each from servers that know no other letters (RFC 6531).
    """
    name, bracket, rest = text.strip().rpartition("<")
    address = usable(rest.partition(">")[0] if bracket else text)
    if isinstance(address, Unusable):
        what = (
            "No sender is chosen."
            if field == "from_address" and not text.strip()
            else f"This address cannot be used: {address.problem}."
        )
        raise Invalid(what, field)
    if field == "reply_to" and not address.address.isascii():
        raise Invalid(f"This address cannot be used: {NO_REPLIES}.", field)
    return " ".join(name.split()).strip('"'), address.address


def mailbox_or_blank(text: str) -> tuple[str, str]:
    """Name and address of a sender, as far as there are any: what `split_mailbox` says, or blanks."""
    try:
        return split_mailbox(text, "from_address")
    except Invalid:
        return "", ""
