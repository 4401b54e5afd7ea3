"""What is still to be said about an import before its rows can be taken over."""

from dataclasses import dataclass

from webapp.core.errors import Conflict
from webapp.core.imports.answers import KIND, Answers
from webapp.core.imports.fields import label
from webapp.core.imports.survey import Findings
from webapp.core.rules.normalise import suggested
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
    """A status word that stands in `count` rows and has no meaning yet. `proposed` is the likely one, or ""."""

    key: str
    text: str
    count: int
    proposed: str


@dataclass(frozen=True)
class Questions:
    """`dates` and `prices` are examples of those that have two meanings: without an answer nothing is imported. Rows with one of the
    `words` are refused until it has a meaning."""

    dates: list[str]
    prices: list[str]
    words: list[Word]

    @property
    def must(self) -> bool:
        """Whether nothing can be imported before they are answered."""
        return bool(self.dates or self.prices)

    def __bool__(self) -> bool:
        return bool(self.dates or self.prices or self.words)


def questions(run: ImportRun) -> Questions:
    """What a look at all rows of the file left open."""
    return of(run.kind, Findings.of_json(run.findings), Answers.of_json(run.answers))


def of(kind: ImportKind, findings: Findings, answers: Answers) -> Questions:
    """What these findings leave open with these answers."""
    words = [
        Word(key, text, count, suggested(STATUSES[kind], key))
        for key, (text, count) in findings.unknown_words(answers).items()
    ]
    return Questions(
        findings.doubtful_dates(answers)[:3],
        findings.doubtful_prices(answers)[:3],
        sorted(words, key=lambda word: (-word.count, word.key)),
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
    if asked.dates:
        raise Conflict(f"Say first whether the day or the month comes first in {asked.dates[0]}.")
    if asked.prices:
        raise Conflict(f"Say first what stands before the decimals in {asked.prices[0]}, a point or a comma.")
