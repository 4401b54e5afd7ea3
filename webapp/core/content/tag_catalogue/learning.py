"""Learning beforehand how clients' languages are written, so that no sending process has to read their rules anew."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.content.tag_catalogue.formats import formats_for
from webapp.core.tables.clients import Client

MOST_LOCALES = 200
"""Pairs of language and country; a rarer one is learnt when it is needed."""


def learn(session: Session) -> int:
    """Read the rules of the languages and countries that clients have. Returns how many pairs; what was read stays in this process and
    those it forks."""
    pairs = session.execute(select(Client.language, Client.country).distinct().limit(MOST_LOCALES)).all()
    for language, country in pairs:
        formats = formats_for(language, country)
        for month in range(1, 13):
            formats.date(date(2027, month, 1))
        formats.money(Decimal("9.90"), "EUR")
    return len(pairs)
