"""CPU time of DKIM's signatures of a mail: 10 KB multipart, every mail another. How long RSA and Ed25519 take themselves is the machine's;
all else is ours, and a figure of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count

from tests.benchmarks.figure import Figure
from tests.benchmarks.render import COMMON, ENVELOPE, PARAGRAPH, content, rows, stamp
from webapp.core.rules.dkim import Algorithm, MailSigner, SigningKey, opened
from webapp.core.rules.dkim.keys import made

ROUNDS, MAILS = 9, 400
SHORT_ROUNDS, SHORT_MAILS = 2, 40

DATE = datetime(2026, 11, 23, 12, tzinfo=UTC)
LENGTHS = {Algorithm.RSA: 256, Algorithm.ED25519: 64}
"""Octets of a signature."""


def signer(*algorithms: Algorithm, opens: Callable[[Algorithm], Callable[[bytes], bytes]]) -> MailSigner:
    domain = ENVELOPE.from_address.rpartition("@")[2]
    return MailSigner([SigningKey(domain, f"mm-{one.kind}", one, opens(one)) for one in algorithms])


def microseconds(by: MailSigner, mails: Sequence[bytes]) -> float:
    begin = time.process_time_ns()
    for mail in mails:
        by.fields(mail, DATE)
    return (time.process_time_ns() - begin) / len(mails) / 1000


def run(*, short: bool) -> Iterator[Figure]:
    message, names = content(PARAGRAPH, 10_000), count()
    kept = {one: opened(made(one)[0]) for one in Algorithm}
    no_time = lambda one: lambda _digest: bytes(LENGTHS[one])  # noqa: E731
    cases = {
        "DKIM, RSA and Ed25519": (signer(*Algorithm, opens=kept.__getitem__), 120),
        "DKIM, Ed25519 alone": (signer(Algorithm.ED25519, opens=kept.__getitem__), 120),
        "DKIM, both, without RSA and Ed25519 themselves": (signer(*Algorithm, opens=no_time), 60),
    }
    measured: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(SHORT_ROUNDS if short else ROUNDS):
        for name, (by, _) in cases.items():
            values = rows(COMMON, message.tags, names, SHORT_MAILS if short else MAILS)
            mails = [message.render(one, stamp(number)) for number, one in enumerate(values)]
            measured[name].append(microseconds(by, mails))
    for name, (_, goal) in cases.items():
        yield Figure.of(name, measured[name], "µs CPU/mail", goal, bound="at most")
