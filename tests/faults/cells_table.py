"""What each of the 88 cells must end in, written down by hand after the promises of the sending engine.

Four mails leave one after the other over one connection. One letter stands for what became of each:

a  accepted at the first try               A  accepted at the second: of the first nothing was taken
p  pending, never tried
d  deferred: the relay took a mail for somebody else after it, so it is the recipient's, due again in a minute, give or take a fifth
F  failed: refused for good, and the relay took a mail for somebody else after it
h  held for the relay's sake               u  uncertain
f  failed: no such mailbox

`!`: the broadcast has paused itself, in the relay's words; a resume is to probe. `~`: it waits for the relay, in its words; it goes on by
itself, so of the rows it is only told that none is taken, failed or in doubt. Without either, it goes on while a row is open, needs
attention when the rest is uncertain, and is finished otherwise. A stage with `|` is for a relay that can pipeline, where it differs.
"""

from dataclasses import dataclass

from webapp.core.rules.lifecycle import BroadcastState as B
from webapp.core.rules.lifecycle import DeliveryState as D

MAILS = 4
PER_CONNECTION = 3
"""After so many mails a connection ends, with a QUIT."""
SILENCE_S = 5
"""How long the relay may say nothing; longer than one that is well needs for a large mail on a busy machine."""

OPENING = ("banner", "ehlo", "starttls", "auth")
STAGES = (*OPENING, "mail", "rcpt", "data", "body", "dot", "rset", "quit")
KINDS = ("drop", "reset", "stall", "4xx", "5xx", "421", "garbage", "half")

_ONCE = """
banner     aaaa  aaaa  aaaa  aaaa  pppp! aaaa  aaaa  aaaa
ehlo       aaaa  aaaa  aaaa  aaaa  pppp! aaaa  aaaa  aaaa
starttls   aaaa  aaaa  aaaa  aaaa  pppp! aaaa  aaaa  aaaa
auth       aaaa  aaaa  aaaa  aaaa  pppp! aaaa  aaaa  aaaa
mail       aaaa  aaaa  aAaa  aaaa  ahpp! aaaa  aAaa  aaaa
rcpt       aaaa  aaaa  aAaa  adaa  aFaa  adaa  aAaa  aaaa
data       aaaa  aaaa  aAaa  adaa  aFaa  adaa  aAaa  aaaa
body       aAaa  aAaa  aAaa  adaa  aFaa  adaa  aAaa  aAaa
dot        auaa  auaa  auaa  adaa  aFaa  adaa  auaa  auaa
rset       afaa  afaa  afaa  afaa  afaa  afaa  afaa  afaa
quit       aaaa  aaaa  aaaa  aaaa  aaaa  aaaa  aaaa  aaaa
"""
"""The fault happens once: to the first connection, to the second mail, at the RSET after the second recipient was refused, at the first
QUIT. The columns are those of `KINDS`."""

_LASTING = """
banner     pppp~ pppp~ pppp~ pppp~ pppp! pppp~ pppp~ pppp~
ehlo       pppp~ pppp~ pppp~ pppp~ pppp! pppp~ pppp~ pppp~
starttls   pppp~ pppp~ pppp~ pppp~ pppp! pppp~ pppp~ pppp~
auth       pppp~ pppp~ pppp~ pppp~ pppp! pppp~ pppp~ pppp~
mail       pppp~ pppp~ pppp~ pppp~ hppp! pppp~ pppp~ pppp~
rcpt       pppp~ pppp~ pppp~ pppp~ hhhh! pppp~ pppp~ pppp~
data       pppp~ pppp~ pppp~ pppp~ hhhh! pppp~ pppp~ pppp~
body       pppp~ pppp~ pppp~ pppp~ hhhh! pppp~ pppp~ pppp~
dot        uuup! uuup! uuup! pppp~ hhhh! pppp~ uuup! uuup!
rset       fafa  fafa  fafa  fafa  fafa  fafa  fafa  fafa
quit       aaaa  aaaa  aaaa  aaaa  aaaa  aaaa  aaaa  aaaa
"""
"""The fault happens to each mail and connection until the relay is well again; the first and third recipients are refused for RSET."""

_HEALED = {"a": "a", "A": "a", "p": "a", "d": "a", "h": "a", "u": "u", "f": "f", "F": "f"}
"""What has become of each when the relay is well again: nobody is left out but those refused for good or in doubt."""

SAID: dict[str, tuple[int | None, tuple[str, ...]]] = {
    "drop": (None, ("connection closed by the relay", "connection lost: Connection reset by peer")),
    "reset": (None, ("connection lost: Connection reset by peer", "connection closed by the relay")),
    "stall": (None, (f"no answer for {SILENCE_S} s",)),
    "4xx": (451, ("4.3.0 trouble here",)),
    "5xx": (554, ("5.3.0 trouble here",)),
    "421": (421, ("4.3.2 closing",)),
    "garbage": (None, ("what is this?",)),
    "half": (None, ("connection closed by the relay", "connection lost: Connection reset by peer")),
}
"""The relay's reply code and words, or what stands in their place; how a connection ended may show in two ways where it had something
left to read."""

_REFUSED_FOR = {"4xx": "relay_trouble", "5xx": "relay_trouble", "421": "relay_closed"}

Try = tuple[str, int | None, str]
"""State, reply code and stage of an attempt."""


@dataclass(frozen=True)
class Row:
    """One row of the ledger. `words`: what may stand as the reply's text, all else is wrong; None for a row that has none yet."""

    state: str
    reason: str | None
    code: int | None
    words: tuple[str, ...] | None
    stage: str | None
    tries: tuple[Try, ...]
    attempts: int


@dataclass(frozen=True)
class Cell:
    """One of the 88, as a fault that happens once or one that lasts, against a relay that can pipeline or not."""

    stage: str
    kind: str
    lasts: bool
    pipelining: bool

    def __str__(self) -> str:
        return (
            f"{self.kind} at {self.stage}{' for long' if self.lasts else ''}{', pipelining' if self.pipelining else ''}"
        )

    @property
    def letters(self) -> str:
        grid = _GRIDS[self.lasts]
        stage = f"{self.stage}|" if self.pipelining and f"{self.stage}|" in grid else self.stage
        return grid[stage][KINDS.index(self.kind)]

    @property
    def pauses(self) -> bool:
        return self.letters.endswith("!")

    @property
    def waits(self) -> bool:
        return self.letters.endswith("~")

    @property
    def rows(self) -> list[Row]:
        return [self._row(letter) for letter in self.letters.rstrip("!~")]

    @property
    def state(self) -> B:
        if self.waits:
            return B.SENDING
        return B.PAUSED if self.pauses else _state(self.letters)

    @property
    def faults(self) -> int:
        """How often the server makes it before the broadcast comes to rest."""
        if not self.lasts:
            return 1
        if self.stage in OPENING:
            return 1 if self.kind == "5xx" else 3
        return 2 if self.stage in ("rset", "quit") else sum(self.letters.count(letter) for letter in "hu")

    @property
    def pause_words(self) -> tuple[str, ...]:
        """Of these, one stands in what is shown as the reason of the pause, or of the waiting."""
        code, words = SAID[self.kind]
        return tuple(f"at {self.stage.upper()}: {code} {each}" if code else f"({self.stage}): " for each in words)

    @property
    def healed(self) -> str:
        """A letter for each row, when the relay is well again and everything that waits was due."""
        return "".join(_HEALED[letter] for letter in self.letters.rstrip("!~"))

    @property
    def healed_state(self) -> B:
        return _state(self.healed)

    def _row(self, letter: str) -> Row:
        code, words = SAID[self.kind]
        accepted: Try = (D.ACCEPTED, 250, "dot")
        nothing: Try = (D.PENDING, None, self.stage)
        reason = "sender_refused" if (self.stage, self.kind) == ("mail", "5xx") else _REFUSED_FOR.get(self.kind)
        taken, mailbox = ("2.0.0 taken",), ("5.1.1 nobody",)
        return {
            "a": Row(D.ACCEPTED, None, 250, taken, "dot", (), 1),
            "A": Row(D.ACCEPTED, None, 250, taken, "dot", (nothing, accepted), 2),
            "p": Row(D.PENDING, None, None, None, None, (), 0),
            "d": Row(D.DEFERRED, reason, code, words, self.stage, ((D.DEFERRED, code, self.stage),), 1),
            "F": Row(D.FAILED, reason, code, words, self.stage, ((D.FAILED, code, self.stage),), 1),
            "h": Row(D.HELD, reason, code, words, self.stage, ((D.HELD, code, self.stage),), 1),
            "u": Row(D.UNCERTAIN, "no_final_answer", None, words, "dot", ((D.UNCERTAIN, None, "dot"),), 1),
            "f": Row(D.FAILED, "no_such_mailbox", 550, mailbox, "rcpt", ((D.FAILED, 550, "rcpt"),), 1),
        }[letter]


def _state(letters: str) -> B:
    if "h" in letters or "d" in letters:
        return B.SENDING
    return B.NEEDS_ATTENTION if "u" in letters else B.FINISHED


def _grid(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in text.strip().splitlines()}


_GRIDS = {False: _grid(_ONCE), True: _grid(_LASTING)}
