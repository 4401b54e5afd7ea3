"""What a person said about a file beside its mapping: what stands for columns it lacks, and what its statuses, dates and prices mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from webapp.core.rules.normalise import DateOrder, DecimalMark

KIND = "kind"
"""Stands among the open questions where it is not known what the rows of the file are."""
REFUSE = "refuse"
"""The meaning of a status word whose rows are to be refused."""


@dataclass(frozen=True)
class Answers:
    """`constants` are texts that stand for a column which the file lacks, by field. `statuses` are the meanings of status words, by the
    key of the word (`normalise.status_key`): a status of ours, or REFUSE. `order` and `mark` are for dates and prices that nothing in the
    file tells apart. `open` are the questions that have to be answered before the file can be checked: KIND or fields.
    """

    constants: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    order: DateOrder = DateOrder.UNKNOWN
    mark: DecimalMark = DecimalMark.UNKNOWN
    open: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "constants": dict(self.constants),
            "statuses": dict(self.statuses),
            "order": self.order.value,
            "mark": self.mark.value,
            "open": list(self.open),
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Answers":
        return cls(
            dict(data.get("constants", {})),
            dict(data.get("statuses", {})),
            DateOrder(data.get("order", DateOrder.UNKNOWN)),
            DecimalMark(data.get("mark", DecimalMark.UNKNOWN)),
            tuple(data.get("open", ())),
        )

    def without_open(self) -> "Answers":
        return replace(self, open=())


NO_ANSWERS = Answers()
