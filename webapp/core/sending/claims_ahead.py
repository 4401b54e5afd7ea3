"""How many mails a sender claims ahead: about as many as the relay takes in a second, because these are uncertain if this machine is
lost."""

LEAST = 50
COUNTED_S = 1.0
LONGEST_S = 60.0


class ClaimsAhead:
    """`wanted` is how many mails to have claimed, beside those at the relay. It begins small, doubles whenever none was left, up to two
    groups (so that one is still there when the next is claimed), and comes down to the number of mails settled in a second."""

    def __init__(self, group: int, connections: int) -> None:
        self._most = 2 * group
        self.wanted = self._least = min(max(2 * connections, LEAST), self._most)
        self._settled = 0
        self._since: float | None = None

    def counted(self, settled: int, ran_dry: bool, ticks: float) -> None:
        """`settled` mails were settled since the last call. `ran_dry`: none was left to hand over."""
        self._settled += settled
        if ran_dry:
            self.wanted = min(2 * self.wanted, self._most)
        if self._since is None:
            self._since = ticks
        passed = ticks - self._since
        if passed < COUNTED_S:
            return
        rate = self._settled / min(passed, LONGEST_S)
        self._settled, self._since = 0, ticks
        self.wanted = min(self.wanted, max(int(rate * COUNTED_S), self._least))
