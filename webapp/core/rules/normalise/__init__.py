"""Texts of an export -> values to store: countries, languages, statuses, dates, prices, yes and no, in the spellings people use."""

from webapp.core.rules.normalise.currencies import currency
from webapp.core.rules.normalise.dates import DateHabit, DateOrder, date_separator, day, order_shown
from webapp.core.rules.normalise.languages import language
from webapp.core.rules.normalise.money import DecimalMark, is_open, parts, price
from webapp.core.rules.normalise.places import country
from webapp.core.rules.normalise.price_habit import PriceHabit, currency_of, priced
from webapp.core.rules.normalise.statuses import client_status, flag, holding_status, status_key, suggested
from webapp.core.rules.normalise.value import Value

__all__ = [
    "DateHabit",
    "DateOrder",
    "DecimalMark",
    "PriceHabit",
    "Value",
    "client_status",
    "country",
    "currency",
    "currency_of",
    "date_separator",
    "day",
    "flag",
    "holding_status",
    "is_open",
    "language",
    "order_shown",
    "parts",
    "price",
    "priced",
    "status_key",
    "suggested",
]
