"""How one client stands: whether marketing and important mail reach them, why not, and what led to it. The same as the list of recipients
says, in words (`bars.py` has it as conditions)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.core.consent import settings, suppressions, topics
from webapp.core.consent.settings import Consent
from webapp.core.rules.consent import EUROPE, SuppressionKind, SuppressionScope
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import Suppression, SuppressionChange, Topic


@dataclass(frozen=True)
class ConsentStanding:
    """`against_marketing` and `against_all` are the reasons why marketing, and any mail, is not sent; empty where it is. `choice` says in
    words what the imported choice of marketing means now. `declined` has the topics that were declined, each since when."""

    against_marketing: Sequence[str]
    against_all: Sequence[str]
    choice: str
    declined: Sequence[tuple[str, datetime]]
    suppressions: Sequence[Suppression]
    history: Sequence[SuppressionChange]


def of_client(session: Session, client: Client) -> ConsentStanding:
    """How the client stands now; for one without an address nothing but the choice can be said."""
    consent = settings.read(session)
    against = _against_choice(session, consent, client)
    if client.address_key is None:
        return ConsentStanding(against, (), _choice(consent, client), (), (), ())
    rows = suppressions.holding(session, [client.address_key])
    against_all = [_word(row) for row in rows if row.scope is SuppressionScope.EVERYTHING]
    against += [_word(row) for row in rows]
    since = topics.declined_by(session, client.address_key)
    names = select(Topic).where(Topic.id.in_(since)).order_by(Topic.position, Topic.id)
    declined = [(topic.name, since[topic.id]) for topic in session.scalars(names)] if since else []
    history = suppressions.history(session, client.address_key)
    return ConsentStanding(against, against_all, _choice(consent, client), declined, rows, history)


def _against_choice(session: Session, consent: Consent, client: Client) -> list[str]:
    if client.marketing_opt_in is False:
        return ["opted out"]
    if client.address_key is not None:
        others = exists().where(
            Client.address_key == client.address_key, Client.id != client.id, Client.marketing_opt_in.is_(False)
        )
        if session.scalar(select(others)):
            return ["another client with this address opted out"]
    if not consent.counts_as_in(client.marketing_opt_in, client.country):
        return ["the choice is not known"]
    return []


def _choice(consent: Consent, client: Client) -> str:
    """The choice that was imported, and what it means."""
    if client.marketing_opt_in is not None:
        return "opted in" if client.marketing_opt_in else "opted out"
    where = " in the EU and around" if client.country in EUROPE else ""
    return f"not known, which counts as {'yes' if consent.counts_as_in(None, client.country) else 'no'}{where}"


def _word(row: Suppression) -> str:
    return "do not mail" if row.kind is SuppressionKind.BY_HAND else row.kind.label
