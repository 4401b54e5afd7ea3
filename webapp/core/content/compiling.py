"""From a broadcast's content and the values of its tags to a mail: the one way, whoever wants it for whatever recipient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.core.ports import Mail
from webapp.core.rules.message import CompiledMessage, Envelope, MessageParts, Stamp, compile_message
from webapp.core.rules.tags.unparse import source_of
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class CompiledContent:
    """A broadcast's content, ready to become mails. `tags` names the values that `mail` takes, in their order. Holds no state of a mail, so
    threads may share it."""

    message: CompiledMessage
    tags: tuple[str, ...]
    mail_from: str
    secret: str

    def mail(self, delivery_id: int, address: str, date: datetime, values: Sequence[str]) -> Mail:
        """The mail of a delivery to `address`, with `date` (aware) in its head: the same bytes each time. Raises DomainError where a value
        or the address cannot be written."""
        stamp = Stamp(delivery_id, self.secret, address, date)
        return Mail(delivery_id, self.mail_from, address, self.message.render(values, stamp))


def compiled(broadcast: Broadcast) -> CompiledContent:
    """The broadcast's content as it stands. Raises DomainError for content or an envelope that cannot be used."""
    content = broadcast.content
    parts = MessageParts(content.subject, content.html, content.text)
    message = compile_message(parts, Envelope.of(broadcast.from_address, broadcast.reply_to))
    return CompiledContent(message, message.tags, message.envelope.from_address, broadcast.secret)


def text_of_body(broadcast: Broadcast, found: CompiledContent) -> str:
    """The plain text that is made from the body, with its tags; "" where there is no body. `found` is its compiled content."""
    content = broadcast.content
    if not content.html.strip():
        return ""
    message = found.message
    if content.text is not None:  # written by hand, and this is what would be there instead
        parts = MessageParts(content.subject, content.html)
        message = compile_message(parts, Envelope.of(broadcast.from_address))
    return source_of(message.trees["plain"])
