"""What a message must have before it can be sent: decided here and in these words, whoever asks."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from webapp.core.audience import language_name
from webapp.core.content.languages import content_of
from webapp.core.rules import fills
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that no broadcast can go without: the field it belongs to, and a whole sentence. `language` is that of the text that lacks
    it, "" for the main one."""

    field: str
    message: str
    language: str = ""


def missing(broadcast: Broadcast) -> list[Missing]:
    """What the message lacks, in the order in which a person writes it; then what its texts in other languages lack."""
    found = _of_text(broadcast, "")
    for language in broadcast.other_languages.split():
        name = language_name(language)
        lacks = _of_text(broadcast, language)
        found += [
            replace(one, message=f"{name}: {one.message[0].lower()}{one.message[1:]}", language=language)
            for one in lacks
        ]
    return found


def _of_text(broadcast: Broadcast, language: str) -> list[Missing]:
    content, found = content_of(broadcast, language), []
    if not broadcast.from_address and not language:
        found.append(Missing("from_address", "No sender is chosen."))
    if not content.subject.strip():
        found.append(Missing("subject", "The subject is empty."))
    if not content.html.strip() and not (content.text or "").strip():
        found.append(Missing("html", "The mail has no text."))
    if parts := fills.prompts(content.html):
        more = f", and {len(parts) - 1} more" if len(parts) > 1 else ""
        found.append(Missing("html", f"A part of the template is not filled in: “{parts[0][:80]}”{more}."))
    return found


def unlisted_sender(session: Session, broadcast: Broadcast) -> Missing | None:
    """That the chosen sender is not one of the list (any more); None where it is, and where none is chosen."""
    if not broadcast.from_address or from_addresses.is_listed(session, broadcast.from_address):
        return None
    return Missing("from_address", f"{broadcast.from_address} is not in the list of senders. Choose one that is.")
