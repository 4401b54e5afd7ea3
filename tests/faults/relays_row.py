"""An entry of the table of relays: how a relay behaves, and what must become of a broadcast; and ways of writing one down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.smtp_script import Fault, Script
from webapp.core.rules.lifecycle import BroadcastState

ODD = "odd.example"
"""The domain whose recipients have it otherwise than all others."""
SENDING, PAUSED, FINISHED = BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.FINISHED
WAITING = r"Waiting for the relay since \d\d:\d\d"
NEXT_TRY = r"[Nn]ext try in"
Place = Literal["first", "spread", "last"]
Pace = tuple[int, int]
FAST: Pace = (0, 0)
PACED: Pace = (25, 30)


def audience(count: int, odd: int = 0, place: Place = "spread", domains: int = 30) -> tuple[str, ...]:
    """So many addresses over so many domains, in the order in which they are sent to; `odd` of them are of the odd domain."""
    usual = [f"person{number}@d{number % domains}.example" for number in range(count - odd)]
    others = [f"odd{number}@{ODD}" for number in range(odd)]
    if place == "first":
        return (*others, *usual)
    if place == "last" or not odd:
        return (*usual, *others)
    step = len(usual) // odd
    mixed = []
    for number, address in enumerate(usual):
        mixed += [others[number // step]] if number % step == 0 and number // step < odd else []
        mixed.append(address)
    return tuple(mixed)


@dataclass(frozen=True)
class Row:
    """A relay, and what must become of a broadcast.

    `script` is how it behaves; an `away` of (mails, seconds) has it end when it holds so many, and begin again so much later; with
    `absent` it is not there until it was seen what must be seen. `settings` are those of the worker; "{ca}" stands for the file of an
    authority that is trusted, and the script's `certificate` for one of "good", "itself", "expired", "other".

    `failed` mails fail, or up to `may_fail` more, all others are accepted. `sees` are patterns that the page must show, all at once,
    while the broadcast is in one of the states `then`, and until then at most `tried` mails were tried. Then, if `stops`, nothing more
    is to come, since a setting is wrong. If not, the relay becomes as `well` says (None: it changes by itself), and if the broadcast
    is paused, one press of "Resume" makes it go on. All other presses are too many.

    `meanwhile` of (mails, seconds): so many are accepted within the first seconds. At most so many `strays` are said, commands out of
    order, and nobody's mail takes more than so many `attempts`. `teaches` is a pattern that the settings show afterwards. `gives_up`:
    when it was seen, what still waits is made as old as a mail may become. The relay is waited for as long as `waits_minutes`.
    """

    number: str
    words: str
    script: Script = field(default_factory=Script)
    audience: Sequence[str] = audience(60)
    paces: tuple[Pace, ...] = (FAST, PACED)
    settings: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    host: str = "127.0.0.1"
    text: str = "Hello"
    away: tuple[int, float] | None = None
    absent: bool = False
    failed: int = 0
    may_fail: int = 0
    sees: tuple[str, ...] = ()
    then: tuple[BroadcastState, ...] = (PAUSED,)
    tried: int | None = None
    stops: bool = False
    well: Script | None = None
    meanwhile: tuple[int, float] | None = None
    strays: int | None = None
    attempts: int | None = None
    teaches: str | None = None
    gives_up: bool = False
    waits_minutes: int | None = None
    patience_s: float = 150.0

    @property
    def clicks(self) -> int:
        """How many presses of "Resume" it may take."""
        return 1 if self.sees and PAUSED in self.then and not self.stops else 0


WELL = Script()
SLOWLY = Script(latency=0.02)
"""As relays over a network: several connections are at work at once."""
TLS = Script(tls="starttls", certificate="good", users={"console": "secret"})
SIGNS_IN = {"MAIL_USERNAME": "console", "MAIL_PASSWORD": "secret", "MAIL_USE_TLS": "1", "MAIL_CA_FILE": "{ca}"}


def fails(stage: str, kind: str, reply: str | None = None, /, base: Script = SLOWLY, **when) -> Script:
    """The relay does this wrong."""
    return replace(base, faults=(Fault(stage, kind, reply=reply, **when),))


def says(stage: str, reply: str, /, base: Script = SLOWLY, **when) -> Script:
    """The relay says this."""
    return fails(stage, "421" if reply.startswith("421") else "say", reply, base, **when)


def pausing(number: str, words: str, script: Script, *sees: str, **more) -> Row:
    """It pauses with these words, and when the relay is well one press makes it go on."""
    given = {"well": replace(script, faults=()), "tried": 10}
    return Row(number, words, script, sees=sees, **given | more)


def wrong_setting(number: str, words: str, script: Script, *sees: str, **more) -> Row:
    """It pauses with words that say what to set."""
    return Row(number, words, script, sees=sees, stops=True, paces=(FAST,), **more)


def waiting(number: str, words: str, script: Script = WELL, *, well: Script | None = WELL, **more) -> Row:
    """It waits for the relay, says so, and goes on by itself."""
    return Row(number, words, script, sees=(WAITING, NEXT_TRY), then=(SENDING,), well=well, **more)
