"""How a date, a price, a country and a language are written for a client: in the client's language, as it is written in their country."""

from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_date_format
from babel.numbers import format_currency, format_decimal

_A_DAY = date(1987, 1, 28)
"""Neither its day nor its year can be taken for a month."""

FALLBACK = Locale("en")
"""For clients whose language is not known, or has no rules of writing here."""


class Formats:
    """The rules of one language and country. What it has written once it knows: dates, prices and names come again and again."""

    def __init__(self, locale: Locale):
        self.locale = locale
        self.date = lru_cache(maxsize=4096)(self._date)
        self._month = lru_cache(maxsize=12)(self._month_of_a_day)
        self.money = lru_cache(maxsize=4096)(self._money)
        self.country = lru_cache(maxsize=512)(self._country)
        self.language = lru_cache(maxsize=512)(self._language)

    def _date(self, day: date) -> str:
        """The day with its month in words: 14 March 2027, 14. März 2027, 2027年3月14日."""
        written, has_zero = self._month(day.month)
        number = f"{day.day:02}" if has_zero else f"{day.day}"
        return written.replace(f"{_A_DAY.day}", number).replace(f"{_A_DAY.year}", f"{day.year}")

    def _month_of_a_day(self, month: int) -> tuple[str, bool]:
        """`_A_DAY` in another month, and whether days below ten are written with a zero. Babel takes its time for each date, and they come
        by the thousand."""
        pattern = str(get_date_format("long", self.locale))
        return format_date(_A_DAY.replace(month=month), "long", locale=self.locale), "dd" in pattern

    def _money(self, amount: Decimal, currency: str | None) -> str:
        """The amount with its currency: €265.00, 265,00 €. Without a currency, the number alone."""
        if not currency:
            return format_decimal(amount, format="#,##0.00", locale=self.locale)
        return format_currency(amount, currency, locale=self.locale)

    def _country(self, code: str) -> str:
        """The name of an ISO 3166 country; the code where it has none."""
        name: str = self.locale.territories.get(code.upper(), code)
        return name

    def _language(self, tag: str) -> str:
        """The name of a language (BCP 47); the tag where it has none."""
        named = _locale(tag)
        return (named and named.get_display_name(self.locale)) or self.locale.languages.get(tag.lower(), tag)


@lru_cache(maxsize=1024)
def formats_for(language: str | None, country: str | None) -> Formats:
    """The rules for a client, by BCP 47 language and ISO 3166 country; the country counts where its language has rules for it."""
    return _formats(str(_best(language or "", country or "")))


@lru_cache(maxsize=256)
def _formats(name: str) -> Formats:
    return Formats(Locale.parse(name))


def _best(language: str, country: str) -> Locale:
    found = _locale(language) or (FALLBACK if not language else _locale(language.partition("-")[0])) or FALLBACK
    if country and not found.territory:
        parts = [found.language, *([found.script] if found.script else []), country.upper()]
        return _locale("-".join(parts)) or found
    return found


@lru_cache(maxsize=1024)
def _locale(tag: str) -> Locale | None:
    if not tag:
        return None
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None
