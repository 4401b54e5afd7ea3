"""In which order files of tests begin: those that take long come first, so that at the end no process works alone on one of them; and those
in which programs wait for each other between those that keep the processor busy."""

from collections.abc import Sequence
from itertools import chain, groupby, zip_longest

import pytest

WAITING = ("tests/journeys/", "tests/jobs/", "tests/demo/", "tests/deploy/", "tests/bootstrap/", "tests/security/")
BUSY = ("tests/browser/test_",)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The same tests, the files in their order; those of one file stay as they are."""
    files = [list(tests) for _, tests in groupby(items, lambda item: item.nodeid.partition("::")[0])]
    waiting, busy, rest = (
        [file for file in files if file[0].nodeid.startswith(WAITING)],
        [file for file in files if file[0].nodeid.startswith(BUSY)],
        [file for file in files if not file[0].nodeid.startswith((*WAITING, *BUSY))],
    )
    waiting.sort(key=lambda file: not file[0].nodeid.startswith(WAITING[:2]))
    alternately = [file for pair in zip_longest(waiting, busy) for file in pair if file]
    return list(chain.from_iterable([*alternately, *rest]))
