"""How the prices of one column are written: what the clear ones among them say about those that could be two amounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from webapp.core.rules.normalise.currencies import chosen, codes, currency, decimals
from webapp.core.rules.normalise.money import DecimalMark, Parts, is_open, mark_shown, parts, price
from webapp.core.rules.normalise.value import Value, unknown
from webapp.core.rules.texts import shown


@dataclass
class PriceHabit:
    """What was seen in a column. `marks` are the decimal marks that prices of a currency gave away, `whole` the currencies with amounts
    that have no decimals, `fine` those with more decimals than two, `codes` the currencies that are named by their code.
    """

    marks: dict[str, set[str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    fine: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add(self, text: str, currency_text: str = "") -> None:
        """Look at one price and what its row says about the currency."""
        found = parts(text)
        if not found:
            return
        if currency_text.strip().upper() in codes():
            self.codes.add(currency_text.strip().upper())
        if len(found.currencies) == 1:
            self.codes.add(found.currencies[0])
        of = currency_of(found, currency_text)
        if shown_mark := mark_shown(text):
            self.marks.setdefault(of, set()).add(shown_mark.value)
            last = max(found.digits.rfind("."), found.digits.rfind(","))
            if len(found.digits) - last > 3:
                self.fine.add(of)
        elif found.digits.isdigit() and len(found.digits) < 4:
            self.whole.add(of)

    def mark(self, of: str, separator: str, answer: DecimalMark = DecimalMark.UNKNOWN) -> tuple[DecimalMark, str]:
        """What stands before the decimals in an open price ("5.500") of this currency, and why; UNKNOWN if nothing tells.

        `separator` is the sign in it, `answer` what a person said. The currency's own prices tell first, then how many decimals it has,
        then the other prices of the column.
        """
        written = DecimalMark.POINT if separator == "." else DecimalMark.COMMA
        other = DecimalMark.COMMA if separator == "." else DecimalMark.POINT
        digits = decimals(of) if len(of) == 3 and of.isupper() else 2
        own = self.marks.get(of, set())
        everywhere = set().union(*self.marks.values()) if self.marks else set()
        if len(own) == 1 and (digits == 3 or other in own):
            return DecimalMark(next(iter(own))), ""
        if digits == 3:
            return written, f"{of} has three decimals"
        if digits == 0:
            return other, f"{of} has no decimals"
        if answer is not DecimalMark.UNKNOWN:
            return answer, ""
        if own == {written} and of in self.fine:
            return written, ""
        if not own and everywhere == {other}:
            return other, ""
        if not everywhere and self.whole:
            return other, "the other prices of the column have no decimals"
        return DecimalMark.UNKNOWN, ""

    def as_json(self) -> dict[str, Any]:
        return {
            "marks": {of: sorted(seen) for of, seen in self.marks.items()},
            **{name: sorted(getattr(self, name)) for name in ("whole", "fine", "codes")},
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "PriceHabit":
        return cls(
            {of: set(seen) for of, seen in data.get("marks", {}).items()},
            *(set(data.get(name, ())) for name in ("whole", "fine", "codes")),
        )


def currency_of(found: Parts, currency_text: str | None) -> str:
    """Under which name a price is compared with others: the code that its row names, that it names itself, or else its sign."""
    named = currency(currency_text).value if currency_text and currency_text.strip() else None
    return named or (found.currencies[0] if len(found.currencies) == 1 else found.sign)


def priced(
    text: str, currency_text: str | None, habit: PriceHabit, answer: DecimalMark = DecimalMark.UNKNOWN
) -> tuple[Value[Decimal], Value[str]]:
    """Amount and currency of one row: what stands in the price, in the row's own column for the currency (None if the file has none), and
    in the rest of the column. A price that names another currency than its row is no price of that row.
    """
    seen = frozenset(habit.codes)
    said = currency(currency_text or "", seen)
    found = parts(text)
    if not found:
        return price(text), said
    if found.currencies and said.value and said.value not in found.currencies:
        words = f"“{shown(text, 40)}” is not in {said.value}, which its row names: both left out"
        return unknown(words), unknown(words)
    beside: Value[str] = chosen(found.sign, found.currencies, seen) if found.currencies else Value(None)
    code = said if said.value or not found.currencies else beside
    mark, why = DecimalMark.UNKNOWN, ""
    if is_open(text):
        mark, why = habit.mark(currency_of(found, currency_text), "." if "." in found.digits else ",", answer)
    amount = price(text, mark, why)
    if found.unknown_sign and amount.understood:
        note = f"“{found.unknown_sign}” is no sign of a currency that is known: only the amount is taken"
        amount = Value(amount.value, note if not said.value else amount.note)
    return amount, code
