"""What a message must have before it can be sent: decided here and in these words, whoever asks."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core.rules import fills
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that no broadcast can go without: the field it belongs to, and a whole sentence."""

    field: str
    message: str


def missing(broadcast: Broadcast) -> list[Missing]:
    """What the message lacks, in the order in which a person writes it."""
    content, found = broadcast.content, []
    if not broadcast.from_address:
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
