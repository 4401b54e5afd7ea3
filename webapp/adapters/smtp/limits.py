"""How many connections a relay takes, and how many mails on each, learned by meeting the limit. No sockets: values in, values out.

A refusal alone teaches nothing: a relay that is stopping refuses, too. A limit counts once the relay took mails after the refusal: on
the connections that were there (there was one too many), or on a new one (the old one had carried enough). Times are monotonic seconds.
"""

import math
from collections import deque
from collections.abc import Collection
from typing import Protocol

NEVER = math.inf
GROWTH_S, LONGEST_GROWTH_S = 60.0, 3600.0
"""Seconds until the mailer tries one connection more than the relay took; doubled each time that the relay refuses it."""
TRIAL_S, LONGEST_TRIAL_S = 600.0, 4 * 3600.0
"""Seconds until a connection tries to carry twice as many mails."""
EXCUSES, EXCUSED_FOR_S = 3, 1.0
"""So many refusals in so many seconds may come from connections that have ended and that the relay still counts."""


class Carrier(Protocol):
    """A connection: when it began, whether it opened, how many contents it has begun to carry, and when the relay last answered a mail on
    it after it had taken its sender (0: never)."""

    began_at: float
    worked_at: float
    mails: int
    is_open: bool


class ConnectionLimit:
    """How many connections the relay takes from this mailer. `most` None: any number. `grow_at` is when the mailer may try one more."""

    def __init__(self) -> None:
        self.most: int | None = None
        self.grow_at = NEVER
        self.is_in_question = False
        self._before: int | None = None
        self._refused_at = 0.0
        self._others_worked = False
        self._pause = GROWTH_S
        self._tried_at: float | None = None
        self._excused: deque[float] = deque(maxlen=EXCUSES)

    @property
    def is_trying(self) -> bool:
        """Whether one connection more than before is on trial."""
        return self._tried_at is not None

    def adopt(self, most: int | None, now: float) -> None:
        """Take over what others know. What this mailer found out itself counts more, as long as there is a limit."""
        if most is None or self.most is None:
            self.most, self.is_in_question, self._tried_at = most, False, None
            self.grow_at = NEVER if most is None else now + self._pause

    def refused(self, others: int, allowed: int, now: float, *, one_just_ended: bool) -> None:
        """The relay refused a connection beside `others`, which carry mails; `allowed` is how many there might be."""
        if one_just_ended:
            if self._is_excused(now):
                return
            self._excused.clear()
        if not self.is_in_question:
            self._before, self._refused_at, self._others_worked = self.most, now, False
        self.is_in_question = True
        self.most = max(1, others, allowed - 1 if one_just_ended else 0)
        if self._tried_at is not None:
            self._pause, self._tried_at = min(self._pause * 2, LONGEST_GROWTH_S), None
        self.grow_at = now + self._pause

    def ended(self, connection: Carrier) -> None:
        """A connection is no more."""
        if self.is_in_question and self._has_shown(connection):
            self._others_worked = True

    def learns(self, connections: Collection[Carrier], full: int, now: float) -> bool:
        """Whether `most` is certain now, and was not before. `full` is how many are wanted."""
        if self.is_in_question:
            return self._is_confirmed(connections, now)
        if self._tried_at is None or self.most is None or len(connections) < self.most:
            return False
        if not any(one.began_at >= self._tried_at and one.worked_at for one in connections):
            return False
        self._pause, self._tried_at, self.grow_at = GROWTH_S, None, now + GROWTH_S
        if self.most >= full:
            self.most, self.grow_at = None, NEVER
        return True

    def grow(self, held: int, now: float) -> int:
        """Try one connection more than there are. Returns how many that makes."""
        self.most, self._tried_at = held + 1, now
        self.grow_at = now + self._pause
        return self.most

    def forget_question(self) -> None:
        """The relay is ill: what it refused meanwhile teaches nothing."""
        if self.is_in_question:
            self.most, self.is_in_question = self._before, False
            if self.most is None:
                self.grow_at = NEVER

    def _is_confirmed(self, connections: Collection[Carrier], now: float) -> bool:
        there = [one for one in connections if one.is_open and one.began_at <= self._refused_at]
        if self._others_worked or any(map(self._has_shown, there)):
            if now < self._refused_at + EXCUSED_FOR_S and not all(one.worked_at for one in connections):
                return False  # some have not been of use yet, and may be refused, too
            self.is_in_question = False
            return True
        if not there:
            self.forget_question()
        return False

    def _has_shown(self, connection: Carrier) -> bool:
        return connection.began_at <= self._refused_at < connection.worked_at

    def _is_excused(self, now: float) -> bool:
        if len(self._excused) == EXCUSES and now - self._excused[0] < EXCUSED_FOR_S:
            return False
        self._excused.append(now)
        return True


class MailsLimit:
    """How many mails the relay takes on one connection. `most` None: any number."""

    def __init__(self) -> None:
        self.most: int | None = None
        self.is_in_question = False
        self._asked, self._asked_at = 0, 0.0
        self._seen, self._seen_at = 0, 0.0
        self._new_one_worked = self._is_said = False
        self._trial: Carrier | None = None
        self._try_at, self._pause = NEVER, TRIAL_S

    def adopt(self, most: int | None, now: float) -> None:
        """Take over what others know."""
        if most == self.most:
            return
        self.most, self.is_in_question = most, False
        self._try_at = NEVER if most is None else now + self._pause

    def for_new(self, connection: Carrier, full: int, now: float) -> int:
        """The number of mails after which a new connection leaves. Now and then one tries twice as many as are known to go."""
        if self.most is None:
            return full
        if now >= self._try_at and self._trial is None:
            self._trial, self._try_at = connection, NEVER
            return min(self.most * 2, full)
        return min(self.most, full)

    def for_old(self, connection: Carrier, full: int) -> int:
        """The number of mails after which an existing connection leaves."""
        if self.most is None:
            return full
        return min(self.most * 2 if connection is self._trial else self.most, full)

    def met(self, connection: Carrier, now: float, *, says_so: bool) -> None:
        """The relay took no more mails on this connection, or closed it after one. `says_so`: its words say that there were enough."""
        mails, most = connection.mails, self.most
        if connection is self._trial:
            self._trial = None
            assert most is not None
            if mails > most:
                self._ask(mails, now)
                self._is_said = True
            self._pause = TRIAL_S if mails > most else min(self._pause * 2, LONGEST_TRIAL_S)
            self._try_at = now + self._pause
        elif mails and (most is None or mails < most):
            if says_so and mails > 1:
                self._ask(mails, now)
                self._is_said = True
                return
            if self.is_in_question and not self._is_said and mails != self._asked:
                self.is_in_question = False  # an end after changing numbers of mails is no limit
            if mails != self._seen:
                self._seen, self._seen_at = mails, now
            elif (
                connection.began_at >= self._seen_at
            ):  # again, and not together with the first: one fault may end several
                self._ask(mails, now)

    def ended(self, connection: Carrier, full: int, now: float) -> bool:
        """A connection has ended. Returns whether it has shown that more mails go than was known."""
        if self.is_in_question and connection.worked_at and connection.began_at >= self._asked_at:
            self._new_one_worked = True
        self._disprove(connection.mails)
        if connection is not self._trial:
            return False
        assert self.most is not None
        self._trial, self._try_at = None, now + self._pause
        if connection.mails <= self.most:
            return False
        self._set(connection.mails, full, now)
        return True

    def learns(self, connections: Collection[Carrier], full: int, now: float) -> bool:
        """Whether `most` is certain now, and was not before. `full` is how many the settings allow."""
        if not self.is_in_question:
            return False
        if any(one.mails > self._asked for one in connections):
            self.is_in_question = False
        elif self._new_one_worked or any(one.began_at >= self._asked_at and one.worked_at for one in connections):
            self._set(self._asked, full, now)
            return True
        return False

    def forget_question(self) -> None:
        """The relay is ill: connections that it ended meanwhile teach nothing."""
        self.is_in_question, self._seen = False, 0

    def _disprove(self, mails: int) -> None:
        """A connection carried `mails`: others that ended after fewer, without a word, met a fault and no limit."""
        if self.is_in_question and not self._is_said and mails > self._asked:
            self.is_in_question = False
        if mails > self._seen:
            self._seen = 0

    def _ask(self, mails: int, now: float) -> None:
        if not self.is_in_question or mails < self._asked:
            self.is_in_question, self._new_one_worked, self._is_said = True, False, False
            self._asked, self._asked_at = mails, now

    def _set(self, mails: int, full: int, now: float) -> None:
        self.is_in_question, self._seen = False, 0
        self.most = mails if mails < full else None
        self._try_at = NEVER if self.most is None else now + self._pause
