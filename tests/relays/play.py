"""One real relay played: a broadcast with a pace and one as fast as they go, with real workers, and what the relay has of them."""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sqlalchemy import select

from tests.debian import Missing
from tests.faults.places import KINDS, Kind, scene
from tests.faults.rest import is_at_rest
from tests.relays import kept
from tests.relays.relay import NO_LIMIT, Real, Running
from tests.scenes import Scene
from webapp.adapters import clock
from webapp.core import broadcasts, relay
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.limits import Limits
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt
from webapp.demo import children

CONNECTIONS, WORKERS = 10, 2
PACE = (25, 2)
"""So many mails every so many seconds."""
OVER = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
MOST_CLICKS = 20
LOOKS_S = 0.2
DELIVERS_S = 120
"""For so long a relay may take to put into the Maildir what it has accepted."""

HTML = (
    """\
<p>Grüße, {{ first_name }} {{ last_name }}: heute schon ein Œuvre gelesen?</p>
<p>.a dot begins this</p><p>From here on it is a long line. """
    + "All work and no play makes a dull mail. " * 40
    + "</p>"
)
TEXT = (
    "From {{ first_name }}\n.\n..\n.a line with a dot\n\nGrüße aus Köln – 你好, {{ last_name }} \n"
    + "long " * 400
    + "\n\n\n-- \nbye\n"
)
"""What servers are known to spoil: dots and "From " at the start of a line, blanks at its end, long lines, letters outside ASCII."""


@dataclass
class Played:
    """How it went. `fast_s` and `paced_s` are seconds from the click to the last answer; `clicks` how often somebody had to press
    "Resume", with the `reasons`; `missing` says why it could not be played. `log` is the end of the relay's, where something is `wrong`."""

    name: str
    kind: str
    missing: str = ""
    version: str = ""
    mails: int = 0
    fast_s: float = 0.0
    paced_s: float = 0.0
    lost: int = 0
    twice: int = 0
    differing: int = 0
    fullest: int = 0
    clicks: int = 0
    reasons: list[str] = field(default_factory=list)
    learned: str = ""
    refusals: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    log: str = ""

    def row(self) -> dict[str, object]:
        return asdict(self)


def play(real: Real, number: int, *, short: bool) -> Played:
    """Play a relay on a database of one or the other kind."""
    kind: Kind = KINDS[number % len(KINDS)]
    played = Played(real.name, kind)
    with scene(kind, connections=CONNECTIONS) as place:
        folder = place.folder / "relay"
        folder.mkdir()
        try:
            with real.run(folder, short) as running:
                _play(real, played, place, running, short=short)
        except Missing as missing:
            played.missing = str(missing)
    return played


def _play(real: Real, played: Played, place: Scene, running: Running, *, short: bool) -> None:
    played.version = running.version
    fast, seconds = (300, 6) if short else (3000, 60)
    paced = PACE[0] * seconds // PACE[1]
    limits.save(place.session, Limits())
    place.session.commit()
    with place.workers(running.port, WORKERS, **running.settings):
        slow = place.broadcast(paced, html=HTML, text=TEXT, batch_size=PACE[0], interval_s=PACE[1])
        played.paced_s = _send(played, place, slow, patience_s=seconds + real.patience_s)
        quick = place.broadcast(fast - paced, html=HTML, text=TEXT)
        played.fast_s = _send(played, place, quick, patience_s=real.patience_s)
    _wait_for_deliveries(place, running, slow, quick)
    played.learned = _learned(place, running)
    found = kept.compare(place.session, [slow, quick], running.maildir, clock.now())
    for words, one in zip(("paced", "fast"), found.values(), strict=True):
        played.mails += one.mails
        played.lost += one.lost
        played.twice += one.twice + one.strangers
        played.differing += one.differing
        played.wrong += [f"{words}: {said}" for said in one.words]
        if one.states != {"accepted": one.mails}:
            played.wrong.append(f"{words}: {one.states}")
    played.fullest = kept.most_in_any(found[slow].came_at, PACE[1])
    if played.fullest > PACE[0]:
        played.wrong.append(f"{played.fullest} mails came within {PACE[1]} s, at most {PACE[0]} may")
    if not re.fullmatch(real.learns, played.learned):
        played.wrong.append(f"{played.learned!r} was learned, it should be {real.learns!r}")
    if played.clicks:
        played.wrong.append(f"{played.clicks} clicks: {sorted(set(played.reasons))}")
    played.refusals = _refusals(place)
    if played.wrong:
        played.log = children.tail(running.log, 8)


def _send(played: Played, place: Scene, key: int, *, patience_s: float) -> float:
    """Until it is over; whenever it pauses, somebody presses "Resume". Returns how many seconds it took."""
    began = time.monotonic()
    place.wake(key)
    while True:
        state = place.state(key)
        took = time.monotonic() - began
        if state in OVER and is_at_rest(place, key):
            return took
        if state is BroadcastState.PAUSED and is_at_rest(place, key):
            broadcast = place.session.get_one(Broadcast, key, populate_existing=True)
            played.reasons.append(broadcast.pause_reason or "")
            played.clicks += 1
            if played.clicks > MOST_CLICKS:
                return took
            place.do(lambda session: broadcasts.resume(session, key, clock.now()))
            place.wake(key)
        if took > patience_s:
            played.wrong.append(f"after {took:.0f} s it is {state}")
            return took
        time.sleep(LOOKS_S)


def _wait_for_deliveries(place: Scene, running: Running, *keys: int) -> None:
    """Until the relay has put all that it accepted where it keeps it, or nothing more comes."""
    wanted = sum(place.session.get_one(Broadcast, key).frozen_count or 0 for key in keys)
    have, seen_at = -1, time.monotonic()
    while have < wanted and time.monotonic() < seen_at + DELIVERS_S:
        now_there = len(kept.files(running.maildir))
        if now_there != have:
            have, seen_at = now_there, time.monotonic()
        time.sleep(LOOKS_S)


def _learned(place: Scene, running: Running) -> str:
    place.session.rollback()
    health = relay.read(place.session, f"127.0.0.1:{running.port}")
    known = health.limits
    words = [
        f"{known.connections} connections" if known.connections else "",
        f"{known.per_connection} mails each" if known.per_connection else "",
        "" if known.behind_dot else "nothing behind the dot",
        f"{health.per_minute} a minute" if health.per_minute else "",
    ]
    return ", ".join(filter(None, words)) or NO_LIMIT


def _refusals(place: Scene) -> Mapping[str, int]:
    """What the relay said instead of taking a mail, and how often."""
    place.session.rollback()
    counted: dict[str, int] = {}
    for code, text in place.session.execute(
        select(Attempt.reply_code, Attempt.reply_text).where(Attempt.state != "accepted")
    ):
        said = f"{code or ''} {text or ''}"[:90].strip()
        counted[said] = counted.get(said, 0) + 1
    return dict(sorted(counted.items(), key=lambda one: -one[1])[:4])
