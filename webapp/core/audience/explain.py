"""Does this client get it? The answer, and the reason in plain words."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.audience import consenting
from webapp.core.audience.filter import Audience, AudienceFilter
from webapp.core.audience.listing import Recipient, recipients_among
from webapp.core.audience.selection import matches
from webapp.core.audience.sources import NO_SUCH_MAIL, earlier_broadcasts, earlier_in_words
from webapp.core.audience.wording import Names, any_of, country_name, holding_in_words, language_name, names
from webapp.core.errors import NotFound
from webapp.core.rules.languages import MAIN, Texts, WithoutText
from webapp.core.rules.lifecycle import SkipReason
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.broadcasts import PickKind
from webapp.core.tables.clients import AddonAssignment, Client, Service

SHOWN = 3
"""Holdings that a reason names before it counts the rest."""


@dataclass(frozen=True)
class Explanation:
    """Whether a client gets it, and why, as sentences. `recipient` is their row of the audience, None for who is not in it."""

    client: Client
    gets_it: bool
    reasons: tuple[str, ...]
    recipient: Recipient | None
    pick: PickKind | None


def explain(session: Session, audience: Audience, client_id: int, today: date) -> Explanation:
    """Decided by `recipients()`, and put into words from the client's own data. Raises NotFound."""
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound("This client does not exist (any more).")
    found = recipients_among(session, audience, today, [client_id])
    if not found:
        return Explanation(client, False, tuple(_mismatches(session, audience.filter, client)), None, None)
    row = found[0]
    if row.skip_reason is not None:
        reasons = [_skipped(session, audience, row, today)]
    elif row.pick is PickKind.ADDED and not _matches(session, audience.filter, client_id):
        reasons = ["Added by hand, beyond the filter."]
    else:
        reasons = ["Has all that the filter asks for."]
    if row.skip_reason is None and audience.texts is not None:
        reasons.append(_which_text(audience.texts, client))
    return Explanation(client, row.skip_reason is None, tuple(reasons), row, row.pick)


def _matches(session: Session, filter_: AudienceFilter, client_id: int) -> bool:
    query = select(Client.id).where(Client.id == client_id, matches(filter_, Client))
    return session.scalar(query) is not None


def _skipped(session: Session, audience: Audience, row: Recipient, today: date) -> str:
    client = row.client
    if row.skip_reason is SkipReason.LEFT_OUT:
        return "Left out by hand."
    if row.skip_reason is SkipReason.NO_ADDRESS:
        return "Has no e-mail address."
    if row.skip_reason is SkipReason.INVALID_ADDRESS:
        return f"The address “{client.email}” cannot be used{f': {client.address_problem}' if client.address_problem else ''}."
    if row.skip_reason is SkipReason.OPTED_OUT:
        return consenting.why_declined(session, client, audience.topic_id)
    if row.skip_reason is SkipReason.WITHOUT_TEXT:
        return _without_text(audience, client)
    if row.skip_reason is SkipReason.SUPPRESSED:
        return consenting.why_suppressed(session, client, is_marketing=audience.is_marketing)
    sharing = session.scalars(select(Client.id).where(Client.address_key == client.address_key, Client.id < client.id))
    first = next(other for other in recipients_among(session, audience, today, sharing.all()) if not other.skip_reason)
    return f"{first.name} ({first.client.number}) has the same address and gets it."


def _which_text(texts: Texts, client: Client) -> str:
    """In which language they get it."""
    own = texts.own_of(client.language)
    written_in = texts.language_of(own or MAIN)
    words = f"the text in {language_name(written_in)}" if written_in else "the main text"
    return f"Gets {words}." if own is not None else f"No text is in their language, so they get {words}."


def _without_text(audience: Audience, client: Client) -> str:
    """That no text is in the client's language, and what is decided about those of whom that is true."""
    assert audience.texts is not None
    said = (
        f"No text is in their language, {language_name(client.language)}"
        if client.language
        else "Their language is not known, so no text is in it"
    )
    undecided = audience.texts.without is WithoutText.STOP
    return (
        f"{said}, and what becomes of such clients is not decided."
        if undecided
        else f"{said}, and such clients are skipped."
    )


def _mismatches(session: Session, filter_: AudienceFilter, client: Client) -> list[str]:
    """What the filter asks for and the client has not, a sentence each."""
    found = []
    if filter_.earlier_outcomes and not _matches(session, _only_earlier(filter_), client.id):
        who, _later = earlier_in_words(session, filter_.earlier_outcomes)
        found.append(f"Is not {who}." if who.startswith("the one ") else f"Is not one of {who}.")
    for broadcast_id in filter_.not_reached_by:
        without = AudienceFilter(MessageType.GENERAL, not_reached_by=(broadcast_id,))
        if not _matches(session, without, client.id):
            other = earlier_broadcasts(session, [broadcast_id]).get(broadcast_id)
            found.append(f"Got {other.title if other else NO_SUCH_MAIL}, or is about to.")
    if filter_.countries and (client.country or "") not in filter_.countries:
        wanted = any_of(country_name(code) for code in filter_.countries)
        found.append(
            f"Country is {country_name(client.country)}, not {wanted}."
            if client.country
            else f"Country is not known, so not {wanted}."
        )
    if filter_.languages and (client.language or "") not in filter_.languages:
        wanted = any_of(language_name(tag) for tag in filter_.languages)
        found.append(
            f"Language is {language_name(client.language)}, not {wanted}."
            if client.language
            else f"Language is not known, so not {wanted}."
        )
    if filter_.client_statuses and client.status not in filter_.client_statuses:
        found.append(f"Is {client.status.label}, not {any_of(status.label for status in filter_.client_statuses)}.")
    if filter_.message_type is not MessageType.GENERAL:
        found += _holding_mismatch(session, filter_, client.id)
    return found


def _only_earlier(filter_: AudienceFilter) -> AudienceFilter:
    """The filter without all that does not ask for earlier broadcasts."""
    return AudienceFilter(MessageType.GENERAL, earlier_outcomes=filter_.earlier_outcomes)


def _holding_mismatch(session: Session, filter_: AudienceFilter, client_id: int) -> list[str]:
    known = names(session)
    held, kinds, statuses = _held(session, filter_, client_id, known)
    if any((not kinds or kind in kinds) and (not statuses or status in statuses) for kind, _, status in held):
        return []
    right_kind = [(name, status) for kind, name, status in held if not kinds or kind in kinds]
    if not right_kind:
        return [f"Has no {_without_article(filter_, known)}."]
    wanted = any_of(status.label for status in statuses)
    more = len(right_kind) - SHOWN
    sentences = [f"{name} is {status.label}, not {wanted}." for name, status in right_kind[:SHOWN]]
    return [*sentences, f"{more} more likewise."] if more > 0 else sentences


def _without_article(filter_: AudienceFilter, known: Names) -> str:
    any_status = AudienceFilter(filter_.message_type, products=filter_.products, addons=filter_.addons)
    return holding_in_words(any_status, known).split(" ", 1)[1]


def _held(
    session: Session, filter_: AudienceFilter, client_id: int, known: Names
) -> tuple[list[tuple[int, str, HoldingStatus]], tuple[int, ...], tuple[HoldingStatus, ...]]:
    """What the client holds of the type's kind, as (kind, name, status), and the kinds and statuses that the filter asks for."""
    if filter_.message_type is MessageType.SERVICES:
        services = session.scalars(select(Service).where(Service.client_id == client_id).order_by(Service.id))
        rows = [
            (s.product_id, f"{known.of('products', s.product_id)}{f' ({s.domain})' if s.domain else ''}", s.status)
            for s in services
        ]
        return rows, filter_.products, filter_.service_statuses
    given = session.scalars(
        select(AddonAssignment).where(AddonAssignment.client_id == client_id).order_by(AddonAssignment.id)
    )
    return (
        [(a.addon_id, known.of("addons", a.addon_id), a.status) for a in given],
        filter_.addons,
        filter_.addon_statuses,
    )
