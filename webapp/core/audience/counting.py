"""How many get it, and the sum that says why not the others: answered from the copy in memory, equal to what `recipients()` selects."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from webapp.core.audience.earlier import Among, allowed
from webapp.core.audience.filter import Audience, AudienceFilter
from webapp.core.audience.memory import MARKETING, Copy, Holdings, copy_seen_by
from webapp.core.audience.overrides import picks_of
from webapp.core.audience.texts import without_text
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.consent import settings
from webapp.core.rules.consent import EUROPE
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.broadcasts import PickKind


class Term(StrEnum):
    """A term of the sum, and the list of the clients behind it."""

    MATCHING = "matching"
    ADDED = "added"
    LEFT_OUT = "left_out"
    NO_USABLE_ADDRESS = "no_usable_address"
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    WITHOUT_TEXT = "without_text"
    SAME_ADDRESS = "same_address"
    WILL_RECEIVE = "will_receive"


@dataclass(frozen=True)
class AudienceCount:
    """matching + added - left_out - no_usable_address - opted_out - suppressed - without_text - same_address = will_receive.

    `added` counts only those added by hand who do not match the filter anyhow, `left_out` only those who do.
    """

    matching: int
    added: int
    left_out: int
    no_usable_address: int
    opted_out: int
    suppressed: int
    without_text: int
    same_address: int
    will_receive: int


@dataclass(frozen=True)
class Selected:
    """The clients behind each term."""

    terms: Mapping[Term, ClientSet]

    @property
    def sum(self) -> AudienceCount:
        return AudienceCount(**{term.value: len(self.terms[term]) for term in Term})


def count(session: Session, audience: Audience, today: date) -> AudienceCount:
    """The sum for an audience. `today` belongs to the question as to every other about an audience; no criterion depends on it yet."""
    return select_terms(session, audience).sum


def select_terms(session: Session, audience: Audience) -> Selected:
    """Who is behind each term of the sum."""
    copy, among = copy_seen_by(session), allowed(session, audience.filter)
    picks = picks_of(session, audience.broadcast_id) if audience.broadcast_id is not None else {}
    matching = matching_in(copy, audience.filter, among)
    added = (_picked(picks, PickKind.ADDED) & copy.everybody) - matching
    left_out = _picked(picks, PickKind.LEFT_OUT) & matching
    rest = (matching | added) - left_out
    no_usable = rest & copy.without_address
    rest -= no_usable
    opted_out = rest & _declined(session, copy, audience) if audience.is_marketing else NOBODY
    rest -= opted_out
    suppressed = rest & (copy.suppressed | copy.suppressed_for_marketing if audience.is_marketing else copy.suppressed)
    rest -= suppressed
    without = without_text(copy, audience.texts) & rest
    rest -= without
    same = copy.shared.repeated(rest)
    return Selected(
        {
            Term.MATCHING: matching,
            Term.ADDED: added,
            Term.LEFT_OUT: left_out,
            Term.NO_USABLE_ADDRESS: no_usable,
            Term.OPTED_OUT: opted_out,
            Term.SUPPRESSED: suppressed,
            Term.WITHOUT_TEXT: without,
            Term.SAME_ADDRESS: same,
            Term.WILL_RECEIVE: rest - same,
        }
    )


def _declined(session: Session, copy: Copy, audience: Audience) -> ClientSet:
    """Who declined marketing about the audience's topic, as `consent/bars.py` says it."""
    decided, choices = settings.read(session), copy.values[MARKETING]
    said_no, unknown = choices.get(False, NOBODY), choices.get(None, NOBODY)
    by_country = copy.values["countries"]
    europe = ClientSet.any_of(by_country[country] for country in EUROPE if country in by_country)
    found = [said_no, copy.shared.sharing(said_no), copy.unsubscribed]
    if not decided.unknown_is_in_europe:
        found.append(unknown & europe)
    if not decided.unknown_is_in:
        found.append(unknown - europe)
    if audience.topic_id is not None:
        found.append(copy.topics.get(audience.topic_id, NOBODY))
    return ClientSet.any_of(found)


def matching_in(copy: Copy, filter_: AudienceFilter, among: Among | None, *, besides: str | None = None) -> ClientSet:
    """Who matches the filter; without its criterion `besides`, or ("holdings") without asking what they hold. `among` is what
    `earlier.allowed()` says of the filter (None: earlier broadcasts do not matter)."""
    found = copy.everybody
    if among is not None:
        found = among.cut(found, besides=besides)
    for criterion in ("countries", "languages", "client_statuses"):
        chosen, by_value = getattr(filter_, criterion), copy.values[criterion]
        if chosen and criterion != besides:
            found &= ClientSet.any_of(by_value[value] for value in chosen if value in by_value)
    if besides == "holdings":
        return found
    if filter_.message_type is MessageType.SERVICES:
        found &= held(copy.products, filter_.products, filter_.service_statuses)
    if filter_.message_type is MessageType.ADDONS:
        found &= held(copy.addons, filter_.addons, filter_.addon_statuses)
    return found


def held(holdings: Holdings, kinds: Collection[int], statuses: Collection[HoldingStatus]) -> ClientSet:
    """Those who hold one of the kinds (or any) in one of the statuses (or any)."""
    of_kinds = (holdings[kind] for kind in kinds if kind in holdings) if kinds else holdings.values()
    return ClientSet.any_of(
        clients for by_status in of_kinds for status, clients in by_status.items() if not statuses or status in statuses
    )


def _picked(picks: Mapping[int, PickKind], kind: PickKind) -> ClientSet:
    return ClientSet([client_id for client_id, its_kind in picks.items() if its_kind is kind])
