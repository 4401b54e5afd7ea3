"""Which recipients' domains defer again and again, so that they are given time."""

from collections.abc import Iterable

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Blame, Outcome, Reply

STRIKES = 5
"""So many refusals of a domain with none of its mails taken between, and it is given time; one is enough for a domain that was before."""


class Strikes:
    """The domains of one sending process. What may be the relay's fault counts, and a recipient's only from the second attempt on: whoever
    comes first is told "not yet" by many (greylisting, RFC 6647)."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    @property
    def is_watching(self) -> bool:
        """False while no domain has refused anything: then nothing that is taken matters."""
        return bool(self._counts)

    def knows(self, domains: Iterable[str]) -> None:
        """These were given time before."""
        for domain in domains:
            self._counts.setdefault(domain, STRIKES - 1)

    def forget(self, domains: Iterable[str]) -> list[str]:
        """What these domains refused was not theirs. Returns those that were struck."""
        return [domain for domain in set(domains) if self._counts.pop(domain, None) is not None]

    def took(self, domain: str) -> bool:
        """A mail was taken; True when the domain was struck before."""
        return self._counts.pop(domain, None) is not None

    def saw(self, outcome: Outcome, reply: Reply, domain: str, attempt: int) -> bool:
        """A mail was not taken; True when the domain is to be given time."""
        again = outcome.blame is Blame.RECIPIENT and outcome.state is DeliveryState.DEFERRED and attempt > 1
        if reply.code is None or not (outcome.blame is Blame.EITHER or again):
            return False
        self._counts[domain] = count = self._counts.get(domain, 0) + 1
        if count < STRIKES:
            return False
        self._counts[domain] = STRIKES - 1
        return True
