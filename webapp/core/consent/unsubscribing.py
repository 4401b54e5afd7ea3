"""Declining by whoever got a mail: with its token and nothing else. All of marketing or single topics; and taking that back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, exists, literal, select
from sqlalchemy.orm import Session

from webapp.core.consent import bars, suppressions, tokens, topics
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.rules.consent import LONGEST_REASON, SuppressionKind
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import Suppression
from webapp.core.tables.deliveries import CLIENTS, Delivery

TAKEN_BACK = "taken back on the page that the mail leads to"


class Way(StrEnum):
    """How somebody declined: by the button of their mail program (RFC 8058), or on our page. Kept as the source of a suppression."""

    ONE_CLICK = "one_click"
    PAGE = "link"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a mail's token: to which address the mail went, in which language its client reads, what topic it was of, and what is
    counted of it."""

    delivery_id: int
    address_key: str
    address: str
    language: str | None
    topic_id: int | None
    counts_clicks: bool = False
    counts_opens: bool = False

    @property
    def masked_address(self) -> str:
        """Enough of the address to be known again by its owner: the link of a mail that was passed on tells nobody all of it."""
        local, _, domain = self.address.rpartition("@")
        return f"{local[:1]}…@{domain}"


@dataclass(frozen=True, slots=True)
class MarketingChoice:
    """One topic, and whether the holder gets it."""

    topic_id: int
    name: str
    description: str
    is_wanted: bool


def holder(session: Session, token: str) -> Holder | None:
    """Whose token this is; None for what is none. Where the ledger no longer knows the delivery, its client is asked for."""
    delivery_id = tokens.delivery_of(session, TokenPurpose.UNSUBSCRIBE, token)
    if delivery_id is None:
        return None
    broadcast_id, client_id = divmod(delivery_id, CLIENTS)
    named = select(literal(1)).subquery()
    query = (
        select(
            Delivery.address_key,
            Delivery.address,
            Client.address_key,
            Client.address,
            Client.language,
            Broadcast.topic_id,
            Broadcast.counts_clicks,
            Broadcast.counts_opens,
        )
        .select_from(named)
        .outerjoin(Delivery, and_(Delivery.id == delivery_id, Delivery.address_key.is_not(None)))
        .outerjoin(Client, Client.id == client_id)
        .outerjoin(Broadcast, Broadcast.id == broadcast_id)
    )
    sent_key, sent_to, clients_key, clients_address, language, topic_id, clicks, opens = session.execute(query).one()
    key, address = (sent_key, sent_to) if sent_key is not None else (clients_key, clients_address)
    if key is None:
        return None
    return Holder(delivery_id, key, address or key, language, topic_id, bool(clicks), bool(opens))


def has_declined_all(session: Session, who: Holder) -> bool:
    """Whether the holder gets no marketing at all."""
    is_of_kind = Suppression.kind == SuppressionKind.UNSUBSCRIBED
    return bool(session.scalar(select(bars.is_suppressed(literal(who.address_key), is_of_kind))))


def choices(session: Session, who: Holder) -> list[MarketingChoice]:
    """The topics, in their order."""
    return [
        MarketingChoice(one.id, one.name, one.description, not _has_declined(session, who, one.id))
        for one in topics.topics(session, but_also=who.topic_id)
    ]


def decline_all(session: Session, who: Holder, way: Way, now: datetime, reason: str = "") -> None:
    """No marketing to this address any more. Done twice it is done once, and the first time counts."""
    suppressions.suppress(
        session,
        who.address_key,
        SuppressionKind.UNSUBSCRIBED,
        now,
        source=way.value,
        evidence=" ".join(reason.split())[:LONGEST_REASON],
        delivery_id=who.delivery_id,
    )


def take_back(session: Session, who: Holder, now: datetime) -> None:
    """Marketing again, but for the topics that were declined one by one."""
    if has_declined_all(session, who):
        suppressions.lift(session, who.address_key, SuppressionKind.UNSUBSCRIBED, now, reason=TAKEN_BACK)


def choose(session: Session, who: Holder, wanted: Collection[int], now: datetime) -> None:
    """Get these topics and no others. Who wants any has not declined all."""
    for choice in choices(session, who):
        if choice.topic_id in wanted and not choice.is_wanted:
            topics.opt_in(session, who.address_key, choice.topic_id)
        elif choice.topic_id not in wanted and choice.is_wanted:
            topics.opt_out(session, who.address_key, choice.topic_id, now, delivery_id=who.delivery_id)
    if wanted:
        take_back(session, who, now)


def may_be_on_its_way(session: Session, who: Holder) -> bool:
    """Whether a sender may have a mail to this address in hand, or take one next."""
    under_way = exists().where(
        Delivery.broadcast_id == Broadcast.id,
        Delivery.address_key == who.address_key,
        Delivery.state.in_((DeliveryState.PENDING, DeliveryState.CLAIMED)),
    )
    return bool(
        session.scalar(select(Broadcast.id).where(Broadcast.state == BroadcastState.SENDING, under_way).limit(1))
    )


def _has_declined(session: Session, who: Holder, topic_id: int) -> bool:
    return bool(session.scalar(select(bars.has_declined(literal(who.address_key), topic_id))))
