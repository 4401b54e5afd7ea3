"""From a broadcast's content and the values of its tags to a mail: the one way, whoever wants it for whatever recipient."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session, object_session

from webapp.core.content.fields import sources
from webapp.core.content.framing import OwnTokens, frame_of, tokens_of
from webapp.core.content.languages import content_of
from webapp.core.content.return_paths import maker
from webapp.core.media import enclosing
from webapp.core.ports import Mail
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.message import (
    CompiledMessage,
    Counting,
    Enclosure,
    Envelope,
    Frame,
    MailIdentity,
    MessageParts,
    compile_message,
)
from webapp.core.rules.message.own_links import as_tags
from webapp.core.rules.message.parts import MAX_BYTES, NO_TOKEN
from webapp.core.rules.message.pattern_links import written_out
from webapp.core.rules.tags.unparse import source_of
from webapp.core.settings import tag_links
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import client_of


@dataclass(frozen=True, slots=True)
class CompiledContent:
    """A broadcast's content, ready to become mails. `tags` names the values that `mail` takes, in their order; `own` makes the tokens of
    the mails' own links, None where they have none or belong to no delivery; `return_path` makes their return paths, None where that is
    `mail_from`; `own_of` finds the files of single recipients, None where nobody gets one. `others` are the broadcast's other texts by
    language. Threads may share it."""

    message: CompiledMessage
    tags: tuple[str, ...]
    mail_from: str
    secret: str
    own: OwnTokens | None = None
    return_path: Callable[[int], str] | None = None
    own_of: enclosing.OwnOf | None = None
    others: Mapping[str, "CompiledContent"] = field(default_factory=dict)

    def tags_of(self, language: str) -> tuple[str, ...]:
        """The tags of the text in this language; "" for the main one."""
        return self.others[language].tags if language else self.tags

    def mail(
        self,
        delivery_id: int,
        address: str,
        date: datetime,
        values: Sequence[str],
        client_id: int | None = None,
        *,
        language: str = "",
    ) -> Mail:
        """The mail of a delivery to `address`, with `date` (aware) in its head and the text in this language: the same bytes each time.
        `client_id` says whose own files it carries where there is no delivery. Raises DomainError where a value or the address cannot be
        written."""
        if language:
            return self.others[language].mail(delivery_id, address, date, values, client_id)
        own = self.own
        if own is None:
            identity = MailIdentity(delivery_id, self.secret, address, date)
        else:
            used = self.message.tokens
            identity = MailIdentity(
                delivery_id,
                self.secret,
                address,
                date,
                own.unsubscribe.of(delivery_id),
                own.browser.of(delivery_id) if "browser_token" in used else NO_TOKEN,
                own.click.of(delivery_id) if "click_token" in used else NO_TOKEN,
                own.open.of(delivery_id) if "open_token" in used else NO_TOKEN,
            )
        mail_from = self.mail_from if self.return_path is None else self.return_path(delivery_id)
        data = self.message.render(values, identity)
        if self.message.enclosed is None:
            return Mail(delivery_id, mail_from, address, data)
        whose = client_id if client_id is not None else client_of(delivery_id)
        own_files = self._own_files(whose, is_to_leave=delivery_id != 0)
        return Mail(delivery_id, mail_from, address, data, self.message.tail(self.secret, own_files))

    def files_of(self, client_id: int) -> tuple[Enclosure, ...]:
        """The attachments of the mail to a client (0: to nobody in particular)."""
        if self.message.enclosed is None:
            return ()
        return (*self.message.enclosed.files, *self._own_files(client_id, is_to_leave=False))

    def _own_files(self, client_id: int, *, is_to_leave: bool) -> Sequence[Enclosure]:
        return self.own_of(client_id, is_to_leave) if self.own_of is not None and client_id else ()


def all_compiled(
    session: Session, broadcast: Broadcast, public_url: str, return_path: ReturnPath | None = None
) -> CompiledContent:
    """The broadcast's main text with all its others. Raises as `compiled` does, which see."""
    main = compiled(session, broadcast, public_url, return_path)
    languages = broadcast.other_languages.split()
    if not languages:
        return main
    others = {one: compiled(session, broadcast, public_url, return_path, language=one) for one in languages}
    return replace(main, others=others)


Amend = Callable[[MessageParts], MessageParts]
"""What a preview or a test adds to what was composed."""


def compiled(
    session: Session,
    broadcast: Broadcast,
    public_url: str,
    return_path: ReturnPath | None = None,
    *,
    language: str = "",
    counting: bool = True,
    amend: Amend | None = None,
) -> CompiledContent:
    """The broadcast's text in a language as it stands, or as `amend` makes it; "" for the main one. `public_url` is the console's address
    as recipients reach it; `return_path` is what return paths look like, None where they are the sender's address. Without `counting`
    nothing of the mails is counted, whatever was chosen. Raises DomainError for content or an envelope that cannot be used."""
    content = content_of(broadcast, language)
    written_in = language or broadcast.main_language
    parts = MessageParts(content.subject, content.html, content.text, written_in, content.preheader)
    parts = written_out(parts, tag_links.known_of(session, broadcast, sources(content)))
    parts = amend(parts) if amend else parts
    frame = frame_of(session, broadcast, public_url)
    frame = replace(frame, counting=_counting(frame, language) if counting else None)
    enclosed = enclosing.enclosed(session, content)
    envelope = Envelope.of(broadcast.from_address, broadcast.reply_to, max_bytes=MAX_BYTES + enclosed.size)
    message = compile_message(parts, envelope, frame, enclosed)
    own = tokens_of(session, broadcast) if message.tokens else None
    sender, back = message.envelope.from_address, maker(session, broadcast, return_path)
    own_of = enclosing.own_of(session, content)
    return CompiledContent(message, message.tags, sender, broadcast.secret, own, back, own_of)


def _counting(frame: Frame, language: str) -> Counting | None:
    """How the links of the text in this language are counted. Each text has marks of its own, as each has its own values."""
    counting = frame.counting
    return counting and (replace(counting, secret=f"{counting.secret} {language}") if language else counting)


def text_of_body(broadcast: Broadcast, found: CompiledContent, language: str = "") -> str:
    """The plain text that is made from the body, with its tags and without what stands around it; "" where there is no body. `found` is its
    compiled content."""
    content = content_of(broadcast, language)
    if not content.html.strip():
        return ""
    message = found.message
    if content.text is None and not message.tokens and not message.is_branded:
        return source_of(message.trees["plain"])
    session = object_session(broadcast)
    links = tag_links.known_of(session, broadcast, {"html": content.html}) if session else {}
    # Written by hand, and this is what would be there instead; or there is more in it than was written.
    parts = written_out(MessageParts("", content.html), links)
    message = compile_message(parts, Envelope.of(broadcast.from_address), Frame(_NOWHERE))
    return as_tags(source_of(message.trees["plain"]), _NOWHERE)


_NOWHERE = "https://own.invalid"
"""Stands for the public address where it is taken out again."""
