"""One measured figure beside its goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """`value` is the median of the rounds, `low` and `high` their extremes. `goal` is a bound in the same unit; `at_most` says on
    which side of it the value should lie. What this machine cannot measure has no value, and `why` says what is missing."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    goal: float
    at_most: bool = False
    why: str = ""

    @classmethod
    def of(
        cls, name: str, rounds: Sequence[float], unit: str, goal: float, *, bound: Literal["at least", "at most"]
    ) -> "Figure":
        """A figure from the values of its rounds."""
        return cls(name, median(rounds), min(rounds), max(rounds), unit, goal, bound == "at most")

    @classmethod
    def missing(cls, name: str, unit: str, goal: float, why: str, *, bound: Literal["at least", "at most"]) -> "Figure":
        """A figure that cannot be measured here."""
        return cls(name, None, None, None, unit, goal, bound == "at most", why)

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def row(self) -> dict[str, object]:
        """The columns of the JSON report."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "unit": self.unit,
            "goal": f"{'at most' if self.at_most else 'at least'} {self.goal:g}",
            "met": self.met,
        }

    def line(self) -> str:
        """A line of the table."""
        sign = "<=" if self.at_most else ">="
        goal = f"{self.unit:<12}{sign} {self.goal:<11g}"
        if self.value is None:
            return f"{self.name:<58}{'not measured':>36}  {goal}{self.why}"
        numbers = "".join(f"{number:>12,.2f}" for number in (self.value, self.low, self.high))
        return f"{self.name:<58}{numbers}  {goal}{'met' if self.met else 'NOT MET'}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
