"""Content compiled once, mails rendered from it by the thousand.

>>> from datetime import datetime, UTC
>>> parts = MessageParts("Hello {{ first_name }}", "<p>Dear {{ full_name }}, …</p>")
>>> message = compile_message(parts, Envelope.of("Example <news@example.com>"))
>>> message.tags
('full_name', 'first_name')
>>> identity = MailIdentity(17, "secret", "zoe@example.net", datetime(2026, 11, 23, tzinfo=UTC))
>>> mail = message.render(["Zoë Hall", "Zoë"], identity)
>>> mail.split(b"\\r\\n")[1:3]
[b'To: =?utf-8?b?Wm/DqyBIYWxs?= <zoe@example.net>', b'Subject: =?utf-8?q?Hello_Zo=C3=AB?=']
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from webapp.core.errors import Invalid
from webapp.core.rules.message import headers
from webapp.core.rules.message.bodies import Body, Cells, compiled, line
from webapp.core.rules.message.brand_frame import branded, without_brand
from webapp.core.rules.message.document import finish
from webapp.core.rules.message.enclosures import Enclosed, Enclosure
from webapp.core.rules.message.link_counter import LinkCounter
from webapp.core.rules.message.loops import columns_of
from webapp.core.rules.message.own_links import framed
from webapp.core.rules.message.parts import (
    Envelope,
    Frame,
    MailIdentity,
    MessageParts,
    MessageTooLarge,
    RenderError,
    split_mailbox,
)
from webapp.core.rules.message.plain_text import text_of
from webapp.core.rules.message.preheader import with_preheader
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.names import LINK_NAMES, TOKENS
from webapp.core.rules.tags.nodes import POSITION, ROW, Nodes, loops_in, rows_key
from webapp.core.rules.tags.parser import keys_of, parse, trimmed
from webapp.core.rules.tags.unparse import source_of

MAX_CHARACTERS = 1_000_000
"""In a source. Mails that people read have a hundredth of it."""

MAX_HTML = 400_000
"""Characters of a source of HTML. Mail programs cut off what is longer than some 100,000, and reading more takes seconds."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CompiledMessage:
    """A broadcast's content, ready to be rendered. `tags` are the keys of the values that `render` takes, in their order; the first is
    always full_name, for the To header; the last is that of the services where there is a list of them. `tokens` names the tokens of a
    mail's identity that stand in it; `targets` has by their marks where its counted links lead; `is_branded`: a brand may stand around what
    was written. Holds no state of a mail, so threads may share it."""

    def __init__(
        self,
        subject: Nodes,
        bodies: Sequence[tuple[str, Nodes]],
        envelope: Envelope,
        frame: Frame | None = None,
        enclosed: Enclosed | None = None,
        language: str = "",
        targets: Mapping[str, Nodes] | None = None,
    ):
        targets = targets or {}
        keys = keys_of(subject, *(nodes for _, nodes in bodies), *targets.values())
        names = dict.fromkeys(("full_name", *(key for key in keys if not key.startswith((ROW, POSITION)))))
        self.targets = {mark: source_of(nodes) for mark, nodes in targets.items()}
        self.tags = tuple(name for name in names if name not in TOKENS)
        loops = [loop for _, nodes in bodies for loop in loops_in(nodes)]
        self.trees = {"subject": subject, **{kind.removeprefix("text/"): nodes for kind, nodes in bodies}}
        self.envelope = envelope
        self.is_branded = frame is not None and frame.brand is not None
        used = [name for name in TOKENS if name in names]
        order = (*self.tags, *used)
        self._tokens = [attrgetter(name) for name in used]
        self._has_rows = bool(loops)
        columns: Sequence[str] = ()
        if loops:
            key = rows_key(loops, keys)
            self.tags, columns = (*self.tags, key), columns_of(key)
        self._cells = Cells(order, columns)
        self._subject = line(subject, order)
        self._bodies: list[tuple[str, Body]] = []
        for kind, nodes in bodies:
            body = compiled(nodes, self._cells)
            self._bodies.append(
                (f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {body.encoding}\r\n\r\n", body)
            )
        self._domain = envelope.domain or envelope.from_address.rpartition("@")[2]
        self._from_is_ascii = envelope.from_address.isascii()
        self._from = headers.mailbox("From", envelope.from_name, envelope.from_address)
        self._reply_to = (
            headers.mailbox("Reply-To", *split_mailbox(envelope.reply_to, "reply_to")) if envelope.reply_to else ""
        )
        self._before_token, self._behind_token = headers.around(frame, self._domain) if frame else ("", "")
        self._named_by = headers.named_by(frame) if frame else []
        self.enclosed = enclosed or None
        self._room = envelope.max_bytes - (enclosed.size if enclosed else 0)
        self._language = headers.extra("Content-Language", language) if language else ""
        self.tokens = frozenset(used + (["unsubscribe_token"] if self._behind_token else []))

    def render(self, values: Sequence[str], identity: MailIdentity, extra: Sequence[tuple[str, str]] = ()) -> bytes:
        """The whole mail as it goes to the relay: CRLF line ends, ASCII only but for an address in the header that has no such form (in
        UTF-8 then: RFC 6532), no line that begins with a dot or is longer than 998 octets. Of a mail with enclosures this is what comes
        before its `tail`.

        `values` are those of `tags`, in their order; `extra` are further header fields, name and value. The same arguments give the
        same bytes. Raises RenderError where a value or the address cannot be written, MessageTooLarge.
        """
        if len(values) != len(self.tags):
            raise ValueError(f"{len(values)} values for {len(self.tags)} tags")
        try:
            rows = ""
            if self._has_rows:
                values, rows = values[:-1], values[-1]
            if self._tokens:
                values = [*values, *[token(identity) for token in self._tokens]]
            values, cells = self._cells.of(values)
            if rows:
                values = [*values, rows]
            message_id = headers.message_id(identity.delivery_id, identity.broadcast_secret, self._domain)
            out = [
                self._from,
                headers.mailbox("To", values[0], identity.address),
                self._reply_to,
                headers.unstructured("Subject", self._subject(values)),
                "Date: ",
                headers.date(identity.date),
                "\r\nMessage-ID: <",
                message_id,
                ">\r\nMIME-Version: 1.0\r\n",
            ]
            if self._before_token:
                mark = message_id[: -len(self._domain) - 1]
                out += (headers.SUPPORT_ID, ": ", mark, "\r\n", self._before_token)
                if self._behind_token:
                    out += (identity.unsubscribe_token, self._behind_token)
            if self._named_by:
                mark = message_id[: -len(self._domain) - 1]
                for before, behind, dot in self._named_by:
                    out += (before, mark.replace(".", dot), behind)
            if self._language:
                out.append(self._language)
            if extra:
                out += [headers.extra(name, value) for name, value in extra]
            if self.enclosed is not None:
                self.enclosed.begin(out, identity.broadcast_secret, self._bodies, cells, values)
            elif len(self._bodies) == 1:
                head, body = self._bodies[0]
                out.append(head)
                body.append_to(out, cells, values)
            else:
                boundary = headers.boundary(identity.broadcast_secret)
                out += ('Content-Type: multipart/alternative; boundary="', boundary, '"\r\n')
                for head, body in self._bodies:
                    out += ("\r\n--", boundary, "\r\n", head)
                    body.append_to(out, cells, values)
                out += ("\r\n--", boundary, "--\r\n")
            mail = "".join(out).encode("ascii" if self._from_is_ascii and identity.address.isascii() else "utf-8")
        except UnicodeEncodeError as error:
            raise RenderError(self._culprit(values) or f"This mail cannot be written: {error.reason}.") from None
        except ValueError as error:
            raise RenderError(f"This mail cannot be written: {error}.") from None
        if len(mail) > self._room:
            most = self.envelope.max_bytes
            raise MessageTooLarge(len(mail) + most - self._room, most)
        return mail

    def tail(self, secret: str, own: Sequence[Enclosure] = ()) -> tuple[bytes, ...]:
        """What follows after that which `render` makes, in each mail of the broadcast with that secret: buffers to be written one after
        the other, none without enclosures. `own` are files of this one recipient."""
        if self.enclosed is None:
            return ()
        return self.enclosed.tail(secret, own, has_html=len(self._bodies) > 1)

    def _culprit(self, values: Sequence[str]) -> str | None:
        for name, value in zip(self.tags, values, strict=False):
            if any("\ud800" <= character <= "\udfff" for character in value):
                return f"The value of {name} holds half of a character that takes two places, which no mail can carry."
        return None


def compile_message(
    parts: MessageParts, envelope: Envelope, frame: Frame | None = None, enclosed: Enclosed | None = None
) -> CompiledMessage:
    """Compile the content of a broadcast. Raises Invalid, naming the field, for tags with problems and for a sender or reply address that
    cannot be used; MessageTooLarge where the content alone is too much.

    HTML is made harmless and its styles inline; where `parts.text` is None, the text part is derived from it. Where `parts.html` is
    blank, the mail has only the text part. `frame` is what the mails have around them; without one they have no links of their own.
    `enclosed` are the pictures and files that all mails carry.
    """
    parts = framed(branded(parts, frame), frame) if frame else without_brand(parts)
    parts = with_preheader(parts)
    counting = LinkCounter(frame.counting, frame.base) if frame and frame.counting else None
    subject = _source(parts.subject, "subject")
    trees: list[tuple[str, Nodes]] = []
    subject_nodes = parse(subject, field="subject")
    if parts.html.strip():
        tokens = list(lexer.tokens(subject, is_html=False))
        document = finish(
            _source(parts.html, "html"),
            title=trimmed(subject, tokens, whole_lines=False),
            language=parts.language,
            counting=counting,
        )
        text = text_of(document) if parts.text is None else parse(_source(parts.text, "text"), field="text")
        trees = [("text/plain", text), ("text/html", document.nodes)]
    else:
        trees = [("text/plain", parse(_source(parts.text or "", "text"), field="text"))]
    if counting:
        kind, text = trees[0]
        trees[0] = kind, counting.in_text(text)
    try:
        targets = counting.targets if counting else None
        message = CompiledMessage(subject_nodes, trees, envelope, frame, enclosed, parts.language, targets)
    except ValueError as error:
        raise Invalid(f"The sender cannot be used: {error}.", "from_address") from None
    if lost := LINK_NAMES.intersection(message.tags):
        raise Invalid(f"There is nothing to which {{{{ {min(lost)} }}}} could lead.", "html")
    message.render(
        [""] * len(message.tags), MailIdentity(0, "", "nobody@example.com", datetime(2000, 1, 1, tzinfo=UTC))
    )
    return message


def _source(text: str, field: str) -> str:
    """The source with \\n as line ends and without control characters. Raises Invalid where it is too long or cannot be written."""
    most = MAX_HTML if field == "html" else MAX_CHARACTERS
    if len(text) > most:
        raise Invalid(f"This has {len(text):,} characters. The most that can be sent is {most:,}.", field)
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(
            "There is half of a character in this text, which no mail can carry. Please write it anew.", field
        ) from None
    return " ".join(text.split()) if field == "subject" else text
