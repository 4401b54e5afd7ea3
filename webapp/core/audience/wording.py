"""A filter in words, and the names of what can be chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from babel import Locale, UnknownLocaleError
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.audience.filter import UNKNOWN, AudienceFilter
from webapp.core.audience.sources import NO_SUCH_MAIL, EarlierBroadcast, earlier_broadcasts, earlier_in_words
from webapp.core.rules.earlier import EarlierOutcome
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.clients import Addon, Product

GONE = {"products": "a product that no longer exists", "addons": "an addon that no longer exists"}
LISTED = 12
"""Of more values than this, a sentence names the first and counts the others."""


@dataclass(frozen=True)
class Names:
    """The names of products, addons and earlier broadcasts by id; `groups` are those of products. A name that stands in several groups is
    said with its own."""

    products: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    addons: Mapping[int, str] = field(default_factory=dict)
    broadcasts: Mapping[int, EarlierBroadcast] = field(default_factory=dict)

    def of(self, criterion: str, value: int) -> str:
        return (self.products if criterion == "products" else self.addons).get(value) or GONE[criterion]


def names(session: Session, earlier: Iterable[EarlierOutcome] = (), not_reached_by: Iterable[int] = ()) -> Names:
    """The names there are now, and those of the broadcasts of some earlier outcomes, and of some others."""
    rows = session.execute(select(Product.id, Product.name, Product.group_name)).all()
    times: dict[str, int] = {}
    for _, name, _ in rows:
        times[name] = times.get(name, 0) + 1
    return Names(
        products={id_: f"{group} › {name}" if times[name] > 1 and group else name for id_, name, group in rows},
        groups={id_: group for id_, _, group in rows},
        addons=dict(session.execute(select(Addon.id, Addon.name)).all()),
        broadcasts=earlier_broadcasts(session, {outcome.broadcast_id for outcome in earlier} | set(not_reached_by)),
    )


@cache
def country_name(code: str) -> str:
    """ "Germany" for "DE"; a code nobody knows stays as it is."""
    return Locale("en").territories.get(code, code) if code != UNKNOWN else "no known country"


@cache
def language_name(tag: str) -> str:
    """ "Portuguese (Brazil)" for "pt-BR"; a tag nobody knows stays as it is."""
    if tag == UNKNOWN:
        return "no known language"
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        name: str = Locale("en").languages.get(tag.lower(), tag)
        return name


def in_words(session: Session, filter_: AudienceFilter) -> str:
    """The whole filter as one sentence: "Clients in Germany or Austria that are Active and have an Active VPS-2 or VPS-4." And a second one
    for those whom it leaves out, because another mass mail has reached them."""
    return _asked_for(session, filter_) + _left_out(session, filter_.not_reached_by)


def _left_out(session: Session, ids: Sequence[int]) -> str:
    if not ids:
        return ""
    known = earlier_broadcasts(session, ids)
    titles = _joined([known[id_].title if id_ in known else NO_SUCH_MAIL for id_ in ids], "or")
    return f" Left out is whoever got {titles}, or is about to."


def _asked_for(session: Session, filter_: AudienceFilter) -> str:
    place, phrases = "", []
    if filter_.countries:
        place = f" in {any_of(country_name(code) for code in filter_.countries)}".replace(
            "in no known", "with no known"
        )
    if filter_.languages:
        phrases.append(
            f"speak {any_of(language_name(tag) for tag in filter_.languages)}".replace("speak no", "have no")
        )
    if filter_.client_statuses:
        phrases.append(f"are {any_of(status.label for status in filter_.client_statuses)}")
    if filter_.message_type is not MessageType.GENERAL:
        phrases.append(f"have {holding_in_words(filter_, names(session))}")
    if filter_.earlier_outcomes:
        return _among(earlier_in_words(session, filter_.earlier_outcomes), place, phrases)
    if not place and not phrases:
        return "All clients."
    return f"Clients{place}{' that ' if phrases else ''}{_joined(phrases, 'and')}."


def _among(earlier: tuple[str, str], place: str, phrases: Sequence[str]) -> str:
    """The same for clients of earlier broadcasts: "Of the 54 clients of “News” (14 Nov 2026) whose mail failed, those in Germany." """
    who, later = earlier
    if not place and not phrases:
        return f"{who[:1].upper()}{who[1:]}.{later}"
    return f"Of {who}, those{place}{' that ' if phrases else ''}{_joined(phrases, 'and')}.{later}"


def holding_in_words(filter_: AudienceFilter, known: Names) -> str:
    """What the filter wants a client to hold: "an Active VPS-2 or VPS-4", "a service"."""
    if filter_.message_type is MessageType.SERVICES:
        statuses, kinds, noun = filter_.service_statuses, [known.of("products", n) for n in filter_.products], "service"
    else:
        statuses, kinds, noun = filter_.addon_statuses, [known.of("addons", n) for n in filter_.addons], "addon"
    status = any_of(status.label for status in statuses)
    what = any_of(f"“{kind}”" if "," in kind or " or " in kind else kind for kind in kinds) or noun
    if status and what.startswith(("a product", "an addon")):
        what = what.split(" ", 1)[1]
    words = f"{status} {what}" if status else what
    if words.startswith(tuple(GONE.values())):
        return words
    return f"{'an' if words[:1].lower() in 'aeiou' else 'a'} {words}"


def any_of(values: Iterable[str]) -> str:
    """ "Germany, Austria or Switzerland"; many are cut: "…, Spain or one of 12 more"."""
    listed = list(values)
    if len(listed) > LISTED:
        listed[LISTED - 1 :] = [f"one of {len(listed) - LISTED + 1} more"]
    return _joined(listed, "or")


def _joined(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
