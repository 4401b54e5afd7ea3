"""Whole broadcasts to a relay that is 20 ms away: how many mails a second a connection carries, alone and beside others."""

from collections.abc import Iterable
from contextlib import ExitStack

from tests.benchmarks.broadcasting import Sent, accounted_by, far_relay, house
from tests.benchmarks.figure import Figure
from tests.benchmarks.postfix import Missing

ROUNDS = 5
CASES = {1: (500, 45), 50: (40_000, 2_200), 200: (100_000, 8_000)}
"""Connections: how many clients, and how many mails a second at least."""

SHORT_CASES = {50: 600}


def run(*, short: bool) -> Iterable[Figure]:
    clients = SHORT_CASES if short else {connections: clients for connections, (clients, _) in CASES.items()}
    sent: dict[int, list[Sent]] = {connections: [] for connections in clients}
    with ExitStack() as stack:
        try:
            relay = stack.enter_context(far_relay())
        except Missing as missing:
            for connections in CASES:
                yield Figure.missing(
                    _name(connections), "mails/s", CASES[connections][1], str(missing), bound="at least"
                )
            return
        houses = {connections: stack.enter_context(house("SQLite", count)) for connections, count in clients.items()}
        for _ in range(1 if short else ROUNDS):
            for connections, ours in houses.items():
                sent[connections].append(accounted_by(relay, ours, connections=connections))
    for connections, rounds in sent.items():
        rates = [one.rate for one in rounds]
        yield Figure.of(_name(connections), rates, "mails/s", CASES[connections][1], bound="at least")
        print(f"  µs CPU/mail: {rounds[-1].together()}")


def _name(connections: int) -> str:
    return f"20 ms away, {connections} connection{'s' if connections > 1 else ''}"
