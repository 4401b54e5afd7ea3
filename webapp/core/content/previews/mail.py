"""A draft as one recipient would get it, taken from the very bytes that would be sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.broadcasts import review
from webapp.core.content import tag_catalogue
from webapp.core.content.previews.people import Person
from webapp.core.errors import DomainError
from webapp.core.rules import message, tags
from webapp.core.rules.message import CompiledMessage, Envelope, MessageParts, Stamp, compile_message
from webapp.core.rules.tags import TagProblem
from webapp.core.rules.tags.unparse import source_of
from webapp.core.tables.broadcasts import Broadcast

PREVIEW_ID = 0
"""Stands for the delivery's id in a mail that belongs to none: a preview or a test."""

EXAMPLE_ADDRESS = tags.BY_NAME["email"].example


@dataclass(frozen=True, slots=True)
class Preview:
    """`mail` is what a mail program shows, None where the draft cannot become a mail: then `problems` or `error` say why; or nothing is
    written yet (`blank`). `derived_text` is the text part made from the body, with its tags; "" where there is none."""

    mail: message.Preview | None
    problems: tuple[TagProblem, ...] = ()
    error: str | None = None
    derived_text: str = ""
    blank: bool = False

    def header(self, name: str) -> str:
        """A field of the mail's head, decoded; "" if there is none."""
        fields = self.mail.headers if self.mail else ()
        return next((value for field, value in fields if field.lower() == name.lower()), "")


def preview(session: Session, broadcast: Broadcast, person: Person | None, now: datetime) -> Preview:
    """The draft as this recipient would get it; with example values for None. Never raises for what a person has written."""
    problems = tuple(review.content_problems(broadcast))
    content = broadcast.content
    if not (content.subject.strip() or content.html.strip() or (content.text or "").strip()):
        return Preview(None, problems, blank=True)
    if any(problem.blocking for problem in problems):
        return Preview(None, problems)
    try:
        found = compiled(broadcast)
        mail = message.preview(found, *_filled(session, broadcast, found, person, now))
        return Preview(mail, problems, derived_text=_derived(broadcast, found))
    except DomainError as error:
        return Preview(None, problems, str(error))


def render(session: Session, broadcast: Broadcast, person: Person | None, now: datetime, address: str) -> bytes:
    """The mail as it would be sent to this recipient, but to `address`. Raises DomainError where it cannot be made."""
    found = compiled(broadcast)
    values, stamp = _filled(session, broadcast, found, person, now)
    return found.render(values, Stamp(stamp.delivery_id, stamp.broadcast_secret, address, stamp.date))


def compiled(broadcast: Broadcast) -> CompiledMessage:
    """The draft's message. Raises DomainError for content or an envelope that cannot be used."""
    content = broadcast.content
    parts = MessageParts(content.subject, content.html, content.text)
    return compile_message(parts, Envelope.of(broadcast.from_address, broadcast.reply_to))


def _filled(
    session: Session, broadcast: Broadcast, found: CompiledMessage, person: Person | None, now: datetime
) -> tuple[list[str], Stamp]:
    """The values of the tags and the stamp for a recipient; examples for None."""
    if person is None:
        values = [tags.BY_NAME[name].example for name in found.tags]
        return values, Stamp(PREVIEW_ID, broadcast.secret, EXAMPLE_ADDRESS, now)
    row = (person.client_id, person.service_id, person.addon_assignment_id)
    values = tag_catalogue.load_values(session, [row], found.tags, broadcast=broadcast, now=now)[0]
    return values, Stamp(PREVIEW_ID, broadcast.secret, person.address, now)


def _derived(broadcast: Broadcast, found: CompiledMessage) -> str:
    if broadcast.content.text is not None:
        content = broadcast.content
        parts = MessageParts(content.subject, content.html)
        found = compile_message(parts, Envelope.of(broadcast.from_address))
    return source_of(found.trees["plain"]) if broadcast.content.html.strip() else ""
