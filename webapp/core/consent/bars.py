"""What bars an address from a mail, as conditions of a query: the one place that says it for the list of recipients, the copy in memory and
the freeze. `core/ledger/bars.py` says the same in the words of the claim."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from webapp.core.rules.consent import EUROPE, SuppressionKind, SuppressionScope
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import ConsentSettings, Suppression, TopicOptOut

AddressKey = InstrumentedAttribute[str | None] | ColumnElement[Any]

FOR_ALL = Suppression.scope == SuppressionScope.EVERYTHING
"""Bars an address from every mail."""

UNSUBSCRIBED = and_(Suppression.kind == SuppressionKind.UNSUBSCRIBED, Suppression.scope == SuppressionScope.MARKETING)
"""Declines all marketing."""

FOR_MARKETING = and_(Suppression.scope == SuppressionScope.MARKETING, Suppression.kind != SuppressionKind.UNSUBSCRIBED)
"""Bars an address from marketing, without its owner having declined it."""


def declined(client: type[Client], topic_id: int | None) -> ColumnElement[bool]:
    """Whether marketing about a topic is declined: by the owner of the address, by the choice that any client with this address has made,
    or since the choice is not known and counts as no."""
    other = aliased(Client, name="n")
    said_no = exists().where(other.address_key == client.address_key, other.marketing_opt_in.is_(False))
    unknown_is_out = case(
        (client.country.in_(EUROPE), ~_setting(ConsentSettings.unknown_is_in_europe)),
        else_=~_setting(ConsentSettings.unknown_is_in),
    )
    ways = [
        client.marketing_opt_in.is_(False),
        said_no,
        and_(client.marketing_opt_in.is_(None), unknown_is_out),
        is_suppressed(client.address_key, UNSUBSCRIBED),
    ]
    if topic_id is not None:
        ways.append(has_declined(client.address_key, topic_id))
    return or_(*ways)


def is_suppressed(address_key: AddressKey, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an address has a suppression for which the condition holds, kept as it is or as a hash."""
    plain = exists().where(Suppression.address_key == address_key, condition)
    hashed = exists().where(Suppression.address_key == hash_of(address_key), condition)
    return or_(plain, and_(exists().where(Suppression.is_hashed), hashed))


def has_declined(address_key: AddressKey, topic_id: int) -> ColumnElement[bool]:
    """Whether the owner of an address has declined marketing about a topic."""
    of_topic = TopicOptOut.topic_id == topic_id
    plain = exists().where(TopicOptOut.address_key == address_key, of_topic)
    hashed = exists().where(TopicOptOut.address_key == hash_of(address_key), of_topic)
    return or_(plain, and_(exists().where(TopicOptOut.is_hashed), hashed))


def hash_of(address_key: AddressKey) -> ColumnElement[str]:
    """The address as `rules/address_hashes.py` keeps it."""
    return func.address_hash(_setting(ConsentSettings.hash_key), address_key)


def _setting(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return select(column).scalar_subquery()
