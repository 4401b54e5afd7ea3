"""How much of what a relay with limits allows two workers use of it, who find its limits by meeting them.

The measure is the same relay with the same two workers when its limits are known from the start, as their settings; both are played in
one run, one after the other, so that only the ratio counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests import comparison, oracle_log
from tests.faults.places import KINDS, Kind, scene
from tests.faults.relays_row import SLOWLY, fails, says
from tests.faults.rest import is_at_rest
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.smtp_oracle import Oracle
from tests.smtp_script import Script
from tests.workers import wait_until
from webapp.core.rules.limits import Limits
from webapp.core.settings import limits

MAILS, WORKERS, CONNECTIONS = 200, 2, 10
SHARE = 0.8
PATIENCE_S = 240.0
FAR = replace(SLOWLY, latency=0.1)
"""So slow that the machine is no hindrance."""


@dataclass(frozen=True)
class Limited:
    """A relay with a limit. With `settings`, and so many `connections` for the whole site (0: no limit), it is never met."""

    number: str
    script: Script
    settings: Mapping[str, str]
    connections: int = 0


FIVE = {"MAIL_CONNECTIONS": "5"}
LIMITED = (
    Limited("1", says("banner", "421 4.7.0 too many connections", base=FAR, beyond_connections=5), FIVE, 5),
    Limited("2", fails("connect", "reset", base=FAR, beyond_connections=5), FIVE, 5),
    Limited("3", says("mail", "421 4.7.0 too many messages", base=FAR, beyond_mails=3), {"MAIL_PER_CONNECTION": "3"}),
    Limited("4", says("mail", "452 4.4.5 too many messages", base=FAR, beyond_mails=3), {"MAIL_PER_CONNECTION": "3"}),
    Limited("5", fails("dot", "last", base=FAR), {"MAIL_PER_CONNECTION": "1"}),
    Limited("6", says("mail", "421 4.3.2 not now", base=FAR, beyond_mails=20), {"MAIL_PER_CONNECTION": "20"}),
)


def run(*, short: bool) -> Result:
    """Each limited relay, once or on both databases; a share that is too small is only told in the short form."""
    total = Result("relays")
    calls: list[tuple[Limited, Kind, bool]] = []
    for place, limited in enumerate(LIMITED):
        calls += [(limited, kind, short) for kind in (KINDS[place % 2 :][:1] if short else KINDS)]
    for found in side_by_side(_measure, calls, at_a_time=3):
        total.join(found)
    return total


def _measure(limited: Limited, kind: Kind, short: bool) -> Result:
    found = Result("relays")
    where = f"share of row {limited.number}, {WORKERS} workers, {kind}"
    try:
        known = _seconds(limited, kind, where, found, is_known=True)
        learned = _seconds(limited, kind, where, found, is_known=False)
    except AssertionError as error:
        found.broken(f"{where}: {error!s:.300}")
        return found
    share = known / learned
    told = f"{where}: {share:.0%} of what the relay allows ({MAILS / learned:.1f} of {MAILS / known:.1f} mails/s)"
    if share < SHARE and not short:
        found.broken(told)
    else:
        found.notes.append(told)
    return found


def _seconds(limited: Limited, kind: Kind, where: str, found: Result, *, is_known: bool) -> float:
    """From the first connection to the last mail."""
    with scene(kind, connections=CONNECTIONS) as place:
        if is_known:
            limits.save(place.session, Limits(connections=limited.connections))
            place.session.commit()
        environ = limited.settings if is_known else {}
        with Oracle(place.log, limited.script) as oracle, place.workers(oracle, WORKERS, **environ):
            key = place.broadcast(MAILS)
            place.wake(key)
            wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "all are sent", place.last_log())
            oracle.wait_until_quiet(60)
        compared = comparison.compare(place.session, key, place.log)
        found.add(where, mails=compared.mails, lost=compared.lost, duplicates=compared.twice + compared.unknown)
        assert compared.states == {"accepted": MAILS}, f"{place.state(key)}, {compared.states}, {compared.wrong[:3]}"
        began = min(event["at"] for event in oracle_log.events(place.log, "connected"))
        return max(mail.at for mail in oracle_log.kept(place.log)) - began
