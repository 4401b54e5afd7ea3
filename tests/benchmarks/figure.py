"""One measured figure beside its goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """`value` is the median of the rounds, `low` and `high` their extremes. `goal` is a bound in the same unit; `at_most` says on
    which side of it the value should lie."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    goal: float
    at_most: bool = False

    @classmethod
    def of(
        cls, name: str, rounds: Sequence[float], unit: str, goal: float, *, bound: Literal["at least", "at most"]
    ) -> "Figure":
        """A figure from the values of its rounds."""
        return cls(name, median(rounds), min(rounds), max(rounds), unit, goal, bound == "at most")

    @property
    def met(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def row(self) -> dict[str, object]:
        """The columns of the JSON report."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "unit": self.unit,
            "goal": f"{'at most' if self.at_most else 'at least'} {self.goal:g}",
            "met": self.met,
        }

    def line(self) -> str:
        """A line of the table."""
        numbers = "".join(f"{number:>12,.2f}" for number in (self.value, self.low, self.high))
        sign = "<=" if self.at_most else ">="
        return f"{self.name:<58}{numbers}  {self.unit:<12}{sign} {self.goal:<11g}{'met' if self.met else 'NOT MET'}"
