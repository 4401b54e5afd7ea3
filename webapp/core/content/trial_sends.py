"""Test sends: the draft as it stands, to a few addresses of the person who writes it. They count in no broadcast, but against the limits of
the site and one of their own, and each leaves a record."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import repeat

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from webapp.core.audience import audience_of, language_name
from webapp.core.content import previews, problems
from webapp.core.content.completeness import unlisted_sender
from webapp.core.errors import Invalid
from webapp.core.ledger import ceiling, lines
from webapp.core.ports import Mail
from webapp.core.rules import titles
from webapp.core.rules.addresses import Unusable, usable
from webapp.core.rules.languages import MAIN
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.rules.message import MessageParts
from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.rules.pacing import Reading
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.limits import SendingLimits
from webapp.core.tables.trial_sends import TestSend

MOST_ADDRESSES = 5
"""Addresses of one test."""

MOST_MAILS = 20
"""Mails of one test: addresses by variants."""

MARK = "[Test]"
"""What the subject of every test begins with, so that nobody takes it for the mail itself."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test mail: in our words, and in the relay's own where it said something."""

    address: str
    accepted: bool
    words: str
    relay: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class TrialVariant:
    """As whom a test is made: a recipient, None for example values. `label` says what is special about them, "" for whoever the preview
    shows. `text` is the language of their text, None where whoever asks for the mails says it."""

    label: str
    person: previews.PreviewRecipient | None
    text: str | None = None


def variants(
    session: Session,
    broadcast: Broadcast,
    today: date,
    shown: previews.PreviewRecipient | None,
    wanted: Collection[int],
    *,
    with_shown: bool,
    text: str = MAIN,
    languages: Collection[str] = (),
) -> list[TrialVariant]:
    """The recipients to make a test for: whoever the preview shows, if they are asked for or nobody else is, and the `wanted` ones (client
    ids) among those who are worth looking at, all with the text in `text` (`previews.at`); then the first recipient of the text in each of
    `languages`, "" for the main one."""
    of = audience_of(broadcast)
    special = (
        {one.client_id: one.label for one in previews.extremes_of(session, broadcast, text=text)} if wanted else {}
    )
    found = [TrialVariant("", shown, text)] if with_shown else []
    for client_id in dict.fromkeys(wanted):
        if client_id in special and (person := previews.at(session, of, today, client_id, text=text)):
            found.append(TrialVariant(special[client_id], person, text))
    if of.texts:
        for one in dict.fromkeys(languages):
            if one in (MAIN, *of.texts.others):
                name = language_name(one or of.texts.main)
                found.append(TrialVariant(name, previews.at(session, of, today, None, text=one), one))
    return found or [TrialVariant("", shown, text)]


def addresses(typed: str) -> list[str]:
    """The addresses in a field, with commas, semicolons or line ends between them. Raises Invalid("…", "to")."""
    parts = [part.strip() for part in typed.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    if not parts:
        raise Invalid("Write at least one address.", "to")
    found: dict[str, str] = {}
    for part in parts:
        address = usable(part)
        if isinstance(address, Unusable):
            raise Invalid(f"{address.problem[0].upper()}{address.problem[1:]}.", "to")
        found.setdefault(address.key, address.address)
    if len(found) > MOST_ADDRESSES:
        raise Invalid(f"A test goes to at most {MOST_ADDRESSES} addresses; these are {len(found)}.", "to")
    return list(found.values())


def mails(
    session: Session,
    broadcast: Broadcast,
    made_for: Sequence[TrialVariant],
    to: list[str],
    now: datetime,
    public_url: str,
    *,
    text: str | None = None,
) -> list[Mail]:
    """The mails of a test: for each variant one to each of `to`, with the mark in its subject. `text` is the language of the text of those
    variants that do not say it themselves, as in `previews.preview`. Raises DomainError for a draft that cannot become a mail."""
    if len(made_for) * len(to) > MOST_MAILS:
        raise Invalid(f"A test has at most {MOST_MAILS} mails; these are {len(made_for) * len(to)}.", "to")
    found = []
    for one in made_for:
        language = _language(one.person, text if one.text is None else one.text)
        _demand_ready(session, broadcast, language)
        mark = partial(_as_test, one.label)
        found += previews.mails(session, broadcast, one.person, now, to, public_url, amend=mark, text=language)
    return found


def as_it_leaves(
    session: Session,
    broadcast: Broadcast,
    person: previews.PreviewRecipient | None,
    now: datetime,
    public_url: str,
    *,
    text: str | None = None,
) -> Mail:
    """The mail of one recipient as it would leave, to be kept as a file: without a mark. `text` as in `previews.preview`. Raises
    DomainError as `mails` does."""
    language = _language(person, text)
    _demand_ready(session, broadcast, language)
    address = person.address if person else previews.EXAMPLE_ADDRESS
    return previews.mails(session, broadcast, person, now, [address], public_url, text=language)[0]


def _language(person: previews.PreviewRecipient | None, text: str | None) -> str:
    return text if text is not None else person.text if person else MAIN


def _as_test(label: str, parts: MessageParts) -> MessageParts:
    special = f" [{label}]" if label else ""
    return replace(parts, subject=f"{MARK}{special} {parts.subject}")


def _demand_ready(session: Session, broadcast: Broadcast, language: str) -> None:
    _demand_sender(session, broadcast)
    blocking = [problem for problem in problems.of_tags(broadcast, language) if problem.blocking]
    if blocking:
        raise Invalid(f"The message cannot be sent yet. {blocking[0].message}", blocking[0].field)


def send(batch: list[Mail], hand_over: Callable[[Mail], Reply]) -> Iterator[Result]:
    """Hand each mail to the relay and say how it ended. Where the relay cannot even be reached, the rest are not tried. Needs no
    database: end the transaction before."""
    reply = None
    for mail in batch:
        if reply is None or reply.stage is not Stage.CONNECT:
            reply = hand_over(mail)
        outcome = judge(reply)
        said = f"{reply.code} {reply.text}" if reply.code is not None else reply.error or ""
        yield Result(mail.rcpt_to, outcome.state is DeliveryState.ACCEPTED, outcome.words, said)


@dataclass(frozen=True, slots=True)
class Tester:
    """Who sends a test."""

    user_id: int
    email: str


def begin(
    session: Session,
    broadcast: Broadcast,
    batch: list[Mail],
    tester: Tester,
    per_hour: int,
    reading: Reading,
    labels: Sequence[str] = (),
) -> list[int]:
    """Write down a test that is about to leave, so that it counts whatever becomes of it; the ids of its mails. `labels` are those of the
    variants, one for each mail. The caller commits before the first mail leaves, and settles them with `settle`.

    Raises Invalid where the sender is off the list by now, or where more mails would leave than `per_hour` (of all users together; 0: none)
    or the limits above all mass mails allow.
    """
    _demand_sender(session, broadcast)
    above = _locked_limits(session)
    now, count = reading.wall, len(batch)
    since = select(func.count(), func.min(TestSend.sent_at)).where(TestSend.sent_at > now - HOUR)
    used, first = session.execute(since).one()
    if used + count > per_hour:
        raise Invalid(_too_many(used, count, per_hour, first + HOUR - now if first else None), "to")
    if above.has_ceiling:
        free = min(
            sum(one.count for one in opened if one.delay <= 0) for opened in ceiling.openings(session, above, reading)
        )
        if count > free:
            most = f"now it takes {free:,}" if free else "now it takes none"
            raise Invalid(f"The limits of Settings, Sending hold for tests, too: {most}. Try again later.", "to")
        ceiling.use(session, above, reading, [0.0] * count)
    lines.use_for(session, above.receivers, reading, [mail.rcpt_to for mail in batch])
    name = titles.title(broadcast.name, broadcast.content.subject)[:300]
    rows = [
        TestSend(
            broadcast_id=broadcast.id,
            broadcast_name=name,
            user_id=tester.user_id,
            user_email=tester.email,
            sender=broadcast.from_address[:600],
            address=mail.rcpt_to[:320],
            sent_at=now,
            variant=label[:60],
        )
        for mail, label in zip(batch, labels or repeat(""), strict=False)
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def settle(session: Session, ids: list[int], results: list[Result]) -> None:
    """Write down what became of the mails."""
    for row_id, result in zip(ids, results, strict=True):
        answer = f"{result.words}: {result.relay}" if result.relay else result.words
        session.execute(
            update(TestSend).where(TestSend.id == row_id).values(is_accepted=result.accepted, answer=answer[:2000])
        )


def listing(session: Session, broadcast_id: int | None = None, limit: int = 50) -> Sequence[TestSend]:
    """The last tests of a broadcast, or of all, also of those that are gone."""
    found = select(TestSend).order_by(TestSend.id.desc()).limit(limit)
    return session.scalars(found if broadcast_id is None else found.where(TestSend.broadcast_id == broadcast_id)).all()


def _demand_sender(session: Session, broadcast: Broadcast) -> None:
    if lacking := unlisted_sender(session, broadcast):
        raise Invalid(lacking.message, lacking.field)


def _locked_limits(session: Session) -> Limits:
    """The limits above all broadcasts. Until the caller commits nobody else begins a test or claims mails under them."""
    session.scalar(select(SendingLimits.id).where(SendingLimits.id == limits.THE_ROW).with_for_update())
    if session.get_bind().dialect.name == "postgresql":  # on SQLite only one writes at a time anyway
        session.execute(text("LOCK TABLE test_send IN SHARE ROW EXCLUSIVE MODE"))
    return limits.read(session)


def _too_many(used: int, count: int, per_hour: int, until_first: timedelta | None) -> str:
    if not per_hour:
        return "Test sends are turned off on this server."
    if not used:
        return f"At most {per_hour:,} tests leave in an hour; these are {count:,}."
    minutes = math.ceil(until_first.total_seconds() / 60) if until_first else 60
    wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"At most {per_hour:,} tests leave in an hour, and {used:,} have. The next places are free in {wait}."
