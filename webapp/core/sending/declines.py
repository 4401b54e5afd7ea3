"""Who has declined since their mail was claimed: asked again, just before a content begins, for all mails in hand at once."""

from collections.abc import Callable, Collection, Iterable, Sequence

from webapp.core.ledger import Claimed
from webapp.core.ports import Watch

WhoDeclined = Callable[[Sequence[int]], Collection[int]]
"""Of these deliveries, those whose recipients must not get the broadcast any more."""


class Declines:
    """What one sending process knows. A claim asks who declined; from there on a mail costs a comparison for as long as nobody did. Used by
    the mailer's thread alone."""

    def __init__(self, watch: Watch, ask: WhoDeclined) -> None:
        self._watch, self._ask = watch, ask
        self._found: Collection[int] = ()

    def hit(self, claimed: Claimed, in_hand: Callable[[], Iterable[Claimed]]) -> bool:
        """Whether this mail must not leave, as of the watch's last look. `in_hand` are all that are claimed and not settled. Raises what
        the database raises."""
        consent = self._watch.consent
        if claimed.consent != consent:
            # Asked after that look, and so of no earlier moment.
            held = list(in_hand())
            self._found = frozenset(self._ask([one.delivery_id for one in held]))
            for one in held:
                one.consent = consent
        return claimed.delivery_id in self._found
