"""THE one SELECT of recipients. The list, "Does this client get it?" and the freeze run it; the count answers for it from memory."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from webapp.core.audience.filter import UNKNOWN, Audience, AudienceFilter
from webapp.core.audience.texts import own_text, text_of
from webapp.core.consent import bars
from webapp.core.rules.earlier import REACHED, EarlierOutcome
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.lifecycle import SkipReason
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.base import EnumText
from webapp.core.tables.broadcasts import Pick, PickKind
from webapp.core.tables.clients import AddonAssignment, Client, Service
from webapp.core.tables.deliveries import CLIENTS, Delivery


def recipients(
    audience: Audience,
    today: date,
    *,
    after: int | ColumnElement[int] | None = None,
    upto: int | ColumnElement[int] | None = None,
    only: Collection[int] | None = None,
    compares_addresses: bool = True,
) -> Select[tuple[int, str | None, str | None, int | None, int | None, SkipReason | None]]:
    """Everyone the audience selects, one row a client, ordered by client id: `client_id`, `address`, `address_key`, `service_id`,
    `addon_assignment_id` (the holding whose data the tags take on the day `today`), and `skip_reason`, NULL for who will get it. Where
    there are several texts, `language` is that of the one they get, NULL for the main one.

    `after` < client id <= `upto`, and `only` certain client ids, cut rows out without changing any that remain: of clients with
    the same address the lowest id wins, and this is decided over the whole audience in every cut. Not `compares_addresses` leaves this
    to the freeze, which has the same answer from the ledger without looking for anybody.
    """
    client = aliased(Client, name="c")
    query: Select[Any] = select(
        client.id.label("client_id"),
        client.address,
        client.address_key,
        *_holding_columns(audience.filter, client, today),
    )
    selected = matches(audience.filter, client)
    left_out: ColumnElement[bool] | None = None
    if audience.broadcast_id is not None:
        pick = aliased(Pick, name="p")
        query = query.outerjoin(pick, and_(pick.broadcast_id == audience.broadcast_id, pick.client_id == client.id))
        selected = or_(selected, pick.kind == PickKind.ADDED)
        left_out = pick.kind == PickKind.LEFT_OUT
    query = query.add_columns(_skip_reason(audience, client, left_out, compares_addresses).label("skip_reason"))
    if audience.texts is not None:
        query = query.add_columns(text_of(client.language, audience.texts).label("language"))
    query = query.where(selected)
    if after is not None:
        query = query.where(client.id > after)
    if upto is not None:
        query = query.where(client.id <= upto)
    if only is not None:
        query = query.where(client.id.in_(only))
    return query.order_by(client.id)


def matches(filter_: AudienceFilter, client: type[Client]) -> ColumnElement[bool]:
    """Whether a client has what the filter asks for, picks aside."""
    conditions: list[ColumnElement[bool]] = [true()]
    if filter_.earlier_outcomes:
        conditions.append(or_(*(_had(outcome, client) for outcome in filter_.earlier_outcomes)))
    conditions += [~_was_reached_by(broadcast_id, client) for broadcast_id in filter_.not_reached_by]
    if filter_.countries:
        conditions.append(_one_of(client.country, filter_.countries))
    if filter_.languages:
        conditions.append(_one_of(client.language, filter_.languages))
    if filter_.client_statuses:
        conditions.append(client.status.in_(filter_.client_statuses))
    if filter_.message_type is MessageType.SERVICES:
        conditions.append(exists().where(Service.client_id == client.id, service_matches(filter_)))
    if filter_.message_type is MessageType.ADDONS:
        conditions.append(exists().where(AddonAssignment.client_id == client.id, addon_matches(filter_)))
    return and_(*conditions)


def _had(outcome: EarlierOutcome, client: type[Client]) -> ColumnElement[bool]:
    """Whether this became of a client in an earlier broadcast. The row is found by its id, which is made of both."""
    row = aliased(Delivery, name="e")
    id_ = literal(outcome.broadcast_id * CLIENTS, BigInteger) + client.id
    return exists().where(row.id == id_, row.state.in_(outcome.fate.states))


def _was_reached_by(broadcast_id: int, client: type[Client]) -> ColumnElement[bool]:
    row = aliased(Delivery, name="n")
    id_ = literal(broadcast_id * CLIENTS, BigInteger) + client.id
    return exists().where(row.id == id_, row.state.in_(REACHED))


def service_matches(filter_: AudienceFilter) -> ColumnElement[bool]:
    """Whether one service has both a chosen product and a chosen status."""
    products = Service.product_id.in_(filter_.products) if filter_.products else true()
    statuses = Service.status.in_(filter_.service_statuses) if filter_.service_statuses else true()
    return and_(products, statuses)


def addon_matches(filter_: AudienceFilter) -> ColumnElement[bool]:
    """Whether one assignment has both a chosen addon and a chosen status."""
    addons = AddonAssignment.addon_id.in_(filter_.addons) if filter_.addons else true()
    statuses = AddonAssignment.status.in_(filter_.addon_statuses) if filter_.addon_statuses else true()
    return and_(addons, statuses)


def _one_of(column: InstrumentedAttribute[str | None], values: tuple[str, ...]) -> ColumnElement[bool]:
    known = column.in_([value for value in values if value != UNKNOWN])
    return or_(known, column.is_(None), column == "") if UNKNOWN in values else known


def _skip_reason(
    audience: Audience, client: type[Client], left_out: ColumnElement[bool] | None, compares_addresses: bool
) -> ColumnElement[SkipReason | None]:
    """The first reason that applies. Whoever declined, or has no text in their language, does not stand in the way of another client with
    the same address."""
    no_address = case((func.trim(client.email) == "", SkipReason.NO_ADDRESS), else_=SkipReason.INVALID_ADDRESS)
    reasons: list[tuple[ColumnElement[bool], Any]] = [(client.address_key.is_(None), no_address)]
    if audience.is_marketing:
        reasons.append((bars.declined(client, audience.topic_id), SkipReason.OPTED_OUT))
    reasons.append((bars.is_suppressed(client.address_key, _barring(audience)), SkipReason.SUPPRESSED))
    if (lacks := _without_text(audience, client)) is not None:
        reasons.append((lacks, SkipReason.WITHOUT_TEXT))
    if compares_addresses:
        reasons.append((_earlier_recipient(audience, client), SkipReason.SAME_ADDRESS))
    if left_out is not None:
        reasons.insert(0, (left_out, SkipReason.LEFT_OUT))
    return type_coerce(case(*reasons, else_=null()), EnumText(SkipReason))


def _without_text(audience: Audience, client: type[Client]) -> ColumnElement[bool] | None:
    """Whether a client gets none for want of a text in their language; None where everybody has one."""
    texts = audience.texts
    if texts is None or texts.without is WithoutText.MAIN:
        return None
    return own_text(client.language, texts).is_(None)


def _barring(audience: Audience) -> ColumnElement[bool]:
    """The suppressions that bar an address from this mail."""
    return or_(bars.FOR_ALL, bars.FOR_MARKETING) if audience.is_marketing else bars.FOR_ALL


def _earlier_recipient(audience: Audience, client: type[Client]) -> ColumnElement[bool]:
    """Whether a client with a lower id and the same address is in the audience. A probe of the address index, and more only where
    an address is shared: cheaper than a window function, and right in every cut of the rows."""
    other, pick = aliased(Client, name="o"), aliased(Pick, name="op")
    query = select(literal(1)).select_from(other)
    selected = matches(audience.filter, other)
    if audience.broadcast_id is not None:
        query = query.outerjoin(pick, and_(pick.broadcast_id == audience.broadcast_id, pick.client_id == other.id))
        selected = and_(
            or_(selected, pick.kind == PickKind.ADDED),
            or_(pick.kind.is_(None), pick.kind != PickKind.LEFT_OUT),
        )
    if audience.is_marketing:
        selected = and_(selected, ~bars.declined(other, audience.topic_id))
    if (lacks := _without_text(audience, other)) is not None:
        selected = and_(selected, ~lacks)
    return query.where(other.address_key == client.address_key, other.id < client.id, selected).exists()


def _holding_columns(filter_: AudienceFilter, client: type[Client], today: date) -> tuple[Label[Any], Label[Any]]:
    """`service_id` and `addon_assignment_id`: the matching one first (a client added by hand may have none), then by due date."""
    service_id: ColumnElement[Any] = cast(null(), BigInteger)
    addon_id: ColumnElement[Any] = cast(null(), BigInteger)
    if filter_.message_type is MessageType.SERVICES:
        order = (case((service_matches(filter_), 0), else_=1), *due_next(today), Service.id)
        service_id = (
            select(Service.id).where(Service.client_id == client.id).order_by(*order).limit(1).scalar_subquery()
        )
    if filter_.message_type is MessageType.ADDONS:
        order = (case((addon_matches(filter_), 0), else_=1), *due_next(today), AddonAssignment.id)
        service_id, addon_id = (
            select(column)
            .join(Service, Service.id == AddonAssignment.service_id)
            .where(AddonAssignment.client_id == client.id)
            .order_by(*order)
            .limit(1)
            .scalar_subquery()
            for column in (AddonAssignment.service_id, AddonAssignment.id)
        )
    return service_id.label("service_id"), addon_id.label("addon_assignment_id")


def due_next(today: date) -> tuple[ColumnElement[Any], ...]:
    """An order of services: due today or later, the earliest first; then past ones, the latest first; then without a date."""
    due = Service.next_due_on
    return (
        case((due >= today, 0), (due.is_not(None), 1), else_=2),
        case((due >= today, due)),
        case((due < today, due)).desc(),
    )
