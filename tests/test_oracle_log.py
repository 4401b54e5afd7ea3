"""The log of the SMTP server of the tests, read while it is written."""

from contextlib import nullcontext

from tests import oracle_log


class Growing:
    """A log whose last line was written in two halves: the second came just after the first was read."""

    def open(self, **_: object) -> nullcontext[list[str]]:
        return nullcontext(['{"event": "mail", "at": 1}\n', '{"event": "ma', 'il", "at": 2}\n'])


def test_a_line_that_is_being_written_is_left_for_the_next_look():
    assert [event["at"] for event in oracle_log.events(Growing())] == [1]  # type: ignore[arg-type]
