"""The sum of an audience as it is shown on every page of a broadcast: `audience/_recipient_count.html`."""

from dataclasses import dataclass

from flask import url_for

from webapp.adapters.clock import now
from webapp.core import audience
from webapp.core.audience import AudienceCount, Term
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db

LABELS = {
    Term.MATCHING: "match the filter",
    Term.ADDED: "added by hand",
    Term.LEFT_OUT: "left out by hand",
    Term.NO_USABLE_ADDRESS: "no usable address",
    Term.OPTED_OUT: "declined marketing",
    Term.SUPPRESSED: "suppressed",
    Term.WITHOUT_TEXT: "no text in their language",
    Term.SAME_ADDRESS: "same address",
    Term.WILL_RECEIVE: "will receive",
}
SIGNS = {Term.MATCHING: "", Term.ADDED: "+", Term.WILL_RECEIVE: ""}
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Line:
    """A term of the sum with the list behind it."""

    term: Term
    label: str
    sign: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Sum:
    """What the block shows: the terms that are not zero, the number they come to, the filter in words, and whether there are clients."""

    broadcast_id: int
    count: AudienceCount
    lines: tuple[Line, ...]
    words: str
    are_clients: bool

    @property
    def total(self) -> int:
        return self.count.will_receive

    @property
    def recipients_url(self) -> str:
        return _url(self.broadcast_id, Term.WILL_RECEIVE)


def sum_of(broadcast: Broadcast) -> Sum:
    """The block for a broadcast as it is stored."""
    of = audience.audience_of(broadcast)
    return sum_from(of, audience.count(db.session, of, now().date()))


def sum_from(of: audience.Audience, count: AudienceCount) -> Sum:
    """The block for an audience of a broadcast that is counted already."""
    assert of.broadcast_id is not None
    are_clients = count.matching > 0 or audience.client_count(db.session) > 0
    words = audience.in_words(db.session, of.filter)
    return Sum(of.broadcast_id, count, lines(of.broadcast_id, count), words, are_clients)


def lines(broadcast_id: int, count: AudienceCount) -> tuple[Line, ...]:
    """The terms in the order in which they add up, zeros left out; the total is not among them."""
    shown = [term for term in Term if term is Term.MATCHING or getattr(count, term)]
    return tuple(
        Line(term, LABELS[term], SIGNS.get(term, MINUS), getattr(count, term), _url(broadcast_id, term))
        for term in shown
        if term is not Term.WILL_RECEIVE
    )


def _url(broadcast_id: int, term: Term) -> str:
    chosen = None if term is Term.WILL_RECEIVE else term.value
    return url_for("audience.recipients", broadcast_id=broadcast_id, reason=chosen)
