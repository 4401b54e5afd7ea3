"""A first look at all rows of a file: what its clear dates and prices say about the doubtful ones, and which status words are not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.core.imports.answers import Answers
from webapp.core.imports.reading import Record
from webapp.core.rules.artefacts import means_nothing
from webapp.core.rules.normalise import (
    DateHabit,
    DateOrder,
    DecimalMark,
    PriceHabit,
    client_status,
    currency_of,
    date_separator,
    day,
    holding_status,
    is_open,
    parts,
    status_key,
)
from webapp.core.rules.texts import shown
from webapp.core.tables.imports import ImportKind

DATES = ("client_since", "next_due_on")
MOST_WORDS = 50
"""So many different status words are asked for; a column with more is no column of statuses."""
MOST_EXAMPLES = 3


@dataclass
class Findings:
    """What was found. `open_dates` are the dates that could be two days, by their separator, `open_prices` the prices that could be two
    amounts, by currency and separator, and `words` the status words nobody gave a meaning to, by their key: each with a count and texts.
    """

    dates: DateHabit = field(default_factory=DateHabit)
    prices: PriceHabit = field(default_factory=PriceHabit)
    open_dates: dict[str, list[Any]] = field(default_factory=dict)
    open_prices: dict[str, list[Any]] = field(default_factory=dict)
    words: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def order(self) -> DateOrder:
        """What comes first in the dates of the file, whatever separates their parts, if all that tell agree."""
        said = set().union(*self.dates.shown.values()) if self.dates.shown else set()
        return DateOrder(next(iter(said))) if len(said) == 1 else DateOrder.UNKNOWN

    def doubtful_dates(self) -> list[str]:
        """Some dates of which nothing in the file tells which day they are."""
        texts = [text for _, texts in self.open_dates.values() for text in texts]
        return [text for text in texts if day(text, self.dates.order(text)).doubt]

    def doubtful_prices(self) -> list[str]:
        """Some prices of which nothing in the file tells which amount they are."""
        found = []
        for key, (_, texts) in self.open_prices.items():
            if self.prices.mark(key[:-1], key[-1])[0] is DecimalMark.UNKNOWN:
                found += texts
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "dates": self.dates.as_json(),
            "prices": self.prices.as_json(),
            "open_dates": self.open_dates,
            "open_prices": self.open_prices,
            "words": self.words,
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Findings":
        return cls(
            DateHabit.of_json(data.get("dates", {})),
            PriceHabit.of_json(data.get("prices", {})),
            *(dict(data.get(name, {})) for name in ("open_dates", "open_prices", "words")),
        )


class Survey:
    """Goes over the records of a file once; `total` counts them. Those with more cells than `width` are not looked at: in them a cell may
    stand in another column."""

    def __init__(self, kind: ImportKind, mapping: Mapping[str, int], answers: Answers, width: int):
        self._kind, self._mapping, self._constants, self._width = kind, mapping, answers.constants, width
        self._dates = [mapping[name] for name in DATES if name in mapping]
        self.total = 0
        self.findings = Findings()

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            self.total += 1
            cells = record.cells
            if len(cells) > self._width:
                continue
            for column in self._dates:
                if column < len(cells):
                    self._date(cells[column])
            self._price(cells)
            self._status(cells)

    def _date(self, text: str) -> None:
        found = self.findings
        found.dates.add(text)
        if day(text).doubt:
            _note(found.open_dates, date_separator(text), text)

    def _price(self, cells: list[str]) -> None:
        text = self._cell(cells, "price")
        if not text:
            return
        currency_text = self._cell(cells, "currency")
        self.findings.prices.add(text, currency_text)
        known = parts(text)
        if known and is_open(text):
            separator = "." if "." in known.digits else ","
            _note(self.findings.open_prices, f"{currency_of(known, currency_text)}{separator}", text)

    def _status(self, cells: list[str]) -> None:
        text = self._cell(cells, "status")
        read = client_status if self._kind is ImportKind.CLIENTS else holding_status
        if not text or means_nothing(text) or read(text).value is not None:
            return
        key = status_key(text)
        if key and (key in self.findings.words or len(self.findings.words) < MOST_WORDS):
            _note(self.findings.words, key, shown(text, 80), 1)

    def _cell(self, cells: list[str], name: str) -> str:
        column = self._mapping.get(name)
        if column is None:
            return self._constants.get(name, "")
        return cells[column] if column < len(cells) else ""


def _note(found: dict[str, list[Any]], key: str, text: str, most: int = MOST_EXAMPLES) -> None:
    count, texts = found.setdefault(key, [0, []])
    found[key][0] = count + 1
    if len(texts) < most and text not in texts:
        texts.append(text)
