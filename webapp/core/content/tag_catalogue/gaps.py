"""For how many recipients a tag has nothing to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import and_

from sqlalchemy.orm import Session

from webapp.core.audience import Audience, Term, receivers_by_text, select_terms
from webapp.core.client_set import NOBODY, ClientSet
from webapp.core.content.fields import Sources, sources
from webapp.core.content.tag_catalogue.empties import in_clients, in_holdings
from webapp.core.content.tag_catalogue.holdings import with_more_services, without_services
from webapp.core.errors import NotFound
from webapp.core.rules.message.parts import MessageParts, mailbox_or_blank
from webapp.core.rules.tags.names import BY_NAME, TagGroup
from webapp.core.rules.tags.uses import TagUse, uses


@dataclass(frozen=True, slots=True)
class Gap:
    """One tag of a content. Of `recipients`, `empty` have no value for it, and `blank` of these find a blank in their mail, because in at
    least one place nothing stands in for it. Both are estimates where `exact` is false. `beyond` of them have more services than the
    `limit` that a list shows."""

    name: str
    label: str
    recipients: int
    empty: int
    blank: int
    exact: bool = True
    beyond: int = 0
    limit: int = 0


def gaps(
    session: Session,
    audience: Audience,
    content: Sources,
    today: date,
    *,
    from_address: str | None = None,
    text: str | None = None,
) -> list[Gap]:
    """The tags of the content that are empty for at least one recipient, and a list that is too short for one, in the order of reading.
    `from_address` is the sender, for sender_name; left out, the sender counts as one with a name. With `text` only those recipients count
    who get the text in that language."""
    by_name: dict[str, list[TagUse]] = {}
    for use in (use for field, source in sources(content).items() for use in uses(source, field=field)):
        by_name.setdefault(use.name, []).append(use)
    names = {name for its_uses in by_name.values() for use in its_uses for name in use.chain}
    if not names:
        return []
    terms = select_terms(session, audience).terms
    receivers = _with_text(session, audience, terms[Term.WILL_RECEIVE], text)
    empty = in_clients(session, names, receivers)
    holdings = in_holdings(session, audience, today, names, receivers, terms[Term.ADDED])
    empty |= holdings.sets
    if from_address is not None and not mailbox_or_blank(from_address)[0]:
        empty["sender_name"] = receivers
    if "services" in names:
        empty["services"] = without_services(session, audience.filter, receivers)

    answer = []
    for name, its_uses in by_name.items():
        scale = holdings.scale if BY_NAME[name].group in (TagGroup.SERVICE, TagGroup.ADDON) else 1
        without = round(len(empty.get(name, NOBODY)) * scale)
        limit = min((use.limit for use in its_uses if use.limit is not None), default=0)
        beyond = len(with_more_services(session, audience.filter, receivers, limit)) if limit else 0
        if without or beyond:
            blank = round(len(_blank(its_uses, empty)) * scale)
            label = BY_NAME[name].label
            answer.append(Gap(name, label, len(receivers), without, blank, scale == 1, beyond, limit))
    return answer


def sides(
    session: Session, audience: Audience, name: str, today: date, *, text: str | None = None
) -> tuple[int, int, bool]:
    """How many recipients have a value for the tag `name`, how many have none, and whether these numbers are exact. `text` as in `gaps`.
    Raises NotFound for what is no tag with a value."""
    if name not in BY_NAME or BY_NAME[name].group is TagGroup.LINKS:
        raise NotFound("There is no such tag.")
    receivers = _with_text(session, audience, select_terms(session, audience).terms[Term.WILL_RECEIVE], text)
    found = gaps(session, audience, MessageParts(f"{{{{ {name} }}}}", ""), today, text=text)
    without = found[0].empty if found else 0
    return len(receivers) - without, without, all(gap.exact for gap in found)


def _with_text(session: Session, audience: Audience, receivers: ClientSet, text: str | None) -> ClientSet:
    if text is not None and audience.texts is not None:
        return receivers_by_text(session, audience.texts, receivers).get(text, NOBODY)
    return receivers


def _blank(found: Sequence[TagUse], empty: dict[str, ClientSet]) -> ClientSet:
    return ClientSet.any_of(
        reduce(and_, (empty.get(name, NOBODY) for name in use.chain)) for use in found if not use.covered
    )
