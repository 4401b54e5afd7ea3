"""How a date, a price, a number, a country and a language are written for a client: in the client's language, as it is written in their
country."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_date_format
from babel.numbers import format_currency, format_decimal

from webapp.core.rules.tags.filters import DATE_STYLES, DIRECTIVE, DIRECTIVES

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
        self.styled_date = lru_cache(maxsize=4096)(self._styled_date)
        self.styled_money = lru_cache(maxsize=4096)(self._styled_money)
        self.plural = lru_cache(maxsize=1024)(self._plural)

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

    def _styled_date(self, day: date, style: str) -> str:
        """The day as the filter `date` asks for it: "short" to "full", or by a pattern, with the names of this language."""
        if style == "long":
            return self.date(day)
        if style in DATE_STYLES:
            return format_date(day, style, locale=self.locale)
        has_day = "%d" in style or "%-d" in style

        def part(match: re.Match[str]) -> str:
            beside_a_day, alone = DIRECTIVES[match[0]]
            pattern = beside_a_day if has_day or not alone else alone
            return format_date(day, pattern, locale=self.locale) if pattern else "%"

        return DIRECTIVE.sub(part, style)

    def _styled_money(self, amount: Decimal, currency: str | None, style: str) -> str:
        """The amount as the filter `money` asks for it."""
        if style == "number" or not currency:
            return self.money(amount, None)
        if style == "name":
            return format_currency(amount, currency, locale=self.locale, format_type="name")
        pattern = str(self.locale.currency_formats["standard"].pattern)
        if style == "code":
            apart = re.sub(r"¤(?=[#0])", "¤\xa0", pattern).replace("¤", "¤¤")
            return format_currency(amount, currency, apart, locale=self.locale)
        if style == "whole" and amount == amount.to_integral_value():
            whole = re.sub(r"\.0+", "", pattern)
            return format_currency(amount, currency, whole, locale=self.locale, currency_digits=False)
        return self.money(amount, currency)

    def _plural(self, number: int, forms: Sequence[str]) -> str:
        """The number with the form that goes with it, or in the place of the # of that form.

        Of two forms the first is for one. More are those that the language has for whole numbers, in the order of CLDR (one, two, few,
        many, other); where it has another number of them, the first is for one and the last for the rest.
        """
        form = forms[0] if number == 1 else forms[-1]
        if len(forms) > 2 and len(own := self._categories()) == len(forms):
            form = forms[own.index(self.locale.plural_form(number))]
        written = format_decimal(number, locale=self.locale)
        return form.replace("#", written) if "#" in form else f"{written} {form}"

    def _categories(self) -> list[str]:
        """The plural categories of whole numbers."""
        found = {self.locale.plural_form(number) for number in (*range(200), 1_000_000)}
        return [name for name in ("zero", "one", "two", "few", "many", "other") if name in found]

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
