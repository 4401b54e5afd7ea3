"""What is still to be said about an import before its rows can be taken over."""

from dataclasses import dataclass

from webapp.core.errors import Conflict
from webapp.core.imports.answers import KIND, Answers
from webapp.core.imports.fields import label
from webapp.core.imports.survey import Findings
from webapp.core.rules.normalise import DateOrder, DecimalMark, suggested
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.imports import ImportKind, ImportRun

STATUSES: dict[ImportKind, type[ClientStatus] | type[HoldingStatus]] = {
    ImportKind.CLIENTS: ClientStatus,
    ImportKind.SERVICES: HoldingStatus,
    ImportKind.ADDONS: HoldingStatus,
}
"""The statuses of the rows of each kind."""


@dataclass(frozen=True)
class Word:
    """A status word that is not ours and stands in `count` rows. `meant` is what a person said it means, or "" as long as nobody did;
    `proposed` is the likely meaning, or ""."""

    key: str
    text: str
    count: int
    proposed: str
    meant: str


@dataclass(frozen=True)
class Questions:
    """`dates` and `prices` are examples of those that have two meanings, `order` and `mark` the answers: without them nothing is imported.
    Rows with one of the `words` are refused until it has a meaning."""

    dates: list[str]
    prices: list[str]
    words: list[Word]
    order: DateOrder
    mark: DecimalMark

    @property
    def must(self) -> bool:
        """Whether something has to be said before anything can be imported."""
        return self.are_dates_open or self.are_prices_open

    @property
    def are_dates_open(self) -> bool:
        return bool(self.dates) and self.order is DateOrder.UNKNOWN

    @property
    def are_prices_open(self) -> bool:
        return bool(self.prices) and self.mark is DecimalMark.UNKNOWN

    @property
    def open_words(self) -> list[Word]:
        return [word for word in self.words if not word.meant]

    @property
    def are_open(self) -> bool:
        return self.must or bool(self.open_words)

    def __bool__(self) -> bool:
        return bool(self.dates or self.prices or self.words)


def questions(run: ImportRun) -> Questions:
    """What a look at all rows of the file left open, and what was said about it."""
    return of(run.kind, Findings.of_json(run.findings), Answers.of_json(run.answers))


def of(kind: ImportKind, findings: Findings, answers: Answers) -> Questions:
    """What these findings leave open, with these answers."""
    words = [
        Word(key, texts[0], count, suggested(STATUSES[kind], key), answers.statuses.get(key, ""))
        for key, (count, texts) in findings.words.items()
    ]
    return Questions(
        findings.doubtful_dates()[:3],
        findings.doubtful_prices()[:3],
        sorted(words, key=lambda word: (-word.count, word.key)),
        answers.order,
        answers.mark,
    )


def demand_answers(run: ImportRun, step: str) -> None:
    """Raise Conflict, in words, where something has to be said before the step."""
    open_ = Answers.of_json(run.answers).open
    if KIND in open_:
        raise Conflict("Say first what the rows of this file are.")
    if open_:
        raise Conflict(f"Say first which column is {', '.join(label(run.kind, name) for name in open_)}.")
    if step == "run":
        demand_clear(questions(run))


def demand_clear(asked: Questions) -> None:
    """Raise Conflict where dates or prices have two meanings."""
    if asked.are_dates_open:
        raise Conflict(f"Say first whether the day or the month comes first in {asked.dates[0]}.")
    if asked.are_prices_open:
        raise Conflict(f"Say first what stands before the decimals in {asked.prices[0]}, a point or a comma.")
