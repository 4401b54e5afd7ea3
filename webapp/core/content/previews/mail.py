"""A draft as one recipient would get it, taken from the very bytes that would be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from sqlalchemy.orm import Session

from webapp.core.content import problems, tag_catalogue
from webapp.core.content.compiling import Amend, CompiledContent, compiled, text_of_body
from webapp.core.content.fields import is_blank
from webapp.core.content.languages import content_of
from webapp.core.content.previews.people import PreviewRecipient
from webapp.core.errors import DomainError
from webapp.core.ports import Mail
from webapp.core.rules import message, tags
from webapp.core.rules.languages import MAIN
from webapp.core.rules.preflight import inbox
from webapp.core.rules.preflight.inbox import InboxLine
from webapp.core.rules.tags import TagProblem
from webapp.core.tables.broadcasts import Broadcast

NO_DELIVERY = 0
"""Stands for the delivery's id in a mail that belongs to none: a preview or a test."""

EXAMPLE_ADDRESS = tags.BY_NAME["email"].example


@dataclass(frozen=True, slots=True)
class DraftPreview:
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

    @property
    def inbox(self) -> list[InboxLine]:
        """The mail in the lists of three mail programs."""
        if self.mail is None:
            return []
        name, address = parseaddr(self.header("From"))
        begins = inbox.beginning(self.mail.html, self.mail.text)
        return inbox.lines(name or address, self.mail.subject, begins)


def preview(
    session: Session,
    broadcast: Broadcast,
    person: PreviewRecipient | None,
    now: datetime,
    public_url: str,
    *,
    amend: Amend | None = None,
    text: str | None = None,
) -> DraftPreview:
    """The draft as this recipient would get it; with example values for None. `public_url` is the console's address as recipients reach it;
    `amend` is what the preview adds to what was composed. `text` is the language of the text to show, left out that of the one which this
    recipient gets. Never raises for what a person has written."""
    text = _text_for(person) if text is None else text
    found = tuple(problems.of_message(broadcast, text))
    if is_blank(content_of(broadcast, text)):
        return DraftPreview(None, found, blank=True)
    if any(problem.blocking for problem in found):
        return DraftPreview(None, found)
    try:
        content = compiled(session, broadcast, public_url, language=text, amend=amend)
        address = person.address if person else EXAMPLE_ADDRESS
        mail = _mail(session, broadcast, content, person, now, address, text)
        derived = text_of_body(broadcast, content, text)
        return DraftPreview(message.decoded(mail.data, mail.size), found, derived_text=derived)
    except DomainError as error:
        return DraftPreview(None, found, str(error))


def mails(
    session: Session,
    broadcast: Broadcast,
    person: PreviewRecipient | None,
    now: datetime,
    addresses: Sequence[str],
    public_url: str,
    *,
    amend: Amend | None = None,
    text: str | None = None,
) -> list[Mail]:
    """The mail as it would be sent to this recipient, or as `amend` makes it, once to each of `addresses`; `text` as in `preview`. Raises
    DomainError where it cannot be made."""
    text = _text_for(person) if text is None else text
    content = compiled(session, broadcast, public_url, language=text, amend=amend)
    return [_mail(session, broadcast, content, person, now, address, text) for address in addresses]


def _text_for(person: PreviewRecipient | None) -> str:
    return person.text if person else MAIN


def _mail(
    session: Session,
    broadcast: Broadcast,
    content: CompiledContent,
    person: PreviewRecipient | None,
    now: datetime,
    address: str,
    text: str,
) -> Mail:
    if person is None:
        values: Sequence[str] = [tag_catalogue.example(key) for key in content.tags]
    else:
        row = (person.client_id, person.service_id, person.addon_assignment_id)
        values = tag_catalogue.load_values(session, [row], content.tags, broadcast=broadcast, now=now, language=text)[0]
    return content.mail(NO_DELIVERY, address, now, values, person.client_id if person else None)
