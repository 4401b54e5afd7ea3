"""The catalogue of tags: every name a message may use, for which message types, and the name that was probably meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webapp.core.rules.statuses import MessageType


class TagGroup(StrEnum):
    CLIENT = "Client"
    SERVICE = "Service"
    ADDON = "Addon"
    SERVICES = "All services"
    SENDER = "Sender"
    LINKS = "Links"


class TagKind(StrEnum):
    """What a value is before it is written, and with which filter it can be written otherwise."""

    TEXT = ""
    DATE = "date"
    MONEY = "money"
    NUMBER = "plural"


@dataclass(frozen=True, slots=True)
class Tag:
    """`{{ name }}`. `label` and `group` are for the palette, `example` shows what a value looks like."""

    name: str
    label: str
    group: TagGroup
    example: str
    kind: TagKind = TagKind.TEXT


TAGS: tuple[Tag, ...] = (
    Tag("first_name", "First name", TagGroup.CLIENT, "Zoë"),
    Tag("last_name", "Last name", TagGroup.CLIENT, "O’Neill"),
    Tag("full_name", "Full name", TagGroup.CLIENT, "Zoë O’Neill"),
    Tag("company", "Company", TagGroup.CLIENT, "O’Neill & Daughters Ltd"),
    Tag("email", "E-mail", TagGroup.CLIENT, "zoe@example.com"),
    Tag("country", "Country", TagGroup.CLIENT, "Ireland"),
    Tag("language", "Language", TagGroup.CLIENT, "English"),
    Tag("status", "Client status", TagGroup.CLIENT, "Active"),
    Tag("client_id", "Client ID", TagGroup.CLIENT, "1001"),
    Tag("client_since", "Client since", TagGroup.CLIENT, "18 May 2024", TagKind.DATE),
    Tag("service_product", "Product", TagGroup.SERVICE, "Web Pro, 50 GB"),
    Tag("service_domain", "Domain", TagGroup.SERVICE, "oneill.example.net"),
    Tag("service_status", "Service status", TagGroup.SERVICE, "Active"),
    Tag("service_price", "Price", TagGroup.SERVICE, "€265.00", TagKind.MONEY),
    Tag("service_due_date", "Due date", TagGroup.SERVICE, "14 March 2027", TagKind.DATE),
    Tag("addon_name", "Addon", TagGroup.ADDON, "Daily Backup"),
    Tag("addon_status", "Addon status", TagGroup.ADDON, "Active"),
    Tag("service_count", "Number of services", TagGroup.SERVICES, "3", TagKind.NUMBER),
    Tag("sender_name", "Sender name", TagGroup.SENDER, "Example Hosting"),
    Tag("sender_email", "Sender e-mail", TagGroup.SENDER, "news@example.com"),
    Tag("date", "Date of sending", TagGroup.SENDER, "23 November 2026", TagKind.DATE),
)

LINKS: tuple[Tag, ...] = (
    Tag("unsubscribe_url", "Unsubscribe", TagGroup.LINKS, "https://mail.example.com/unsubscribe/…"),
    Tag("preferences_url", "Choose what to get", TagGroup.LINKS, "https://mail.example.com/preferences/…"),
    Tag("browser_url", "View in the browser", TagGroup.LINKS, "https://mail.example.com/view/…"),
)
"""Whole addresses, each mail's own. They have no values to be read: the compiler writes what never changes of them, and a token."""

SERVICES = Tag("services", "List of services", TagGroup.SERVICES, "")
"""What `{% for service in services %}` goes through: the client's services that the broadcast's filter chose, all of them where it asks for
nothing of that kind. It is no tag by itself."""

FIELDS: tuple[Tag, ...] = (
    Tag("service.product", "Product", TagGroup.SERVICES, "Web Pro, 50 GB"),
    Tag("service.domain", "Domain", TagGroup.SERVICES, "oneill.example.net"),
    Tag("service.status", "Status", TagGroup.SERVICES, "Active"),
    Tag("service.price", "Price", TagGroup.SERVICES, "€265.00", TagKind.MONEY),
    Tag("service.due_date", "Due date", TagGroup.SERVICES, "14 March 2027", TagKind.DATE),
    Tag("service.number", "Service ID", TagGroup.SERVICES, "5001"),
    Tag("service.group", "Product group", TagGroup.SERVICES, "Hosting"),
)
"""What a list of services can say of each."""

FIELD_BY_NAME: dict[str, Tag] = {tag.name: tag for tag in FIELDS} | {
    "service.name": Tag("service.name", "Product", TagGroup.SERVICES, "Web Pro, 50 GB")
}
"""These, and the other name that one of them has in Liquid."""

POSITIONS = ("forloop.index", "forloop.first", "forloop.last", "forloop.length")

LINK_NAMES = frozenset(tag.name for tag in LINKS)

DECLINING = frozenset({"unsubscribe_url", "preferences_url"})
"""Either of them is a way to decline; mail that must be told has neither."""

TOKENS = ("unsubscribe_token", "browser_token", "click_token", "open_token")
"""What the compiler puts in their place for the part that is each mail's own, in the order of `MailIdentity`."""

LINK_WORDS = {
    "unsubscribe_words": "Unsubscribe",
    "preferences_words": "Choose what you get",
    "browser_words": "View this mail in the browser",
}
"""And for the words of such a link, where none are written: their values are in each client's language, in English by default."""

BY_NAME: dict[str, Tag] = {tag.name: tag for tag in (*TAGS, *LINKS, SERVICES)}

_IN_ALL = (TagGroup.SERVICES, TagGroup.SENDER, TagGroup.LINKS)
_GROUPS = {
    MessageType.GENERAL: {TagGroup.CLIENT, *_IN_ALL},
    MessageType.SERVICES: {TagGroup.CLIENT, TagGroup.SERVICE, *_IN_ALL},
    MessageType.ADDONS: {TagGroup.CLIENT, TagGroup.SERVICE, TagGroup.ADDON, *_IN_ALL},
}

_OTHER_WORDS = {
    "name": "full_name",
    "firstname": "first_name",
    "fname": "first_name",
    "vorname": "first_name",
    "prenom": "first_name",
    "forename": "first_name",
    "given_name": "first_name",
    "lastname": "last_name",
    "lname": "last_name",
    "nachname": "last_name",
    "fullname": "full_name",
    "surname": "last_name",
    "family_name": "last_name",
    "company_name": "company",
    "companyname": "company",
    "organisation": "company",
    "organization": "company",
    "mail": "email",
    "e_mail": "email",
    "address": "email",
    "email_address": "email",
    "id": "client_id",
    "number": "client_id",
    "customer": "full_name",
    "since": "client_since",
    "date_created": "client_since",
    "signup_date": "client_since",
    "product": "service_product",
    "product_name": "service_product",
    "service": "service_product",
    "service_name": "service_product",
    "domain": "service_domain",
    "price": "service_price",
    "amount": "service_price",
    "recurring_amount": "service_price",
    "due_date": "service_due_date",
    "next_due_date": "service_due_date",
    "addon": "addon_name",
    "size": "service_count",
    "services_count": "service_count",
    "number_of_services": "service_count",
    "sender": "sender_name",
    "from": "sender_name",
    "signature": "sender_name",
    "today": "date",
    "now": "date",
    "unsubscribe": "unsubscribe_url",
    "unsubscribe_link": "unsubscribe_url",
    "unsub_url": "unsubscribe_url",
    "preferences": "preferences_url",
    "manage_url": "preferences_url",
    "view_in_browser": "browser_url",
    "webversion": "browser_url",
}
"""What people write who come from other programs, in lower case with underscores and without a leading `client_`."""


def tags_for(message_type: MessageType) -> tuple[Tag, ...]:
    """The tags that a message of this type may use, in the order of the palette."""
    return tuple(tag for tag in (*TAGS, *LINKS) if tag.group in _GROUPS[message_type])


def available(name: str, message_type: MessageType | None) -> bool:
    """Whether `name` is a tag of this message type; with None, of any, those included that only the compiler writes."""
    if message_type is None and (name in LINK_WORDS or name in TOKENS):
        return True
    tag = BY_NAME.get(name)
    return tag is not None and (message_type is None or tag.group in _GROUPS[message_type])


def why_not(name: str, message_type: MessageType) -> str:
    """A sentence that says why a known tag cannot be used in a message of this type."""
    tag = BY_NAME[name]
    kind = "service" if tag.group is TagGroup.SERVICE else "addon"
    types = " and ".join(t.label for t in MessageType if tag.group in _GROUPS[t])
    return (
        f"{{{{ {name} }}}} is a tag of a client’s {kind}. A {message_type.label} message goes to clients whatever they hold, "
        f"so it has no {kind} to take it from: it can be used in {types} messages."
        if message_type is MessageType.GENERAL
        else f"{{{{ {name} }}}} is a tag of an addon: it can be used in {types} messages, not in {message_type.label}."
    )


def synonym(text: str) -> str | None:
    """The tag that is called `text` elsewhere, or written so with capitals, blanks, dots or a leading `client_`; None if there is none."""
    plain = text.strip().lower().rpartition(".")[2].replace("-", "_").replace(" ", "_").lstrip("$")
    for candidate in (plain, plain.removeprefix("client_"), plain.removeprefix("customer_")):
        if candidate in BY_NAME:
            return candidate
        if candidate in _OTHER_WORDS:
            return _OTHER_WORDS[candidate]
    return None


def nearest(text: str, names: Iterable[str]) -> str | None:
    """The name among `names` that is spelled most like `text`, or None if none is near."""
    close = difflib.get_close_matches(text.strip().lower(), list(names), n=1, cutoff=0.6)
    return close[0] if close else None
