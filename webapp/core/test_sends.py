"""Test sends: the draft as it stands, to a few addresses of the person who writes it. They count nowhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import previews, review
from webapp.core.errors import Invalid
from webapp.core.ports import Mail
from webapp.core.rules.addresses import Unusable, usable
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.tables.broadcasts import Broadcast

MOST = 5
"""Addresses of one test."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test mail: in our words, and in the relay's own where it said something."""

    address: str
    accepted: bool
    words: str
    relay: str


def addresses(text: str) -> list[str]:
    """The addresses in a field, with commas, semicolons or line ends between them. Raises Invalid("…", "to")."""
    parts = [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    if not parts:
        raise Invalid("Write at least one address.", "to")
    found: dict[str, str] = {}
    for part in parts:
        address = usable(part)
        if isinstance(address, Unusable):
            raise Invalid(f"{address.problem[0].upper()}{address.problem[1:]}.", "to")
        found.setdefault(address.key, address.address)
    if len(found) > MOST:
        raise Invalid(f"A test goes to at most {MOST} addresses; these are {len(found)}.", "to")
    return list(found.values())


def mails(
    session: Session, broadcast: Broadcast, person: previews.Person | None, to: list[str], now: datetime
) -> list[Mail]:
    """The mails of a test, each rendered for the recipient `person` but addressed to one of `to`. Raises DomainError for a draft that
    cannot become a mail."""
    blocking = [problem for problem in review.tag_problems(broadcast) if problem.blocking]
    if blocking:
        raise Invalid(f"The message cannot be sent yet. {blocking[0].message}", blocking[0].field)
    sender = previews.compiled(broadcast).envelope.from_address
    return [Mail(0, sender, address, previews.render(session, broadcast, person, now, address)) for address in to]


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
