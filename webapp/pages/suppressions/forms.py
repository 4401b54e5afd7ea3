"""Forms of the suppressions, and what they say."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from webapp.core.consent.listing import SuppressionPlace, SuppressionSearch
from webapp.core.rules.addresses import Address, Unusable, usable
from webapp.core.rules.consent import LONGEST_REASON, SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import instant

SCOPES = {
    SuppressionScope.EVERYTHING: "Nothing at all",
    SuppressionScope.MARKETING: "No marketing",
}
"""What is not sent any more, as a choice."""

SOURCES = {
    "link": "unsubscribe link",
    "one_click": "one-click unsubscribe",
    "smtp": "refused by the relay",
    "mail": "mail that came back",
    "ses": "Amazon SES",
    "mailgun": "Mailgun",
    "postmark": "Postmark",
    "sendgrid": "SendGrid",
    "brevo": "Brevo",
    "console": "console",
    "command_line": "command line",
    "import": "import",
}
"""Where a suppression comes from, in words; one that is not known here is shown as it is kept."""

_BETWEEN = re.compile(r"[\r\n]+")
_BETWEEN_ADDRESSES = re.compile(r"[,;\s]+")


def source_label(source: str, is_title: bool = False) -> str:
    """A source in words; `is_title`: as a cell has it, and not within a sentence."""
    words = SOURCES.get(source, source.replace("_", " "))
    return words[:1].upper() + words[1:] if is_title else words


class SuppressionSearchForm(FlaskForm):
    """The list's filters, by GET, so that what is looked for has an address; nothing in it can be invalid for long."""

    class Meta:
        csrf = False

    q = StringField("Search")
    kind = SelectField("Kind", validate_choice=False)
    scope = SelectField("Scope", validate_choice=False)
    source = SelectField("Source", validate_choice=False)

    def offer(self) -> None:
        """Fill the selects."""
        self.kind.choices = [("", "Any kind"), *((one.value, one.label.capitalize()) for one in SuppressionKind)]
        self.scope.choices = [("", "Any scope"), *((one.value, one.label.capitalize()) for one in SuppressionScope)]
        self.source.choices = [("", "Any source"), *((one, source_label(one, is_title=True)) for one in SOURCES)]

    def wanted(self) -> SuppressionSearch:
        """What is looked for; a value that does not exist restricts nothing."""
        kind, scope = self.kind.data or "", self.scope.data or ""
        return SuppressionSearch(
            words=(self.q.data or "").strip()[:320],
            kind=SuppressionKind(kind) if kind in set(SuppressionKind) else None,
            scope=SuppressionScope(scope) if scope in set(SuppressionScope) else None,
            source=(self.source.data or "")[:40],
        )


def place_in(args: Mapping[str, str]) -> SuppressionPlace | None:
    """The place that an address of the list names, None for the first page."""
    at, key, kind = (args.get(name, "") for name in ("at", "key", "of"))
    found = instant(at)
    if found is None or not key or kind not in set(SuppressionKind):
        return None
    return SuppressionPlace(found, key[:320], kind, is_back="back" in args)


def place_args(place: SuppressionPlace) -> dict[str, str]:
    """A place as the parameters of an address."""
    args = {"at": place.created_at.isoformat(), "key": place.address_key, "of": place.kind}
    return args | ({"back": "1"} if place.is_back else {})


class AddForm(FlaskForm):
    addresses = TextAreaField("Addresses", [DataRequired("Write at least one address.")])
    scope = RadioField(
        "What is not sent to them any more",
        choices=[SelectChoice(scope.value, words) for scope, words in SCOPES.items()],
        default=SuppressionScope.EVERYTHING.value,
    )
    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


class DoNotMailForm(FlaskForm):
    """The same for the client on whose page it stands."""

    client = StringField()
    scope = RadioField(
        "What is not sent any more",
        choices=[SelectChoice(scope.value, words) for scope, words in SCOPES.items()],
        default=SuppressionScope.EVERYTHING.value,
    )
    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


class LiftForm(FlaskForm):
    """`client` is the client on whose page it stood, if it did."""

    address_key = StringField()
    kind = StringField()
    client = StringField()
    reason = StringField("Why may it be mailed again?", [Length(max=LONGEST_REASON)])

    def of(self) -> SuppressionKind | None:
        kind = self.kind.data or ""
        return SuppressionKind(kind) if kind in set(SuppressionKind) else None


class ListUploadForm(FlaskForm):
    file = FileField("List", [FileRequired("Choose a CSV file.")])


class Pasted(NamedTuple):
    """What a text of addresses holds: their keys, and what could not be read, each with the reason."""

    keys: list[str]
    unread: list[tuple[str, str]]


def addresses_in(text: str) -> Pasted:
    """The addresses in a text: one a line, or several with commas, semicolons or blanks between them."""
    keys: list[str] = []
    unread: list[tuple[str, str]] = []
    for piece in _pieces(text):
        found = usable(piece)
        if isinstance(found, Address):
            keys.append(found.key)
        elif isinstance(found, Unusable) and not found.missing:
            unread.append((piece, found.problem))
        else:
            unread.append((piece, "this is no address"))
    return Pasted(list(dict.fromkeys(keys)), unread)


def _pieces(text: str) -> Iterator[str]:
    for line in _BETWEEN.split(text):
        line = line.strip().strip(",;")
        if line.count("@") > 1 and "<" not in line:
            yield from filter(None, _BETWEEN_ADDRESSES.split(line))
        elif line.count("@") > 1:
            yield from (one.strip() for one in re.split(r"(?<=>)\s*[,;]", line) if one.strip())
        elif line:
            yield line
