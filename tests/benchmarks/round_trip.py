"""Whole broadcasts to a relay that is 20 ms away: how many mails a second a connection carries, alone and beside others."""

from collections.abc import Iterable

from tests.benchmarks.broadcasting import accounted_by, far_relay, house
from tests.benchmarks.figure import Figure
from tests.benchmarks.postfix import Missing

ROUNDS = 5
CASES = {1: (250, 45.0), 50: (14_000, 2_200.0), 200: (50_000, 8_000.0)}
"""Connections: how many clients, and how many mails a second at least."""

SHORT_CASES = {50: 600}


def run(*, short: bool) -> Iterable[Figure]:
    measured: dict[int, list[float]] = {connections: [] for connections in CASES}
    try:
        for _ in range(1 if short else ROUNDS):
            for connections in SHORT_CASES if short else CASES:
                clients = SHORT_CASES[connections] if short else CASES[connections][0]
                with far_relay() as (port, sink), house("SQLite", clients) as ours:
                    measured[connections].append(accounted_by(sink, ours, port, connections=connections).rate)
    except Missing as missing:
        for connections, (_, goal) in CASES.items():
            yield Figure.missing(_name(connections), "mails/s", goal, str(missing), bound="at least")
        return
    for connections, rates in measured.items():
        if rates:
            yield Figure.of(_name(connections), rates, "mails/s", CASES[connections][1], bound="at least")


def _name(connections: int) -> str:
    return f"20 ms away, {connections} connection{'s' if connections > 1 else ''}"
