"""A relay that refuses everybody by policy, refuses the sign-in, or shows a bad certificate: a broadcast pauses itself, nobody is failed.

Each illness is there from the start, or comes while several workers serve one broadcast. Then somebody presses the button of the page too
early, which costs one more mail at most, and once more when the relay is well: one mail goes ahead, then the rest, each exactly once.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient

from tests import comparison, factories, oracle_log
from tests.certificates import Authority
from tests.faults.places import KINDS as DATABASES
from tests.faults.places import Kind, scene
from tests.faults.rest import PATIENCE_S, is_at_rest
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.scenes import Scene
from tests.smtp_oracle import Fault, Oracle, Script
from tests.visitors import sign_in
from tests.workers import wait_until
from webapp.core import ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast

WITHIN = 10
"""Mails that an ill relay may refuse before the broadcast is paused; one more for each connection that is open when it falls ill: what is
on the wire then cannot be called back."""
FEW, MANY = 40, 3500
"""Recipients where the relay is ill from the start; and where it falls ill, enough for several workers to join, which they do only as
long as much is in nobody's hands."""
WORKERS, CONNECTIONS, PER_CONNECTION = 3, 3, 50
SLOW_S = 0.1
"""As long as workers join: on a machine of any speed they have half a minute for it."""
FAR = "FR"
"""The country of the few."""


@dataclass(frozen=True)
class Illness:
    """`words` are what the relay says, as the reason of the pause must have them. `refuses` mails, or else connections."""

    name: str
    script: Script
    words: str
    refuses: bool


@dataclass
class Ward:
    """What the cases of a database are played with."""

    scene: Scene
    oracle: Oracle
    visitor: FlaskClient
    well: Script
    ills: dict[str, Illness]


POLICY = {"mail": "sender not allowed", "rcpt": "relaying denied", "dot": "refused by policy"}
NAMES = (*(f"550 5.7.1 at {stage}" for stage in POLICY), "535", "self-signed", "wrong host", "expired")
Case = tuple[str, bool]
"""The name of an illness, and whether it comes later."""


def run(*, short: bool, seed: int) -> Result:
    """A relay that answers 550 5.7.1, 535, or shows a bad certificate: paused within 10 mails, nobody failed, one click, each mail once."""
    total = Result("relay")
    calls: list[tuple[Kind, Sequence[Case]]] = []
    for place, kind in enumerate(DATABASES):
        cases = [(name, later) for later in (False, True) for name in NAMES]
        if short:
            cases = [
                *cases[(place + seed) % 2 : len(NAMES) : 2],
                (NAMES[(seed + 1) % 3 if place else 3 + seed % 4], True),
            ]
        calls.append((kind, cases))
    for found in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
    return total


def _play(kind: Kind, cases: Sequence[Case]) -> Result:
    found = Result("relay")
    with scene(kind, connections=CONNECTIONS) as place:
        for _ in range(FEW):
            factories.client(place.session, country=FAR)
        place.clients(MANY - FEW)
        visitor = sign_in(place.app, place.session)
        authority = Authority(place.folder)
        well = Script(tls="starttls", certificate=str(authority.server("127.0.0.1")), users={"console": "secret"})
        environ = {"MAIL_USERNAME": "console", "MAIL_PASSWORD": "secret", "MAIL_USE_TLS": "1"}
        environ |= {"MAIL_CA_FILE": str(authority.ca_file), "MAIL_PER_CONNECTION": str(PER_CONNECTION)}
        with Oracle(place.log, well) as oracle, place.workers(oracle, WORKERS, **environ):
            ward = Ward(place, oracle, visitor, well, _ills(place.folder, authority, well))
            for name, later in cases:
                where = f"{name} {'later' if later else 'from the start'}, {kind}"
                try:
                    _case(ward, ward.ills[name], later, where, found)
                except (AssertionError, TimeoutError) as error:
                    found.broken(f"{where}: {error}")
                    break
    return found


def _ills(folder: Path, authority: Authority, well: Script) -> dict[str, Illness]:
    (folder / "other").mkdir()
    ills = []
    for stage, words in POLICY.items():
        reply = f"550 5.7.1 {words}"
        faults = (Fault(stage, "say", reply=reply),)
        ills.append(
            Illness(f"550 5.7.1 at {stage}", replace(well, faults=faults), f"at {stage.upper()}: {reply}", True)
        )
    other = replace(well, users={"console": "another"})
    ills.append(Illness("535", other, "at AUTH: 535 5.7.8 wrong user or password", False))
    certificates = {
        "self-signed": (Authority(folder / "other").itself(), "self-signed certificate"),
        "wrong host": (authority.server("relay.example.test"), "certificate is not valid for"),
        "expired": (authority.server("127.0.0.1", until=datetime(2020, 1, 1, tzinfo=UTC)), "certificate has expired"),
    }
    for name, (file, words) in certificates.items():
        ills.append(Illness(name, replace(well, certificate=str(file)), words, False))
    return {ill.name: ill for ill in ills}


def _case(ward: Ward, ill: Illness, later: bool, where: str, found: Result) -> None:
    place, oracle = ward.scene, ward.oracle
    wrong: list[str] = []
    before = _refused(ward, ill)
    oracle.follow(replace(ward.well, latency=SLOW_S) if later else ill.script)
    key = place.broadcast(0, html="", text="Hello", audience_filter={} if later else {"countries": [FAR]})
    senders = _begin(ward, key, later)
    if later:
        oracle.follow(ill.script)
    _pauses(ward, key, ill, wrong)
    at_first = _refused(ward, ill) - before
    on_the_wire = senders * CONNECTIONS if later else 0
    if ill.refuses and at_first > WITHIN + on_the_wire:
        wrong.append(f"{at_first} mails were refused before it paused, at most {WITHIN + on_the_wire} may be")
    _press(ward, key)
    _pauses(ward, key, ill, wrong)
    at_second = _refused(ward, ill) - before - at_first
    if at_second != 1:
        wrong.append(f"resumed too early, it tried {at_second} times before it paused again, and not once")
    oracle.follow(ward.well)
    arrived = len(oracle_log.received(place.log))
    _press(ward, key)
    wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "the rest is sent", place.last_log())
    oracle.wait_until_quiet(PATIENCE_S)
    came = oracle_log.received(place.log)[arrived:]
    assert len(came) > 1, f"resumed when the relay was well, {len(came)} mails came"
    if came[1].asked_at < came[0].at:
        wrong.append("two mails were on their way at once before the first was taken")
    compared = comparison.compare(place.session, key, place.log)
    if place.state(key) is not BroadcastState.FINISHED or set(compared.states) != {DeliveryState.ACCEPTED}:
        broadcast = place.session.get_one(Broadcast, key)
        due = ledger.next_due(place.session, key)
        wrong.append(
            f"at the end it is {broadcast.state} ({broadcast.pause_reason}), {compared.states}, next due {due}"
        )
    found.add(where, mails=compared.mails, lost=compared.lost, duplicates=compared.twice + compared.unknown)
    if wrong or compared.wrong:
        found.broken(f"{where}: {'; '.join([*wrong, *compared.wrong[:5]])}")
    found.notes.append(
        f"{where}: {at_first} {'mails' if ill.refuses else 'connections'} refused before the pause, {senders} senders"
    )


def _begin(ward: Ward, key: int, later: bool) -> int:
    """Have it sent; where the relay falls ill later, until all workers are at it, called to help by the first. Returns how many are."""
    place = ward.scene
    place.wake(key)
    if not later:
        return 1
    senders = 0

    def are_several() -> bool:
        nonlocal senders
        place.session.rollback()
        senders = len(ledger.open_senders(place.session, key))
        return senders >= WORKERS

    arrived = place.arrived()
    wait_until(are_several, PATIENCE_S, f"{WORKERS} workers at one broadcast", place.last_log())
    place.wait_for_mails(arrived + 200, PATIENCE_S)
    return senders


def _pauses(ward: Ward, key: int, ill: Illness, wrong: list[str]) -> None:
    """Wait until it has paused itself; then nobody is failed, and the relay's words are on the page."""
    place = ward.scene
    place.wait_for_state(key, BroadcastState.PAUSED, PATIENCE_S)
    wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "the senders ended", place.last_log())
    ward.oracle.wait_until_quiet(PATIENCE_S)
    broadcast = place.session.get_one(Broadcast, key, populate_existing=True)
    page = html.unescape(ward.visitor.get(f"/mass-mail/{key}/").text)
    for what, text in (("reason", broadcast.pause_reason or ""), ("page", page)):
        if ill.words not in text:
            wrong.append(f"the {what} does not say {ill.words!r}" + (f" but {text!r}" if what == "reason" else ""))
    states = set(ledger.counts(place.session, key))
    if not broadcast.probing or states - {DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.ACCEPTED}:
        wrong.append(f"paused, probing {broadcast.probing}, it has {sorted(states)}")


def _press(ward: Ward, key: int) -> None:
    """One click on "Resume"."""
    answer = ward.visitor.post(f"/mass-mail/{key}/resume")
    assert answer.status_code in (302, 303), answer.status
    ward.scene.session.rollback()


def _refused(ward: Ward, ill: Illness) -> int:
    """How many mails, or connections, the relay has refused by now: connections that got no further than this."""
    events = list(oracle_log.events(ward.scene.log))
    if ill.refuses:
        return sum(event["event"] == "fault" for event in events)
    signed_in = {event["connection"] for event in events if event["event"] == "signed_in"}
    return sum(event["event"] == "connected" and event["connection"] not in signed_in for event in events)
