"""Whole broadcasts to a relay that is 20 ms away: how many mails a second a connection carries, alone and beside others."""

from collections.abc import Iterable
from contextlib import ExitStack

from tests.benchmarks.broadcasting import accounted_by, far_relay, house
from tests.benchmarks.figure import Figure
from tests.benchmarks.postfix import Missing

ROUNDS = 5
CASES = {1: (500, 45), 50: (20_000, 2_200), 200: (50_000, 8_000)}
"""Connections: how many clients, and how many mails a second at least."""

SHORT_CASES = {50: 600}


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CASES if short else {connections: clients for connections, (clients, _) in CASES.items()}
    rates: dict[int, list[float]] = {connections: [] for connections in clients}
    with ExitStack() as stack:
        try:
            port, sink = stack.enter_context(far_relay())
        except Missing as missing:
            for connections in CASES:
                yield Figure.missing(
                    _name(connections), "mails/s", CASES[connections][1], str(missing), bound="at least"
                )
            return
        houses = {connections: stack.enter_context(house("SQLite", count)) for connections, count in clients.items()}
        for _ in range(1 if short else ROUNDS):
            for connections, ours in houses.items():
                rates[connections].append(accounted_by(sink, ours, port, connections=connections).rate)
    for connections, found in rates.items():
        yield Figure.of(_name(connections), found, "mails/s", CASES[connections][1], bound="at least")


def _name(connections: int) -> str:
    return f"20 ms away, {connections} connection{'s' if connections > 1 else ''}"
