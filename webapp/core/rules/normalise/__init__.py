"""Texts of an export -> values to store: countries, languages, statuses, dates, prices, yes and no, in the spellings people use."""

from webapp.core.rules.normalise.dates import DateOrder, day, order_shown
from webapp.core.rules.normalise.languages import language
from webapp.core.rules.normalise.money import currency, currency_beside, price
from webapp.core.rules.normalise.places import country
from webapp.core.rules.normalise.statuses import client_status, flag, holding_status
from webapp.core.rules.normalise.value import Value

__all__ = [
    "DateOrder",
    "Value",
    "client_status",
    "country",
    "currency",
    "currency_beside",
    "day",
    "flag",
    "holding_status",
    "language",
    "order_shown",
    "price",
]
