"""Why a client must not get a mail, in a sentence: what they declined, or why their address is suppressed."""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from webapp.core.consent import bars, settings
from webapp.core.rules.address_hashes import address_hash
from webapp.core.rules.consent import EUROPE, SuppressionKind
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import Suppression, Topic, TopicOptOut

_OF_KINDS = {
    SuppressionKind.UNSUBSCRIBED: "its owner unsubscribed",
    SuppressionKind.BOUNCED: "mail to it came back",
    SuppressionKind.COMPLAINED: "its owner complained about mail",
    SuppressionKind.BY_HAND: "by hand",
    SuppressionKind.IMPORTED: "imported",
}


def why_declined(session: Session, client: Client, topic_id: int | None) -> str:
    """By which choice marketing is declined."""
    if row := _suppression(session, client, bars.UNSUBSCRIBED):
        return f"Declined all marketing on {_day(row)}{_own(row)}."
    if topic_id is not None and _has_declined(session, client, topic_id):
        name = session.scalar(select(Topic.name).where(Topic.id == topic_id))
        return f"Declined the topic “{name}”."
    if client.marketing_opt_in is False:
        return "Declined marketing: the client’s own data say so."
    said_no = select(Client.number).where(
        Client.address_key == client.address_key, Client.marketing_opt_in.is_(False), Client.id != client.id
    )
    if number := session.scalar(said_no.order_by(Client.id).limit(1)):
        return f"Client {number} with the same address declined marketing."
    where = " in Europe" if client.country in EUROPE else ""
    return f"It is not known whether this client wants marketing, and that counts as no{where}."


def why_suppressed(session: Session, client: Client, *, is_marketing: bool) -> str:
    """Why the address must not be mailed."""
    condition: ColumnElement[bool] = or_(bars.FOR_ALL, bars.FOR_MARKETING) if is_marketing else bars.FOR_ALL
    row = _suppression(session, client, condition)
    if row is None:
        return f"The address {client.address} is suppressed."
    only = "" if row.scope == "everything" else " for marketing"
    return f"The address {client.address} is suppressed{only} since {_day(row)}: {_OF_KINDS[row.kind]}{_own(row)}."


def _forms(session: Session, client: Client) -> tuple[str, str]:
    key = client.address_key or ""
    return key, address_hash(settings.read(session).hash_key, key)


def _suppression(session: Session, client: Client, condition: ColumnElement[bool]) -> Suppression | None:
    rows = select(Suppression).where(Suppression.address_key.in_(_forms(session, client)), condition)
    return session.scalar(rows.order_by(Suppression.created_at).limit(1))


def _has_declined(session: Session, client: Client, topic_id: int) -> bool:
    rows = select(TopicOptOut).where(
        TopicOptOut.address_key.in_(_forms(session, client)), TopicOptOut.topic_id == topic_id
    )
    return session.scalar(rows.limit(1)) is not None


def _day(row: Suppression) -> str:
    return f"{row.created_at:%Y-%m-%d}"


def _own(row: Suppression) -> str:
    """The reason that somebody gave."""
    return f" ({row.reason})" if row.reason else ""
