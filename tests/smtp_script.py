"""What the SMTP server of the tests is told: how it behaves, and what it does wrong, when and to whom."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

STAGES = ("connect", "banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit")
KINDS = ("drop", "reset", "stall", "4xx", "5xx", "421", "garbage", "half")


@dataclass(frozen=True)
class Moment:
    """What a fault is asked about: the `count`th time (from 1) that its stage is reached, by whom, and what came before.

    `seconds` have passed since the script began, `known_s` since its recipient was first named. `connections` others were open when
    this one came, those not counted that were refused for it; `carried` mails were taken on this connection, `taken` on all. `mails` began
    within the present period of a relay that counts them.
    """

    count: int
    seconds: float
    recipient: str | None = None
    mechanism: str | None = None
    known_s: float = 0.0
    connections: int = 0
    carried: int = 0
    taken: int = 0
    mails: int = 0


@dataclass(frozen=True)
class Fault:
    """What goes wrong: `kind` at `stage`.

    Kinds: drop (the server closes), reset (it sends RST), stall (it says nothing more), 4xx, 5xx, 421 (and closes), garbage (bytes that
    are no reply), half (the first line of two, then it closes), slow (it answers rightly after `seconds`), last (it answers rightly,
    then closes), say (only `reply`). `reply` are the words instead of the usual ones. At "body" the server has read
    the beginning of the content; a mail that fits into the sockets' buffers has then left the sender altogether.

    Which times: all, or only those for which each of these holds that is given.
    - `nth`: the nth of this stage (from 1, over all connections); `every`: each nth of it.
    - `recipient`, `domain`: those of this address, of this domain (from RCPT on); `share`: those of about this part of all addresses,
      always the same.
    - `mechanism`: those of AUTH with it.
    - `probability`: by chance; `times`: at most so many.
    - `since_s`, `until_s`: from, and until, so many seconds after the script began.
    - `greylists_s`: until so many seconds after this recipient was first named.
    - `beyond_connections`: on connections that came while so many others were open; `beyond_mails`: on those that took so many mails
      before; `beyond_taken`: once all connections together took so many.
    - `beyond_rate`: once so many mails began in the present period of the script's `period_s`.
    """

    stage: str
    kind: str
    nth: int | None = None
    recipient: str | None = None
    probability: float = 1.0
    times: int | None = None
    reply: str | None = None
    seconds: float = 0.0
    every: int | None = None
    domain: str | None = None
    share: float | None = None
    mechanism: str | None = None
    since_s: float = 0.0
    until_s: float | None = None
    greylists_s: float | None = None
    beyond_connections: int | None = None
    beyond_mails: int | None = None
    beyond_taken: int | None = None
    beyond_rate: int | None = None

    def __post_init__(self) -> None:
        if self.stage not in STAGES or self.kind not in (*KINDS, "slow", "last", "say"):
            raise ValueError(f"no fault {self.kind!r} at {self.stage!r}")

    def is_meant(self, now: Moment) -> bool:
        """Whether this is one of its times, but for `probability` and `times`, of which the server keeps count."""
        return (
            self.nth in (None, now.count)
            and (self.every is None or now.count % self.every == 0)
            and self.recipient in (None, now.recipient)
            and self.domain in (None, (now.recipient or "").rpartition("@")[2])
            and (self.share is None or is_of_share(now.recipient or "", self.share))
            and self.mechanism in (None, now.mechanism)
            and self.since_s <= now.seconds
            and (self.until_s is None or now.seconds < self.until_s)
            and (self.greylists_s is None or now.known_s < self.greylists_s)
            and (self.beyond_connections is None or now.connections >= self.beyond_connections)
            and (self.beyond_mails is None or now.carried >= self.beyond_mails)
            and (self.beyond_taken is None or now.taken >= self.beyond_taken)
            and (self.beyond_rate is None or now.mails > self.beyond_rate)
        )


def is_of_share(address: str, share: float) -> bool:
    """Whether an address is of that part of all that a fault with this `share` is meant for."""
    return zlib.crc32(address.encode()) % 1000 < share * 1000


@dataclass(frozen=True)
class Script:
    """How the server behaves.

    `tls` is "none", "starttls" or "implicit", with the key and chain in the file `certificate`; `pipelining_in_tls` is whether it still
    offers PIPELINING after STARTTLS. `users` (name -> password) makes it demand AUTH; of the `mechanisms` it offers it takes PLAIN
    and LOGIN. `size` is the limit it announces and enforces. `latency` seconds pass before each group of answers. `dribbles`: it
    sends byte by byte. `data_anyway`: it answers DATA by 354 even when no recipient was taken. `keeps_unanswered`: a mail whose dot it
    answered by a fault without a code was taken all the same. `smtputf8` is when it announces SMTPUTF8: "never", "always", or only
    "plain" or "encrypted". `folder`: it keeps each mail's content there, as a file named after its SHA-256.

    `esmtp` False: it answers EHLO by 502; `extensions` False: it announces none. `greeting` are the words of its banner, one for each
    line. `bare_lf`: its lines end without a carriage return. `behind_dot` False: commands that came with the final dot get 503, though it
    announces PIPELINING. `period_s` is the period for which it counts mails, one after the other as Postfix's anvil has them.
    """

    faults: tuple[Fault, ...] = ()
    pipelining: bool = True
    pipelining_in_tls: bool = True
    esmtp: bool = True
    tls: str = "none"
    certificate: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    size: int = 0
    latency: float = 0.0
    seed: int = 0
    dribbles: bool = False
    data_anyway: bool = False
    keeps_unanswered: bool = True
    smtputf8: str = "never"
    folder: str | None = None
    extensions: bool = True
    greeting: tuple[str, ...] = ("oracle.test ESMTP",)
    bare_lf: bool = False
    behind_dot: bool = True
    period_s: float = 60.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Script":
        values = json.loads(text)
        values["faults"] = tuple(Fault(**fault) for fault in values.get("faults", ()))
        for name in ("mechanisms", "greeting"):
            values[name] = tuple(values.get(name, getattr(cls, name)))
        return cls(**values)
