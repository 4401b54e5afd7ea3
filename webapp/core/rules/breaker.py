"""When a sender stops because the relay is ill, and how carefully it feels its way."""

from collections import deque

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Cause, Outcome, Reply

IN_A_ROW = 3
"""Relay-level errors, one after the other, that open the breaker."""

WINDOW = 50
"""Outcomes looked at together: more than half of a full window held or not taken, for the relay's sake, opens the breaker."""

FAILURES = 50
FAILURES_AT_FIRST = 20
"""Mails that failed one after the other, whosever fault each of them is said to be, that open the breaker; fewer as long as the relay never
took a mail of the broadcast. A relay that refuses everybody in words that speak of the recipient, or a message that cannot be made, shall
not use up the whole list."""

FIRST_MAILS = 5
"""How many mails may be under way before one was taken: an ill relay shall refuse few."""


class Breaker:
    """Watches outcomes of one sending process. Once `opened_by` is set nothing more is handed over; a new process starts afresh, but for
    `in_a_row`, the errors of the relay that came one after the other up to now. `has_delivered`: the relay took mails of this broadcast
    before; if not, `failures` are those that failed.

    With `probing` (the broadcast was resumed after a breaker opened) the first error opens it again. `most_under_way` says how many mails
    may be at the relay at a time; None: any number.
    """

    __slots__ = (
        "_failures",
        "_ill",
        "_is_calm",
        "_is_proven",
        "_most_failures",
        "_patience",
        "_window",
        "in_a_row",
        "most_under_way",
        "opened_by",
    )

    def __init__(
        self, *, probing: bool = False, in_a_row: int = 0, has_delivered: bool = False, failures: int = 0
    ) -> None:
        self._patience = 1 if probing else IN_A_ROW
        self._failures = 0 if has_delivered or probing else failures
        self._most_failures = FAILURES if has_delivered else FAILURES_AT_FIRST
        self.in_a_row = in_a_row
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._ill = 0
        self._is_proven = False
        self._is_calm = False  # nothing that went well can change anything
        self.opened_by: str | None = None
        self.most_under_way: int | None = max(self._patience - in_a_row, 1) if in_a_row else FIRST_MAILS

    def took(self) -> None:
        """The relay took a mail."""
        if self._is_calm:
            return
        self._is_proven = True
        self._patience = IN_A_ROW
        self._failures, self._most_failures = 0, FAILURES
        self._went_well()
        self._is_calm = self.most_under_way is None and not self._ill and len(self._window) == WINDOW

    def saw(self, outcome: Outcome, reply: Reply) -> None:
        """Anything else happened to a mail, or to a connection."""
        if outcome.scope == "recipient":
            if outcome.state is DeliveryState.FAILED:
                self._saw_failure(outcome, reply)
            if reply.code is not None:  # the relay answered for this one recipient: it works, as far as it goes
                self._went_well()
            return
        self._is_calm = False
        self.in_a_row += 1
        self._remember(True)
        if (
            outcome.opens_breaker
            or self.in_a_row >= self._patience
            or (len(self._window) == WINDOW and self._ill > WINDOW // 2)
        ):
            self.opened_by = self.opened_by or in_relays_words(outcome, reply)
        self.most_under_way = 0 if self.opened_by is not None else max(self._patience - self.in_a_row, 1)

    def _saw_failure(self, outcome: Outcome, reply: Reply) -> None:
        self._is_calm = False
        self._failures += 1
        if self._failures >= self._most_failures:
            words = in_relays_words(outcome, reply)
            self.opened_by = self.opened_by or f"{self._failures} mails failed one after the other. The last: {words}"
            self.most_under_way = 0

    def _went_well(self) -> None:
        self.in_a_row = 0
        self._remember(False)
        if self.opened_by is None:
            self.most_under_way = None if self._is_proven else FIRST_MAILS

    def _remember(self, ill: bool) -> None:
        if len(self._window) == WINDOW and self._window[0]:
            self._ill -= 1
        self._window.append(ill)
        self._ill += ill


def in_relays_words(outcome: Outcome, reply: Reply) -> str:
    """Why the broadcast paused: what it means, and what the relay itself said."""
    words = outcome.words[:1].upper() + outcome.words[1:]
    if reply.code is not None:
        return f"{words}. The relay said, at {reply.stage.value.upper()}: {reply.code} {reply.text}".strip()
    if reply.error:
        where = "" if reply.cause is Cause.UNREACHABLE else f" ({reply.stage.value})"
        return f"{words}{where}: {reply.error.removeprefix('cannot connect: ')}"
    return f"{words} ({reply.stage.value})"
