"""Lists of addresses that other systems do not mail any more, as CSV: which of their columns says what, and what a row means.

Known by their columns are exports of Mailchimp (unsubscribed, cleaned), SendGrid (bounces, invalid addresses, spam reports, unsubscribes),
Mailgun (bounces, complaints, unsubscribes), Postmark, Amazon SES, listmonk, Brevo, WHMCS (clients with their marketing choice) and this
program's own; anything else that has a column of addresses is read as far as its names and words go.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

from webapp.core.rules.addresses import Unusable, usable
from webapp.core.rules.consent import USUAL_SCOPE, SuppressionKind, SuppressionScope
from webapp.core.rules.texts import shown


class ListPart(StrEnum):
    """What a column says of a suppression. `OPTED_IN` and `OPTED_OUT` are columns of yes and no."""

    ADDRESS = "address"
    KIND = "kind"
    SCOPE = "scope"
    REASON = "reason"
    SOURCE = "source"
    EVIDENCE = "evidence"
    SINCE = "since"
    ORIGIN = "origin"
    OPTED_IN = "opted in"
    OPTED_OUT = "opted out"


@dataclass(frozen=True)
class ListReading:
    """How a list is read: the column of each part, by its index; the `kind` of rows that do not say theirs, None where nothing does; the
    `system` that it comes from, "" for an unknown one; a `remark` for whoever imports it."""

    columns: Mapping[ListPart, int]
    kind: SuppressionKind | None = None
    system: str = ""
    remark: str = ""


class SuppressionEntry(NamedTuple):
    """What a row says. `since` is None where it does not say."""

    address_key: str
    kind: SuppressionKind
    scope: SuppressionScope
    reason: str = ""
    source: str = ""
    evidence: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Unread:
    """A row that cannot be taken, and why."""

    problem: str


NOT_SUPPRESSED = Unread("it says that this address may be mailed")
"""What a row means that is in the list, but not suppressed: a subscriber in an export of all."""

_K = SuppressionKind
_NAMES: dict[ListPart, tuple[str, ...]] = {
    ListPart.ADDRESS: (
        *("email", "emailaddress", "address", "mail", "recipient", "recipientemail", "subscriber", "subscriberemail"),
        *("contact", "contactemail", "useremail", "emailid", "emailadresse", "adressemail", "correoelectronico"),
    ),
    ListPart.KIND: (
        *("kind", "suppressionreason", "suppressiontype", "blockedreason", "reasoncode", "bouncetype", "eventtype"),
        *("event", "type", "state", "status", "subscriptionstatus", "emailstatus", "list", "category", "reason"),
    ),
    ListPart.SCOPE: ("scope",),
    ListPart.REASON: (
        "unsubreasonother",
        "unsubreason",
        "reason",
        "comment",
        "note",
        "notes",
        "description",
        "message",
    ),
    ListPart.SOURCE: ("source",),
    ListPart.EVIDENCE: (
        *("evidence", "error", "errormessage", "diagnosticcode", "diagnostic", "smtpresponse", "response", "details"),
        *("unsubcampaigntitle", "cleancampaigntitle", "campaign"),
    ),
    ListPart.SINCE: (
        *("sinceutc", "since", "unsubtime", "cleantime", "createdat", "created", "lastupdatetime", "blockedat"),
        *(
            "suppressedat",
            "unsubscribedat",
            "bouncedat",
            "date",
            "timestamp",
            "time",
            "datetime",
            "addedat",
            "updatedat",
        ),
    ),
    ListPart.ORIGIN: ("origin",),
    ListPart.OPTED_IN: (
        *("marketingemailsoptin", "marketingemailoptin", "marketingoptin", "acceptsmarketing", "acceptsemailmarketing"),
        *("marketingemails", "optin", "optedin", "receivemarketing", "newsletter"),
    ),
    ListPart.OPTED_OUT: (
        *("emailoptout", "marketingoptout", "optout", "optedout", "unsubscribed", "hasoptedoutofemail"),
        *("emailblacklisted", "emailblocklisted", "blacklisted", "blocklisted"),
    ),
}
"""Names of columns, in letters and digits alone; the first that a list has is taken."""

_WORDS: dict[SuppressionKind, str] = {
    _K.UNSUBSCRIBED: (
        "unsubscribe unsubscribed unsub unsubscription optout optedout groupunsubscribe globalunsubscribe listunsubscribe "
        "unsubscribedviaemail unsubscribedvialink"
    ),
    _K.BOUNCED: (
        "bounce bounced hardbounce hardbounced hard permanent permanentfail cleaned invalid invalidemail invalidaddress "
        "undeliverable dropped"
    ),
    _K.COMPLAINED: "complaint complained spam spamcomplaint spamreport spamreports abuse fbl junk markedasspam",
    _K.BY_HAND: "byhand manual manually manualsuppression adminblocked admin donotmail",
    _K.IMPORTED: "imported blocked blocklist blocklisted blacklist blacklisted suppressed blockedcontact disabled",
}
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_FREE = (
    "subscribed subscriber active enabled confirmed unconfirmed pending delivered ok valid softbounce soft transient "
    "transactional nonsubscribed"
)
_MAY_BE_MAILED = frozenset(_FREE.split())
_YES = frozenset(("yes", "y", "true", "1", "on", "x", "ja", "oui", "si"))
_NO = frozenset(("no", "n", "false", "0", "off", "nein", "non"))

_IN_FILE_NAMES = (
    (re.compile(r"un-?_?subscri|opt-?_?out", re.I), _K.UNSUBSCRIBED),
    (re.compile(r"complain|spam", re.I), _K.COMPLAINED),
    (re.compile(r"bounce|cleaned|invalid", re.I), _K.BOUNCED),
)
_BLOCKS = re.compile(r"(^|[^a-z])blocks?([^a-z]|$)", re.I)
SENDGRIDS_BLOCKS = (
    "SendGrid's blocks are mails that a server refused at one time, often for their content; SendGrid itself goes on mailing these "
    "addresses. Take them over only if nobody shall."
)


@dataclass(frozen=True)
class _System:
    """A system known by columns of its export, which holds `kind` alone unless the rows say theirs. `also`: what else may stand in it,
    where its columns have names that anybody may give; then the file's name knows the kind better."""

    name: str
    columns: frozenset[str]
    kind: SuppressionKind | None = None
    also: frozenset[str] | None = None

    def wrote(self, names: frozenset[str]) -> bool:
        return self.columns <= names and (self.also is None or names <= self.columns | self.also)


def _system(name: str, columns: str, kind: SuppressionKind | None = None, also: str | None = None) -> _System:
    return _System(name, frozenset(columns.split()), kind, None if also is None else frozenset(also.split()))


_SYSTEMS = (
    _system("Mass Mail", "address kind scope sinceutc"),
    _system("Mailchimp, unsubscribed", "emailaddress unsubtime", _K.UNSUBSCRIBED),
    _system("Mailchimp, cleaned", "emailaddress cleantime", _K.BOUNCED),
    _system("Postmark", "emailaddress suppressionreason origin"),
    _system("Mailgun, bounces", "address code error", _K.BOUNCED, also="createdat"),
    _system("Mailgun, unsubscribes", "address tags", _K.UNSUBSCRIBED, also="createdat"),
    _system("Mailgun", "address createdat", _K.COMPLAINED, also=""),
    _system("SendGrid, bounces", "status reason email created", _K.BOUNCED, also=""),
    _system("SendGrid, invalid addresses", "reason email created", _K.BOUNCED, also=""),
    _system("SendGrid, spam reports", "ip email created", _K.COMPLAINED, also=""),
    _system("SendGrid", "email created", also=""),
    _system("listmonk", "uuid email attributes status"),
    _system("Brevo", "email emailblacklisted"),
    _system("Brevo", "email emailblocklisted"),
    _system("WHMCS, clients", "email marketingemailsoptin"),
    _system("WHMCS, clients", "email emailoptout"),
)
_SES = "Amazon SES"
_SAYS_UNSUBSCRIBED = frozenset(_NAMES[ListPart.OPTED_IN]) | {
    *("emailoptout", "marketingoptout", "optout", "optedout", "unsubscribed", "hasoptedoutofemail")
}
"""Columns of yes and no that speak of marketing; the others say only that nothing is mailed."""


def recognise(header: Sequence[str], samples: Sequence[Sequence[str]], file_name: str = "") -> ListReading | None:
    """How a list with this header is read; `samples` are some values of each column. None where no column holds addresses.

    A list without column names has a header all the same: whatever stands in its place, here "".
    """
    names = [_plain(name) for name in header]
    columns: dict[ListPart, int] = {}
    address = _column(names, ListPart.ADDRESS)
    if address is None or not _may_hold_addresses(samples, address):
        address = next((at for at in range(len(names)) if _mostly(samples, at, lambda text: "@" in text)), None)
    if address is None:
        return None
    columns[ListPart.ADDRESS] = address
    names[address] = ""
    if (kind := _kind_column(names, samples)) is not None:
        columns[ListPart.KIND] = kind
        names[kind] = ""
    for part in ListPart:
        if part not in columns and (at := _column(names, part)) is not None and part is not ListPart.KIND:
            columns[part] = at
            names[at] = ""
    if kind is not None:
        columns.pop(ListPart.OPTED_IN, None)
        columns.pop(ListPart.OPTED_OUT, None)
    return _of_system(columns, frozenset(map(_plain, header)), samples, file_name)


def _of_system(
    columns: Mapping[ListPart, int], names: frozenset[str], samples: Sequence[Sequence[str]], file_name: str
) -> ListReading:
    known = next((one for one in _SYSTEMS if one.wrote(names)), None)
    system = known.name if known else ""
    if not known and ListPart.KIND in columns and set(samples[columns[ListPart.KIND]]) <= {"BOUNCE", "COMPLAINT"}:
        system = _SES
    named = next((kind for pattern, kind in _IN_FILE_NAMES if pattern.search(file_name)), None)
    if known and known.kind and (known.also is None or named is None):
        kind: SuppressionKind | None = known.kind
    else:
        kind = named
    if _SAYS_UNSUBSCRIBED & names and (ListPart.OPTED_IN in columns or ListPart.OPTED_OUT in columns):
        kind = _K.UNSUBSCRIBED
    if system == "SendGrid, bounces" and _BLOCKS.search(file_name):
        return ListReading(columns, _K.IMPORTED, "SendGrid, blocks", SENDGRIDS_BLOCKS)
    return ListReading(columns, kind, system)


def entry_of(
    cells: Sequence[str], reading: ListReading, otherwise: SuppressionKind, now: datetime
) -> SuppressionEntry | Unread:
    """What a row says; `otherwise` is the kind where neither the row nor the list says one. A row of somebody who may be mailed is
    `NOT_SUPPRESSED`."""

    def said(part: ListPart) -> str:
        at = reading.columns.get(part)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    found = usable(said(ListPart.ADDRESS))
    if isinstance(found, Unusable):
        return Unread(found.problem)
    kind = _kind_said(said, reading) or reading.kind or otherwise
    if isinstance(kind, Unread):
        return kind
    scope = scope_of(said(ListPart.SCOPE), kind)
    reason, evidence = said(ListPart.REASON), said(ListPart.EVIDENCE)
    if kind is _K.BOUNCED and reason and not evidence:
        reason, evidence = "", reason  # what the server said
    since = instant(said(ListPart.SINCE))
    return SuppressionEntry(
        found.key,
        kind,
        scope,
        reason,
        said(ListPart.SOURCE),
        evidence,
        since if since is not None and since <= now else None,
    )


def _kind_said(said: Callable[[ListPart], str], reading: ListReading) -> "SuppressionKind | Unread | None":
    for part, suppressed, free in ((ListPart.OPTED_IN, _NO, _YES), (ListPart.OPTED_OUT, _YES, _NO)):
        if part in reading.columns:
            word = said(part).lower()
            if word in free or not word:
                return NOT_SUPPRESSED
            return None if word in suppressed else Unread(f"“{shown(word, 40)}” is neither yes nor no")
    word = _plain(said(ListPart.KIND))
    if not word:
        return None
    if word in _MAY_BE_MAILED:
        return NOT_SUPPRESSED
    if word == "manualsuppression" and said(ListPart.ORIGIN).lower() == "recipient":
        return _K.UNSUBSCRIBED  # Postmark: the recipient used the link
    kind = _KIND_OF.get(word)
    return kind or Unread(f"“{shown(said(ListPart.KIND), 40)}” is no kind of suppression that is known here")


def scope_of(text: str, kind: SuppressionKind) -> SuppressionScope:
    """The scope a text names; the usual one of the kind where it names none."""
    word = _plain(text)
    return SuppressionScope(word) if word in set(SuppressionScope) else USUAL_SCOPE[kind]


def instant(text: str) -> datetime | None:
    """The instant that a text names: ISO 8601, seconds or milliseconds since 1970, or the date of a mail (RFC 5322 section 3.3). One
    without a zone is in UTC. None for anything else, and for what could be two days."""
    text = text.strip().removesuffix(" UTC")
    if not text:
        return None
    try:
        if text.isdecimal():
            number = int(text)
            return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _column(names: Sequence[str], part: ListPart) -> int | None:
    return next((names.index(name) for name in _NAMES[part] if name in names), None)


def _kind_column(names: Sequence[str], samples: Sequence[Sequence[str]]) -> int | None:
    """The column whose words are kinds: by its name; in a list without names by its words alone."""

    def is_kind(text: str) -> bool:
        return _plain(text) in _KIND_OF or _plain(text) in _MAY_BE_MAILED

    candidates = [names.index(name) for name in _NAMES[ListPart.KIND] if name in names]
    if not any(name in known for name in names for known in _NAMES.values()):
        candidates = [at for at in range(len(names)) if not _mostly(samples, at, lambda text: "@" in text)]
    return next((at for at in candidates if _mostly(samples, at, is_kind)), None)


def _may_hold_addresses(samples: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a column that is called so holds any, as far as it is known."""
    values = samples[at] if at < len(samples) else ()
    return not values or any("@" in value for value in values)


def _mostly(samples: Sequence[Sequence[str]], at: int, fits: Callable[[str], bool]) -> bool:
    values = [value for value in samples[at] if value.strip()] if at < len(samples) else []
    return sum(map(fits, values)) * 2 > len(values)
