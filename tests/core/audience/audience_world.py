"""A small world of clients for tests of audiences, and a plain reading of the rules with which the program's answers are compared."""

import itertools
import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.audience import Audience, AudienceFilter, Term, audience_of
from webapp.core.consent import settings, suppressions, topics
from webapp.core.ledger import tally
from webapp.core.rules.address_hashes import MARK, address_hash
from webapp.core.rules.consent import EUROPE, Purpose, SuppressionKind, SuppressionScope
from webapp.core.rules.earlier import EarlierOutcome, Fate
from webapp.core.rules.languages import Texts, WithoutText
from webapp.core.rules.lifecycle import DELIVERY_TRANSITIONS, BroadcastState, DeliveryState
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, Pick, PickKind
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tables.consent import ConsentSettings, Suppression, TopicOptOut
from webapp.core.tables.deliveries import Delivery, delivery_id
from webapp.core.tables.stamps import BLOCK_BITS

TODAY = factories.NOW.date()
COUNTRIES = ("DE", "AT", "CH", None, "")
LANGUAGES = ("de", "de-AT", "en", "pt-BR", "zh-TW", None)
TEXTS = ("de", "de-CH", "en", "fr", "pt", "pt-BR", "zh", "zh-TW")
CHOICES = (True, True, None, False)
SETTINGS = ((True, True), (True, False), (False, True), (False, False))


@dataclass
class World:
    """Clients scattered over several blocks, with shared, missing, broken and suppressed addresses, holdings and picks."""

    session: Session
    chance: random.Random
    broadcast: Broadcast
    products: list[Product] = field(default_factory=list)
    addons: list[Addon] = field(default_factory=list)
    earlier: list[Broadcast] = field(default_factory=list)

    def any_filter(self) -> AudienceFilter:
        kind = self.chance.choice(list(MessageType))
        return AudienceFilter(
            kind,
            earlier_outcomes=self._some((*self._outcomes(), EarlierOutcome("999:failed"))),
            not_reached_by=self._some((*(broadcast.id for broadcast in self.earlier), 998)),
            countries=self._some(tuple(country or "" for country in COUNTRIES)),
            languages=self._some(tuple(language or "" for language in LANGUAGES)),
            client_statuses=self._some(tuple(ClientStatus)),
            products=self._some((*(product.id for product in self.products), 999)),
            service_statuses=self._some(tuple(HoldingStatus)),
            addons=self._some((*(addon.id for addon in self.addons), 999)),
            addon_statuses=self._some(tuple(HoldingStatus)),
        )

    def _outcomes(self) -> list[EarlierOutcome]:
        return [EarlierOutcome.of(broadcast.id, fate) for broadcast in self.earlier for fate in Fate]

    def audience(self, filter_: AudienceFilter) -> Audience:
        purpose = self.chance.choice((None, Purpose.IMPORTANT, Purpose.MARKETING, Purpose.MARKETING))
        topic_id = self.chance.choice((None, 1, 2)) if purpose is Purpose.MARKETING else None
        return Audience(filter_, self.broadcast.id, purpose, topic_id, self.any_texts())

    def any_texts(self) -> Texts | None:
        if self.chance.random() < 0.4:
            return None
        main, *others = self.chance.sample(TEXTS, self.chance.randint(2, 5))
        main = main if self.chance.random() < 0.8 else ""
        return Texts(main, tuple(sorted(others)), self.chance.choice(list(WithoutText)))

    def _some(self, values: tuple) -> tuple:
        return (
            tuple(self.chance.sample(values, self.chance.randint(1, len(values) - 1)))
            if self.chance.random() < 0.4
            else ()
        )

    def add_client(self) -> Client:
        n = self.chance.randrange(10_000)
        email = self.chance.choice((f"c{n}@example.com", f"c{n % 12}@example.com", "", "broken at"))
        usable = "@" in email
        taken = {client.id for client in self.session.scalars(select(Client))}
        ids = [*range(1, 60)] + [(3 << BLOCK_BITS) + n for n in range(-20, 60)]
        client = factories.client(
            self.session,
            email,
            id=self.chance.choice([id_ for id_ in ids if id_ not in taken]),
            address=email if usable else None,
            address_key=email if usable else None,
            country=self.chance.choice(COUNTRIES),
            language=self.chance.choice(LANGUAGES),
            status=self.chance.choice(list(ClientStatus)),
            marketing_opt_in=self.chance.choice(CHOICES),
        )
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            self.add_service(client)
        return client

    def add_service(self, client: Client) -> Service:
        due = self.chance.choice((None, TODAY, TODAY + timedelta(self.chance.randint(-40, 40))))
        status = self.chance.choice(list(HoldingStatus))
        service = factories.service(
            self.session, client, self.chance.choice(self.products), status=status, next_due_on=due
        )
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            factories.addon_assignment(
                self.session, service, self.chance.choice(self.addons), status=self.chance.choice(list(HoldingStatus))
            )
        return service

    def change(self) -> None:
        """One thing becomes different."""
        client = self.chance.choice(self.session.scalars(select(Client).order_by(Client.id)).all())
        match self.chance.randrange(14):
            case 0:
                self.add_client()
            case 1:
                rows = self.session.scalars(select(Delivery).where(Delivery.client_id == client.id))
                if rows.first() is None:  # who has deliveries is kept
                    self.session.execute(delete(Client).where(Client.id == client.id))
            case 2:
                client.country = self.chance.choice(COUNTRIES)
            case 3:
                client.status = self.chance.choice(list(ClientStatus))
            case 4:
                client.address = client.address_key = client.email = f"c{self.chance.randrange(12)}@example.com"
            case 5:
                status = self.chance.choice(list(HoldingStatus))
                self.session.execute(update(Service).where(Service.client_id == client.id).values(status=status))
            case 6:
                self.session.execute(delete(AddonAssignment).where(AddonAssignment.client_id == client.id))
            case 7:
                key = f"c{self.chance.randrange(12)}@example.com"
                kind, scope = self.chance.choice(list(SuppressionKind)), self.chance.choice(list(SuppressionScope))
                suppressions.suppress(self.session, self._kept(key), kind, factories.NOW, scope=scope)
                self._mark_hashes()
            case 8:
                self.session.merge(
                    Pick(broadcast_id=self.broadcast.id, client_id=client.id, kind=self.chance.choice(list(PickKind)))
                )
            case 9 | 10:
                self.move_one()
            case 11:
                key = self._kept(f"c{self.chance.randrange(12)}@example.com")
                topics.opt_out(self.session, key, self.chance.choice((1, 2)), factories.NOW)
                self._mark_hashes()
            case 12:
                client.marketing_opt_in = self.chance.choice(CHOICES)
            case 13:
                decided = self.session.get_one(ConsentSettings, 1)
                decided.unknown_is_in, decided.unknown_is_in_europe = self.chance.choice(SETTINGS)
        self.session.flush()
        self.session.expire_all()

    def _kept(self, key: str) -> str:
        """An address as it may be kept: as it is, or as a hash."""
        return address_hash(settings.read(self.session).hash_key, key) if self.chance.random() < 0.3 else key

    def _mark_hashes(self) -> None:
        for table in (Suppression, TopicOptOut):
            hashed = table.address_key.startswith(MARK)
            self.session.execute(update(table).where(hashed).values(is_hashed=True))

    def add_delivery(self, broadcast: Broadcast, client: Client) -> None:
        """A row of the ledger, for a client who has none of this broadcast."""
        if self.session.get(Delivery, delivery_id(broadcast.id, client.id)) is None:
            state = self.chance.choice([DeliveryState.PENDING, DeliveryState.SKIPPED])
            key = None if state is DeliveryState.SKIPPED else f"d{client.id}@example.com"
            row = Delivery(
                broadcast_id=broadcast.id,
                client_id=client.id,
                address=key,
                address_key=key,
                state=state,
                changed_at=factories.NOW,
            )
            self.session.add(row)
            tally.add(self.session, broadcast.id, next(SENDERS), {state: 1})

    def move_one(self) -> None:
        """What became of a client in an earlier broadcast becomes different, as the ledger does it: in the hands of one more sender."""
        row = self.chance.choice(self.session.scalars(select(Delivery).order_by(Delivery.id)).all())
        moves = sorted(DELIVERY_TRANSITIONS[row.state])
        if moves:
            old, new = row.state, self.chance.choice(moves)
            row.state, row.sender_id = new, 1 if new is DeliveryState.CLAIMED else None
            tally.add(self.session, row.broadcast_id, next(SENDERS), {old: -1, new: 1})


SENDERS = itertools.count(1)


def make(session: Session, seed: int, clients: int = 50) -> World:
    broadcast = Broadcast(
        message_type=MessageType.GENERAL, secret="s", created_at=factories.NOW, updated_at=factories.NOW
    )
    session.add(broadcast)
    session.flush()
    world = World(session, random.Random(seed), broadcast)
    world.products = [factories.product(session) for _ in range(4)]
    world.addons = [factories.addon(session) for _ in range(3)]
    for _ in range(clients):
        world.add_client()
    world.earlier = [factories.broadcast(session, state=BroadcastState.SENDING) for _ in range(2)]
    for broadcast in world.earlier:
        for client in session.scalars(select(Client)).all():
            if world.chance.random() < 0.7:
                world.add_delivery(broadcast, client)
    session.flush()
    for _ in range(4 * clients):
        world.move_one()
    session.flush()
    for _ in range(15):
        world.change()
    session.flush()
    session.expire_all()
    return world


@dataclass
class Reading:
    """What the rules say, read one client after the other."""

    terms: dict[Term, set[int]]
    services: dict[int, int | None]
    assignments: dict[int, int | None]
    texts: dict[int, str | None]


def read(session: Session, audience: Audience, today: date = TODAY) -> Reading:
    chosen = audience.filter
    picks = {p.client_id: p.kind for p in session.scalars(select(Pick)) if p.broadcast_id == audience.broadcast_id}
    rule = Consent.of(session, audience)
    services, assignments = session.scalars(select(Service)).all(), session.scalars(select(AddonAssignment)).all()
    by_id = {service.id: service for service in services}
    became = {(row.broadcast_id, row.client_id): row.state for row in session.scalars(select(Delivery))}
    terms: dict[Term, set[int]] = {term: set() for term in Term}
    taken: set[str] = set()
    reading = Reading(terms, {}, {}, {})
    for client in session.scalars(select(Client).order_by(Client.id)):
        held = [service for service in services if service.client_id == client.id]
        given = [assignment for assignment in assignments if assignment.client_id == client.id]
        matches = _matches(chosen, client, held, given) and _was_among(chosen, client, became)
        pick = picks.get(client.id)
        if not matches and pick is not PickKind.ADDED:
            continue
        terms[Term.MATCHING if matches else Term.ADDED].add(client.id)
        reading.services[client.id], reading.assignments[client.id] = _holding(chosen, held, given, by_id, today)
        reading.texts[client.id] = own_text(client.language, audience.texts)
        if pick is PickKind.LEFT_OUT:
            term = Term.LEFT_OUT
        elif client.address_key is None:
            term = Term.NO_USABLE_ADDRESS
        elif rule.is_declined(client):
            term = Term.OPTED_OUT
        elif rule.is_suppressed(client.address_key):
            term = Term.SUPPRESSED
        elif reading.texts[client.id] is None and audience.texts and audience.texts.without is not WithoutText.MAIN:
            term = Term.WITHOUT_TEXT
        elif client.address_key in taken:
            term = Term.SAME_ADDRESS
        else:
            term = Term.WILL_RECEIVE
            taken.add(client.address_key)
        terms[term].add(client.id)
    return reading


def own_text(language: str | None, texts: Texts | None) -> str | None:
    """The text in a client's language, "" for the main one: for the few languages of this world, in which nobody has two relatives."""
    if texts is None or not language:
        return None
    tags = {tag: tag for tag in texts.others} | ({texts.main: ""} if texts.main else {})
    traditional = {"zh-TW"}
    family = [tag for tag in tags if tag[:2] == language[:2] and (tag in traditional) == (language in traditional)]
    for tag in (language, language[:2], *family):
        if tag in family:
            return tags[tag]
    return None


@dataclass
class Consent:
    """What the rules say of consent, for one audience."""

    audience: Audience
    decided: ConsentSettings
    suppressions: list[Suppression]
    topics: set[tuple[str, int]]
    said_no: set[str | None]

    @classmethod
    def of(cls, session: Session, audience: Audience) -> "Consent":
        rows = session.scalars(select(TopicOptOut))
        no = session.scalars(select(Client.address_key).where(Client.marketing_opt_in.is_(False)))
        return cls(
            audience,
            settings.read(session),
            list(session.scalars(select(Suppression))),
            {(row.address_key, row.topic_id) for row in rows},
            set(no),
        )

    def _forms(self, key: str) -> tuple[str, str]:
        return key, address_hash(self.decided.hash_key, key)

    def is_declined(self, client: Client) -> bool:
        if self.audience.purpose is not Purpose.MARKETING:
            return False
        choice = client.marketing_opt_in
        if choice is None:
            in_europe = client.country in EUROPE
            choice = self.decided.unknown_is_in_europe if in_europe else self.decided.unknown_is_in
        by_link = any(
            row.address_key in self._forms(client.address_key)
            and (row.kind, row.scope) == (SuppressionKind.UNSUBSCRIBED, SuppressionScope.MARKETING)
            for row in self.suppressions
        )
        of_topic = any((form, self.audience.topic_id) in self.topics for form in self._forms(client.address_key))
        return not choice or client.address_key in self.said_no or by_link or of_topic

    def is_suppressed(self, key: str) -> bool:
        scopes = {SuppressionScope.EVERYTHING}
        if self.audience.purpose is Purpose.MARKETING:
            scopes.add(SuppressionScope.MARKETING)
        return any(row.address_key in self._forms(key) and row.scope in scopes for row in self.suppressions)


def _matches(chosen: AudienceFilter, client: Client, held: list[Service], given: list[AddonAssignment]) -> bool:
    if chosen.countries and (client.country or "") not in chosen.countries:
        return False
    if chosen.languages and (client.language or "") not in chosen.languages:
        return False
    if chosen.client_statuses and client.status not in chosen.client_statuses:
        return False
    if chosen.message_type is MessageType.SERVICES:
        return any(_service_matches(chosen, service) for service in held)
    if chosen.message_type is MessageType.ADDONS:
        return any(_addon_matches(chosen, assignment) for assignment in given)
    return True


def _was_among(chosen: AudienceFilter, client: Client, became: dict[tuple[int, int], DeliveryState]) -> bool:
    wanted = {tuple(text.split(":")) for text in chosen.earlier_outcomes}
    words = {DeliveryState.SUPPRESSED: "skipped"}
    not_reached = {"failed", "skipped", "suppressed", "cancelled"}
    for (broadcast_id, client_id), state in became.items():
        if client_id == client.id and broadcast_id in chosen.not_reached_by and state.value not in not_reached:
            return False
    return not wanted or any(
        (str(broadcast_id), words.get(state, state.value)) in wanted
        for (broadcast_id, client_id), state in became.items()
        if client_id == client.id
    )


def _service_matches(chosen: AudienceFilter, service: Service) -> bool:
    product = not chosen.products or service.product_id in chosen.products
    return product and (not chosen.service_statuses or service.status in chosen.service_statuses)


def _addon_matches(chosen: AudienceFilter, assignment: AddonAssignment) -> bool:
    addon = not chosen.addons or assignment.addon_id in chosen.addons
    return addon and (not chosen.addon_statuses or assignment.status in chosen.addon_statuses)


def _holding(
    chosen: AudienceFilter,
    held: list[Service],
    given: list[AddonAssignment],
    by_id: dict[int, Service],
    today: date,
) -> tuple[int | None, int | None]:
    """The ids of the service and the assignment whose data the tags take."""
    if chosen.message_type is MessageType.SERVICES and held:
        first = min(held, key=lambda s: (not _service_matches(chosen, s), *_due(s, today), s.id))
        return first.id, None
    if chosen.message_type is MessageType.ADDONS and given:
        first = min(given, key=lambda a: (not _addon_matches(chosen, a), *_due(by_id[a.service_id], today), a.id))
        return first.service_id, first.id
    return None, None


def _due(service: Service, today: date) -> tuple[int, int]:
    if service.next_due_on is None:
        return 2, 0
    days = (service.next_due_on - today).days
    return (0, days) if days >= 0 else (1, -days)


def audience_in(session: Session, broadcast: Broadcast, **criteria) -> Audience:
    """The audience of a broadcast with another filter."""
    audience = audience_of(broadcast)
    return replace(audience, filter=AudienceFilter(broadcast.message_type, **criteria))
