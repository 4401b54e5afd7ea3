"""The two meanings of a date or a price that nothing tells apart, as the page asks about them."""

from decimal import Decimal

from babel.numbers import format_decimal

from webapp.core.rules.normalise import DateOrder, DecimalMark, day, price


def both_days(text: str) -> tuple[str, str]:
    """A date with the day first and with the month first."""
    first, second = (day(text, order).value for order in (DateOrder.DAY, DateOrder.MONTH))
    return (f"{first:%-d %B %Y}" if first else "", f"{second:%-d %B %Y}" if second else "")


def both_prices(text: str) -> tuple[str, str]:
    """A price with a point and with a comma before the decimals."""
    first, second = (price(text, mark).value for mark in (DecimalMark.POINT, DecimalMark.COMMA))
    return (_shown(first), _shown(second))


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else format_decimal(amount, "#,##0.00", locale="en")
