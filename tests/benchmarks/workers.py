"""Two workers on one broadcast beside one, where neither the relay nor the processor is the limit: 20 ms away, few connections each."""

from collections.abc import Iterable

from tests.benchmarks.broadcasting import accounted_by, far_relay, house
from tests.benchmarks.figure import Figure
from tests.benchmarks.postfix import Missing

ROUNDS, CLIENTS, SHORT_CLIENTS = 5, 8_000, 1_500
CONNECTIONS = 10
KINDS = ("SQLite", "PostgreSQL")
GOAL = 1.6


def run(*, short: bool) -> Iterable[Figure]:
    for kind in KINDS[:1] if short else KINDS:
        name = f"two workers beside one, {kind}, {CONNECTIONS} connections each"
        ratios = []
        try:
            with far_relay() as relay, house(kind, SHORT_CLIENTS if short else CLIENTS) as ours:
                for _ in range(1 if short else ROUNDS):
                    one, two = (
                        accounted_by(relay, ours, workers=workers, connections=CONNECTIONS) for workers in (1, 2)
                    )
                    ratios.append(two.rate / one.rate)
        except Missing as missing:
            yield Figure.missing(name, "x", GOAL, str(missing), bound="at least")
        else:
            yield Figure.of(name, ratios, "x", GOAL, bound="at least")
