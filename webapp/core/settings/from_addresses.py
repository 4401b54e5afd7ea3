"""The senders a broadcast may use: a short list that administrators keep."""

from collections.abc import Sequence

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid, NotFound
from webapp.core.rules.consent import Purpose
from webapp.core.tables.broadcasts import FromAddress


def listing(session: Session) -> Sequence[FromAddress]:
    """All senders, the default one first."""
    return session.scalars(select(FromAddress).order_by(FromAddress.is_default.desc(), FromAddress.address)).all()


def as_header(sender: FromAddress) -> str:
    """`Name <local@domain>` in readable form (the name is encoded when the mail is made)."""
    return f"{sender.name} <{sender.address}>" if sender.name else sender.address


def is_listed(session: Session, header: str) -> bool:
    """Whether a broadcast's sender, as `Name <address>`, is one of the list, with the very name it has there."""
    return any(as_header(sender) == header for sender in listing(session))


def default(session: Session, purpose: Purpose | None = None) -> str:
    """The default sender as `Name <address>`, that of marketing for marketing where there is one; "" when none is configured."""
    order = [FromAddress.is_default.desc(), FromAddress.id]
    if purpose is Purpose.MARKETING:
        order.insert(0, FromAddress.is_for_marketing.desc())
    first = session.scalar(select(FromAddress).order_by(*order).limit(1))
    return as_header(first) if first else ""


def add(session: Session, name: str, address: str) -> FromAddress:
    """A new sender; the first becomes the default. Raises Invalid for an address that cannot be used or is listed."""
    name = " ".join(name.split())
    if any(character in name for character in '<>"'):
        raise Invalid('Leave out < > and " in the name.', "name")
    try:
        address = validate_email(address.strip(), check_deliverability=False, allow_smtputf8=False).ascii_email or ""
    except EmailNotValidError as error:
        raise Invalid(f"This address cannot be used: {error}", "address") from None
    existing = listing(session)
    if any(sender.address.lower() == address.lower() for sender in existing):
        raise Invalid(f"{address} is already in the list.", "address")
    sender = FromAddress(name=name[:200], address=address, is_default=not existing)
    session.add(sender)
    session.flush()
    return sender


def make_default(session: Session, sender_id: int) -> FromAddress:
    sender = _get(session, sender_id)
    session.execute(update(FromAddress).values(is_default=FromAddress.id == sender_id))
    return sender


def use_for_marketing(session: Session, sender_id: int, wanted: bool) -> FromAddress:
    """Have marketing come from this sender, unless somebody chooses another; or not any more."""
    sender = _get(session, sender_id)
    session.execute(update(FromAddress).values(is_for_marketing=(FromAddress.id == sender_id) & wanted))
    return sender


def remove(session: Session, sender_id: int) -> FromAddress:
    """Take a sender off the list. Drafts that use it need another; broadcasts that were created keep it. If it was the default, the oldest
    other becomes it."""
    sender = _get(session, sender_id)
    session.delete(sender)
    session.flush()
    if sender.is_default and (heir := session.scalar(select(FromAddress).order_by(FromAddress.id).limit(1))):
        heir.is_default = True
    return sender


def _get(session: Session, sender_id: int) -> FromAddress:
    sender = session.get(FromAddress, sender_id)
    if sender is None:
        raise NotFound("This sender is not in the list any more.")
    return sender
