"""A mail decoded for showing, from the very bytes that are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.policy import compat32

from webapp.core.rules.encoded_words import readable
from webapp.core.rules.message.compile import CompiledMessage
from webapp.core.rules.message.parts import MailIdentity


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recipient sees. `html` is None in a mail of text only; `headers` are all fields in order, decoded; `size` counts octets."""

    subject: str
    html: str | None
    text: str
    headers: tuple[tuple[str, str], ...]
    size: int


def preview(
    message: CompiledMessage, values: Sequence[str], identity: MailIdentity, extra: Sequence[tuple[str, str]] = ()
) -> Preview:
    """The mail as it would be sent with these values. Raises what `CompiledMessage.render` raises."""
    return decoded(message.render(values, identity, extra))


def decoded(mail: bytes, size: int | None = None) -> Preview:
    """A mail of ours, decoded. `mail` may lack what follows after its text; `size` is then that of all of it, in octets."""
    found = message_from_string(mail.decode(), policy=compat32)
    parts = {part.get_content_type(): part for part in found.walk() if not part.is_multipart()}
    return Preview(
        subject=readable(found["Subject"] or ""),
        html=_content(parts["text/html"]) if "text/html" in parts else None,
        text=_content(parts["text/plain"]),
        headers=tuple((name, readable(value)) for name, value in found.items()),
        size=len(mail) if size is None else size,
    )


def _content(part: Message) -> str:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode().replace("\r\n", "\n")
