"""A mail decoded for showing, from the very bytes that are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from webapp.core.rules.message.compile import CompiledMessage
from webapp.core.rules.message.parts import Stamp


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recipient sees. `html` is None in a mail of text only; `headers` are all fields in order, decoded; `size` counts octets."""

    subject: str
    html: str | None
    text: str
    headers: tuple[tuple[str, str], ...]
    size: int


def preview(
    message: CompiledMessage, values: Sequence[str], stamp: Stamp, extra: Sequence[tuple[str, str]] = ()
) -> Preview:
    """The mail as it would be sent with these values. Raises what `CompiledMessage.render` raises."""
    return decoded(message.render(values, stamp, extra))


def decoded(mail: bytes) -> Preview:
    """A mail of ours, decoded."""
    found = message_from_bytes(mail, _class=EmailMessage, policy=SMTP)  # type: ignore[call-overload]  # the stubs miss this form
    html, text = found.get_body(("html",)), found.get_body(("plain",))
    return Preview(
        subject=str(found["Subject"] or ""),
        html=html.get_content().replace("\r\n", "\n") if html else None,
        text=text.get_content().replace("\r\n", "\n") if text else "",
        headers=tuple((name, str(value)) for name, value in found.items()),
        size=len(mail),
    )
