"""From a broadcast's content and the values of its tags to a mail: the one way, whoever wants it for whatever recipient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.content.framing import OwnTokens, frame_of, tokens_of
from webapp.core.content.return_paths import maker
from webapp.core.ports import Mail
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.message import CompiledMessage, Envelope, Frame, MailIdentity, MessageParts, compile_message
from webapp.core.rules.message.own_links import as_tags
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.rules.tags.unparse import source_of
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class CompiledContent:
    """A broadcast's content, ready to become mails. `tags` names the values that `mail` takes, in their order; `own` makes the tokens of
    the mails' own links, None where they have none or belong to no delivery; `return_path` makes their return paths, None where that is
    `mail_from`. Threads may share it."""

    message: CompiledMessage
    tags: tuple[str, ...]
    mail_from: str
    secret: str
    own: OwnTokens | None = None
    return_path: Callable[[int], str] | None = None

    def mail(self, delivery_id: int, address: str, date: datetime, values: Sequence[str]) -> Mail:
        """The mail of a delivery to `address`, with `date` (aware) in its head: the same bytes each time. Raises DomainError where a value
        or the address cannot be written."""
        own = self.own
        if own is None:
            identity = MailIdentity(delivery_id, self.secret, address, date)
        else:
            browser = own.browser.of(delivery_id) if "browser_token" in self.message.tokens else NO_TOKEN
            identity = MailIdentity(delivery_id, self.secret, address, date, own.unsubscribe.of(delivery_id), browser)
        mail_from = self.mail_from if self.return_path is None else self.return_path(delivery_id)
        return Mail(delivery_id, mail_from, address, self.message.render(values, identity))


Amend = Callable[[MessageParts], MessageParts]
"""What a preview or a test adds to what was composed."""


def compiled(
    session: Session,
    broadcast: Broadcast,
    public_url: str,
    return_path: ReturnPath | None = None,
    *,
    amend: Amend | None = None,
) -> CompiledContent:
    """The broadcast's content as it stands, or as `amend` makes it. `public_url` is the console's address as recipients reach it;
    `return_path` is what return paths look like, None where they are the sender's address. Raises DomainError for content or an envelope
    that cannot be used."""
    content = broadcast.content
    parts = MessageParts(content.subject, content.html, content.text, preheader=content.preheader)
    parts = amend(parts) if amend else parts
    frame = frame_of(session, broadcast, public_url)
    message = compile_message(parts, Envelope.of(broadcast.from_address, broadcast.reply_to), frame)
    own = tokens_of(session, broadcast) if message.tokens else None
    sender, back = message.envelope.from_address, maker(session, broadcast, return_path)
    return CompiledContent(message, message.tags, sender, broadcast.secret, own, back)


def text_of_body(broadcast: Broadcast, found: CompiledContent) -> str:
    """The plain text that is made from the body, with its tags and without what stands around it; "" where there is no body. `found` is its
    compiled content."""
    content = broadcast.content
    if not content.html.strip():
        return ""
    message = found.message
    if content.text is None and not message.tokens:
        return source_of(message.trees["plain"])
    # Written by hand, and this is what would be there instead; or there is more in it than was written.
    parts = MessageParts(content.subject, content.html)
    message = compile_message(parts, Envelope.of(broadcast.from_address), Frame(_NOWHERE))
    return as_tags(source_of(message.trees["plain"]), _NOWHERE)


_NOWHERE = "https://own.invalid"
"""Stands for the public address where it is taken out again."""
