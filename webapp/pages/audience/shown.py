"""How a criterion stands on the filter page: chips, and for a long one a list with a search behind them."""

from dataclasses import dataclass

from webapp.core.audience import Choice, Criterion

CHIPS = 8
"""Choices of a long criterion that stand on the page from the start; two more are not worth a list of their own."""

NOUNS = {
    "earlier_outcomes": "mass mail",
    "not_reached_by": "mass mail",
    "countries": "country",
    "languages": "language",
    "client_statuses": "status",
    "products": "product",
    "service_statuses": "status",
    "addons": "addon",
    "addon_statuses": "status",
}


@dataclass(frozen=True, slots=True)
class ShownCriterion:
    """A criterion with the choices that are chips, and by group those that are found in its list."""

    name: str
    label: str
    noun: str
    chips: tuple[Choice, ...]
    more: tuple[tuple[str, tuple[Choice, ...]], ...]

    @property
    def any_label(self) -> str:
        return f"any {self.noun}"

    @property
    def meanings(self) -> tuple[Choice, ...]:
        """The choices that need an explanation."""
        return tuple(choice for choice in self.chips if choice.meaning)

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.chips + tuple(choice for _, group in self.more for choice in group)


def shown(criterion: Criterion) -> ShownCriterion:
    """Statuses and short criteria are all chips; of a long one the chosen choices and the most frequent are."""
    noun, choices = NOUNS[criterion.name], criterion.choices
    if criterion.name.endswith(("statuses", "outcomes", "reached_by")) or len(choices) <= CHIPS + 2:
        return ShownCriterion(criterion.name, criterion.label, noun, choices, ())
    chips = max(CHIPS, len(criterion.chosen))
    groups: dict[str, list[Choice]] = {}
    for choice in sorted(choices[chips:], key=lambda one: (one.group.casefold(), one.label.casefold())):
        groups.setdefault(choice.group, []).append(choice)
    more = tuple((group, tuple(members)) for group, members in groups.items())
    return ShownCriterion(criterion.name, criterion.label, noun, choices[:chips], more)
