"""The evidence: whether refusals are the recipients' fault or the relay's, judged by what happens to the mails of others.

One refusal proves nothing. It is the recipient's when the relay takes a mail for somebody else after it; when so many recipients of so many
domains are refused and nobody's mail is taken between, it is the relay's. A sender stops handing over as soon as that is clear.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.rules.outcome import Blame, Cause, Outcome, Reply, Stage
from webapp.core.rules.refusal import Addressee, Refusal, in_relays_words, refusal_of

IN_A_ROW = 3
"""Errors of the relay, one after the other, that end the sending for now."""

WINDOW = 50
"""Outcomes looked at together: more than half of a full window not taken, for the relay's sake, ends it, too."""

RECIPIENTS, DOMAINS = 10, 5
"""So many recipients of so many domains, refused for what may be either's fault with nobody's mail taken between, are the relay's."""

SPREAD = 3
"""Of so many domains those must be who are left at the end of a list, for being refused twice to be the relay's."""

EQUAL_DOMAINS = 10
"""Recipients of so many domains, refused for good in equal words with nobody's mail taken between, are the relay's whatever the words
say."""

FAILURES, FAILURES_AT_FIRST = 50, 20
"""So many refusals for good with nobody's mail taken between are the relay's in any case; fewer as long as it never took a mail of the
broadcast. A message that nobody's relay takes, or that cannot be made, shall not use up the whole list."""

CONTENT_WINDOW, CONTENT_REFUSALS, CONTENT_SHARE = 100, 6, 0.2
"""Of the last hundred mails a fifth refused for good at their end, at least so many and over `DOMAINS` domains: that is the content."""

SILENT_S = 10.0
"""A relay that says nothing to a new connection until its time-out, and takes nobody's mail for so long, is not there: time-outs may be
minutes, and nobody shall wait for three of them to hear of it."""

FIRST_MAILS = 5
"""How many mails may be under way before one was taken: an ill relay shall refuse few."""

_SITE_WIDE = frozenset({Stage.CONNECT, Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.AUTH})


class VerdictKind(StrEnum):
    """What a verdict leads to: the broadcast waits for the relay and goes on by itself, or pauses for a person to look at it."""

    WAITING = "waiting"
    REFUSING = "refusing"
    CONTENT = "content"


class Verdict(NamedTuple):
    """Why nothing more is handed over. `is_site_wide`: it holds for whatever is sent over this relay, not for this broadcast alone. `key`
    is that of refusals in equal words, where these decided: whoever was refused so is not to blame."""

    kind: VerdictKind
    words: str
    is_site_wide: bool
    stage: Stage
    key: str | None = None


class Evidence:
    """What one sending process knows. Once there is a `verdict` it hands nothing more over.

    It begins with what others have left behind: the `run` of refusals since the last mail that was taken, how many errors of the relay came
    one after the other last of all (`in_a_row`), whether the relay ever took a mail of this broadcast (`has_delivered`). With `is_probing`
    one mail feels the way, and the first refusal that may be the relay's ends it. `heeds_content` is off when somebody resumed the
    broadcast although many were refused. `most_under_way` says how many mails may be at the relay at a time; None: any number. With other
    `senders` of the broadcast beside it, each may add its share of refusals, and then tries nobody until all know of them.
    """

    __slots__ = (
        "_dot_refusals",
        "_heeds_content",
        "_ill",
        "_is_calm",
        "_is_proven",
        "_is_resumed",
        "_others",
        "_patience",
        "_taken",
        "_unshared",
        "_window",
        "has_delivered",
        "in_a_row",
        "is_probing",
        "most_under_way",
        "run",
        "senders",
        "spread",
        "verdict",
    )

    def __init__(
        self,
        *,
        run: Iterable[Refusal] = (),
        in_a_row: int = 0,
        has_delivered: bool = False,
        is_probing: bool = False,
        heeds_content: bool = True,
        spread: int = EQUAL_DOMAINS,
    ) -> None:
        self.run = list(run)
        self.in_a_row = in_a_row
        self.has_delivered = has_delivered
        self.is_probing = self._is_resumed = is_probing
        self.verdict: Verdict | None = None
        self._heeds_content = heeds_content
        self.spread = spread
        self.senders = 1
        self._unshared = 0  # refusals that other senders cannot know yet
        self._patience = 1 if is_probing else IN_A_ROW
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._ill = 0
        self._taken = self._others = 0
        self._dot_refusals: deque[tuple[int, str]] = deque()
        self._is_proven = False
        self._is_calm = False  # nothing that went well can change anything
        self.most_under_way: int | None = None
        self._limit()

    def begin_probe(self) -> None:
        """Feel the way with one mail, as the relay was waited for."""
        self.is_probing, self._patience, self._is_calm, self._is_proven = True, 1, False, False
        self._limit()

    def took(self) -> None:
        """The relay took a mail."""
        self._taken += 1
        if self._is_calm:
            return
        self._is_proven = self.has_delivered = True
        self.is_probing, self._is_resumed, self._patience = False, False, IN_A_ROW
        self.run.clear()
        self._unshared = 0
        self._went_well()
        self._is_calm = self.most_under_way is None and not self._ill and len(self._window) == WINDOW

    def saw(
        self,
        outcome: Outcome,
        reply: Reply,
        recipient: Addressee | None = None,
        *,
        after_s: float = 0.0,
        quiet_s: float = 0.0,
    ) -> None:
        """Anything else happened to a mail, or (without a recipient) to a connection tried for `after_s` seconds. Nobody's mail was
        taken for `quiet_s`."""
        if reply.cause is Cause.WITHDRAWN:
            return
        self._is_calm = False
        if recipient is not None:
            self._others += 1
        if outcome.blame is Blame.RELAY:
            self._saw_illness(outcome, reply, is_silent=quiet_s >= max(after_s, SILENT_S))
        elif recipient is not None:
            self._saw_refusal(outcome, reply, recipient)
        self._limit()

    def know(self, run: Iterable[Refusal], own: Sequence[Refusal] = ()) -> None:
        """This is the run as all sending processes of the broadcast know it together: others were refused, or taken, meanwhile. `own` are
        refusals since, which the others do not know."""
        self.run = [*run, *own]
        self._unshared = len(own)
        parked = [one for one in self.run if one.is_parked]
        if self.verdict is None and self._is_everybody(parked):
            self.verdict = _everybody(parked)
        self._is_calm = self._is_calm and not self.run
        self._limit()

    def nothing_left(self) -> Verdict | None:
        """Nobody is left to try. Where nobody's mail was ever taken, all there are were refused: that is the relay's. So it is where
        others were taken before, and those that are left, of several domains, were refused twice."""
        parked = [one for one in self.run if one.is_parked]
        twice = all(one.attempt > 1 for one in parked) and len({one.domain for one in parked}) >= SPREAD
        if self.verdict is None and parked and (twice or not self.has_delivered):
            self.verdict = _everybody(parked)
            self._limit()
        return self.verdict

    def _saw_illness(self, outcome: Outcome, reply: Reply, *, is_silent: bool) -> None:
        self.in_a_row += 1
        if reply.cause is Cause.SILENT and reply.stage in _SITE_WIDE and is_silent:
            self.in_a_row = max(self.in_a_row, self._patience)
        self._remember(True)
        is_doubtful = outcome.state is DeliveryState.UNCERTAIN  # each further try may be one more in doubt
        if outcome.is_final:
            self._conclude(VerdictKind.REFUSING, outcome, reply)
        elif self.in_a_row >= self._patience or (len(self._window) == WINDOW and self._ill > WINDOW // 2):
            self._conclude(VerdictKind.REFUSING if is_doubtful else VerdictKind.WAITING, outcome, reply)

    def _saw_refusal(self, outcome: Outcome, reply: Reply, recipient: Addressee) -> None:
        """The relay answered for this one recipient: it works, as far as it goes."""
        if reply.code is not None:
            self._went_well()
        elif reply.stage is not Stage.RENDER:
            return  # our own judgement of an address
        refusal = refusal_of(outcome, reply, recipient)
        if refusal is None or (not refusal.is_parked and recipient.attempt > 1 and self.has_delivered):
            return  # the last was tried before, and then others were taken: nothing new
        self.run = [one for one in self.run if one.delivery_id != recipient.delivery_id]
        self.run.append(refusal)
        self._unshared += 1
        if refusal.is_final and refusal.is_parked and reply.stage in (Stage.DOT, Stage.BODY):
            self._remember_at_dot(recipient.domain)
        self._weigh(outcome, reply, refusal)

    def _weigh(self, outcome: Outcome, reply: Reply, last: Refusal) -> None:
        kind = VerdictKind.REFUSING if last.is_final else VerdictKind.WAITING
        parked = [one for one in self.run if one.is_parked]
        final = [one for one in self.run if one.is_final]
        equal = {one.domain for one in takewhile(lambda one: one.key == last.key, reversed(final))}
        most = FAILURES if self.has_delivered else FAILURES_AT_FIRST
        # A probe after a pause asks whether it still refuses; one after waiting, whether it is there.
        is_answer = last.is_parked and self.is_probing and (self._is_resumed or not last.is_final)
        # No mail of a broadcast is much smaller than the others.
        is_too_big = outcome.reason == "too_big" and last.is_final and not self.has_delivered
        if is_answer or is_too_big:
            self._conclude(kind, outcome, reply)
        elif last.is_parked and self._is_everybody(parked):
            self._conclude(kind, outcome, reply, key=_common_key(parked))
        elif last.is_final and len(equal) >= EQUAL_DOMAINS:
            self._conclude(VerdictKind.REFUSING, outcome, reply, key=last.key)
        elif len(final) >= most:
            self._conclude(
                VerdictKind.REFUSING, outcome, reply, f"{len(final)} mails failed one after the other. The last: "
            )
        elif len(parked) >= most:
            self._conclude(kind, outcome, reply, f"{len(parked)} mails were refused one after the other. The last: ")
        elif last.is_final and last.is_parked:
            self._weigh_content(outcome, reply)

    def _is_everybody(self, parked: Sequence[Refusal]) -> bool:
        """So many recipients, of so many domains as there are, up to `DOMAINS`."""
        enough = max(min(DOMAINS, self.spread), 1)
        return len(parked) >= RECIPIENTS and len({one.domain for one in parked}) >= enough

    def _weigh_content(self, outcome: Outcome, reply: Reply) -> None:
        tried = min(self._taken + self._others, CONTENT_WINDOW)
        refused, domains = len(self._dot_refusals), len({domain for _number, domain in self._dot_refusals})
        is_much = refused >= max(CONTENT_REFUSALS, CONTENT_SHARE * tried) and domains >= DOMAINS
        if is_much and self._heeds_content and self.has_delivered:
            words = (
                f"Of the last {tried} mails the relay refused {refused} at their end, to {domains} domains. The last: "
            )
            self._conclude(VerdictKind.CONTENT, outcome, reply, words)

    def _remember_at_dot(self, domain: str) -> None:
        number = self._taken + self._others
        self._dot_refusals.append((number, domain))
        while self._dot_refusals[0][0] <= number - CONTENT_WINDOW:
            self._dot_refusals.popleft()

    def _conclude(
        self, kind: VerdictKind, outcome: Outcome, reply: Reply, before: str = "", *, key: str | None = None
    ) -> None:
        if self.verdict is None:
            words = before + in_relays_words(outcome, reply)
            self.verdict = Verdict(kind, words, reply.stage in _SITE_WIDE, reply.stage, key)

    def _went_well(self) -> None:
        self.in_a_row = 0
        self._remember(False)
        self._limit()

    def _remember(self, ill: bool) -> None:
        if len(self._window) == WINDOW and self._window[0]:
            self._ill -= 1
        self._window.append(ill)
        self._ill += ill

    def _limit(self) -> None:
        """The fewer mails are under way, the fewer an ill relay refuses before that is clear."""
        most: int | None = None if self._is_proven else FIRST_MAILS
        if self.is_probing:
            most = 1
        if self.in_a_row:
            most = max(self._patience - self.in_a_row, 1)
        parked = sum(one.is_parked for one in self.run)
        if parked or len(self.run) >= RECIPIENTS // 2:
            room = max(RECIPIENTS - max(parked, len(self.run) - RECIPIENTS), 1)
            if self.senders > 1:
                room = max(max((room + self._unshared) // self.senders, 1) - self._unshared, 0)
            most = room if most is None else min(most, room)
        self.most_under_way = 0 if self.verdict is not None else most


def _everybody(parked: Sequence[Refusal]) -> Verdict:
    """All of them were refused: it is the relay's."""
    last = parked[-1]
    kind = VerdictKind.REFUSING if last.is_final else VerdictKind.WAITING
    return Verdict(kind, last.words, False, Stage.DOT, _common_key(parked))


def _common_key(parked: Sequence[Refusal]) -> str | None:
    """The key of final refusals in equal words. A mail that was further on when the relay began to refuse is still taken, which made those
    before it the recipients': the key finds them again."""
    last = parked[-1]
    return last.key if last.is_final and all(one.key == last.key for one in parked) else None
