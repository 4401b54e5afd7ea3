"""The audience filter: the chosen criteria of a broadcast, as a value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from webapp.core.errors import Invalid
from webapp.core.rules.consent import Purpose
from webapp.core.rules.earlier import EarlierOutcome, broadcast_number
from webapp.core.rules.languages import Texts
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast

UNKNOWN = ""
"""Among countries or languages: the clients of whom it is not known."""


@dataclass(frozen=True)
class AudienceFilter:
    """Within one criterion any of the chosen values, between criteria all; nothing chosen is no restriction.

    `earlier_outcomes` are clients of earlier broadcasts, as the ledger has them when it is asked. `not_reached_by` are ids of broadcasts:
    nobody who has got one of their mails, or is about to, matches.
    `countries` are ISO 3166 alpha-2 codes, `languages` BCP 47 tags; both may hold UNKNOWN. `products` and `addons` are ids.
    *Services & Products* asks for one service that has both a chosen product and a chosen status, whatever is chosen for at
    least any service; *Addons* likewise. Criteria of another message type are dropped.
    """

    message_type: MessageType
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    client_statuses: tuple[ClientStatus, ...] = ()
    products: tuple[int, ...] = ()
    service_statuses: tuple[HoldingStatus, ...] = ()
    addons: tuple[int, ...] = ()
    addon_statuses: tuple[HoldingStatus, ...] = ()
    earlier_outcomes: tuple[EarlierOutcome, ...] = ()
    not_reached_by: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in CRITERIA:
            values = getattr(self, name) if name in criteria_of(self.message_type) else ()
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))

    @classmethod
    def from_dict(cls, message_type: MessageType, values: Mapping[str, Iterable[Any]]) -> "AudienceFilter":
        """The filter of lists of values by criterion, as stored in `broadcast.audience_filter` or sent by a form (text).

        Raises Invalid for a value that no criterion of this kind can have. Unknown names are ignored.
        """
        return cls(message_type, **{name: _values(name, values[name]) for name in CRITERIA if name in values})

    def to_dict(self) -> dict[str, list[Any]]:
        """What `from_dict` takes, fit for JSON; a criterion without choice is left out."""
        return {name: list(getattr(self, name)) for name in CRITERIA if getattr(self, name)}

    def stored(self, before: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
        """What to store in the place of `before`: what that holds for other message types is set aside, and comes back with its type."""
        mine = criteria_of(self.message_type)
        return self.to_dict() | {name: list(before[name]) for name in CRITERIA if name in before and name not in mine}

    def set_aside(self, message_type: MessageType) -> tuple[str, ...]:
        """The criteria with choices that another message type does not have."""
        return tuple(name for name in self.to_dict() if name not in criteria_of(message_type))


@dataclass(frozen=True)
class Audience:
    """A filter and, by the broadcast's id, the clients added to it and left out of it by hand; and what the mail is for, since marketing
    about a topic is not sent to those who declined it. `texts` are its texts in several languages, None where everybody gets the same."""

    filter: AudienceFilter
    broadcast_id: int | None = None
    purpose: Purpose | None = None
    topic_id: int | None = None
    texts: Texts | None = None

    @property
    def is_marketing(self) -> bool:
        return self.purpose is Purpose.MARKETING


CRITERIA = tuple(field.name for field in fields(AudienceFilter))[1:]
"""The names of the criteria. `criteria_of` has them in the order in which they are shown."""

_OF_CLIENTS = ("earlier_outcomes", "not_reached_by", "countries", "languages", "client_statuses")
_OF_TYPE = {
    MessageType.GENERAL: _OF_CLIENTS,
    MessageType.SERVICES: (*_OF_CLIENTS, "products", "service_statuses"),
    MessageType.ADDONS: (*_OF_CLIENTS, "addons", "addon_statuses"),
}
_KINDS: dict[str, Callable[[Any], Any]] = {
    "earlier_outcomes": EarlierOutcome,
    "not_reached_by": broadcast_number,
    "client_statuses": ClientStatus,
    "products": int,
    "service_statuses": HoldingStatus,
    "addons": int,
    "addon_statuses": HoldingStatus,
}


def criteria_of(message_type: MessageType) -> tuple[str, ...]:
    """The criteria that a message type has."""
    return _OF_TYPE[message_type]


def audience_of(broadcast: Broadcast) -> Audience:
    """Whom a broadcast is for, picks included."""
    stored = AudienceFilter.from_dict(broadcast.message_type, broadcast.audience_filter or {})
    return Audience(stored, broadcast.id, broadcast.purpose, broadcast.topic_id, texts_of(broadcast))


def texts_of(broadcast: Broadcast) -> Texts | None:
    """The texts of a broadcast, where there are several; None where everybody gets the main one."""
    if not broadcast.other_languages:
        return None
    return Texts(broadcast.main_language, tuple(broadcast.other_languages.split()), broadcast.without_text)


def _values(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    kind = _KINDS.get(name, str)
    try:
        return tuple(kind(value) for value in values)
    except ValueError:
        raise Invalid(f"One of the chosen {name.replace('_', ' ')} is not one that exists.", name) from None
