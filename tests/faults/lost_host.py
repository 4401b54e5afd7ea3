"""A worker's machine is gone with its folder: nobody lost, in doubt only what it had claimed, and the page's button decides at once.

Two workers with instance folders of their own serve a broadcast on PostgreSQL, as two containers would. One is killed with all its
processes, and its folder removed. Its rows wait for it until a person says that it will not come back, or until the grace is over;
then they are uncertain: held for a decision, or sent again, the very same mail, and flagged.
"""

import re
import shutil
import time
from contextlib import ExitStack

from sqlalchemy import func, select

from tests import comparison
from tests.faults.places import Place, scene
from tests.faults.rest import PATIENCE_S, settle
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.smtp_oracle import Script
from tests.visitors import sign_in
from tests.workers import wait_until
from webapp.adapters import machine
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.broadcasts import UncertainPolicy
from webapp.core.tables.deliveries import Attempt, Delivery, Sender

CONNECTIONS = 3
GRACE_S = 5
"""The grace of the run in which nobody presses a button."""


def run(*, short: bool, seed: int) -> Result:
    """A worker and its folder are gone: 0 lost, in doubt at most what it had claimed, twice only what is flagged."""
    latencies = (0.01,) if short else (0.02, 0.005)
    calls = [
        (policy, by_button, latency, 2_000 if short else 6_000)
        for latency in latencies
        for policy, by_button in ((UncertainPolicy.HOLD, True), (UncertainPolicy.RETRY, False))
    ]
    if not short:
        calls += [(UncertainPolicy.RETRY, True, 0.02, 6_000), (UncertainPolicy.HOLD, False, 0.02, 6_000)]
    total = Result("lost_host")
    for found in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
    return total


def _play(policy: UncertainPolicy, by_button: bool, latency: float, mails: int) -> Result:
    found = Result("lost_host")
    where = f"{policy.value}, decided {'by the button' if by_button else 'by the grace'}, latency {latency:g} s"
    grace = {} if by_button else {"MASSMAIL_HOST_GRACE": str(GRACE_S)}
    with scene("postgresql", connections=CONNECTIONS) as place:
        with place.relay(Script(latency=latency)) as relay, ExitStack() as stack:
            folders = [place.folder / name for name in ("lost", "other")]
            workers = [place.worker(relay, MASSMAIL_INSTANCE=str(folder), **grace) for folder in folders]
            for worker in workers:
                worker.launch()
                stack.push(worker)
            lost, other = workers
            wait_until(lambda: all(worker.is_listening() for worker in workers), PATIENCE_S, "workers", lost.log)
            place.clients(mails)
            key = place.broadcast(0, uncertain_policy=policy)
            place.wake(key)
            wait_until(lambda: len(_claims(place, key)) == 2, PATIENCE_S, "both have mails in hand", lost.log)
            before, began = place.arrived(), time.monotonic()
            place.wait_for_mails(before + mails // 20)
            rate = (place.arrived() - before) / (time.monotonic() - began)
            name = machine.id_of(folders[0] / "journals")
            wait_until(lambda: name in _claims(place, key), PATIENCE_S, "claims", lost.log)
            lost.kill_all()
            shutil.rmtree(folders[0])
            claimed = _claims(place, key).get(name, 0)
            if by_button:
                _press(place, key, claimed, found, where)
            settle(place, key, other.log)
        # Only now, when the relay has written its last line.
        _judge(place, key, policy, claimed, found, where)
    found.notes.append(f"{where}: {claimed} in doubt at {rate:.0f} mails a second from both machines")
    return found


def _claims(place: Place, key: int) -> dict[str, int]:
    """How many mails of the broadcast each machine has in hand."""
    place.session.rollback()
    query = (
        select(Sender.machine, func.count())
        .join(Delivery, Delivery.sender_id == Sender.id)
        .where(Delivery.broadcast_id == key, Delivery.state == DeliveryState.CLAIMED)
        .group_by(Sender.machine)
    )
    return dict(row._tuple() for row in place.session.execute(query))


def _press(place: Place, key: int, claimed: int, found: Result, where: str) -> None:
    """What a person sees and does: the words on the page, the question with the number, the button."""
    client = sign_in(place.app, place.session)
    page = f"/mass-mail/{key}/lost-hosts"
    if not claimed:
        found.notes.append(f"{where}: it had nothing in hand when it was killed")
        return
    wait_until(lambda: "in doubt" in client.get(page).text, PATIENCE_S, "the page says so", place.last_log())
    link = re.search(rf'href="({page}/[^"]+)"', client.get(page).text)
    assert link
    asked = client.get(link[1]).text
    if f"Decide for {claimed:,} mail" not in asked:
        found.broken(f"{where}: the page does not ask about {claimed} mails")
    answer = client.post(page, data=dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked)))
    if answer.status_code not in (302, 303):
        found.broken(f"{where}: the button was answered by {answer.status_code}")
    if claimed in _claims(place, key).values() and "in doubt" in client.get(page).text:
        found.broken(f"{where}: nothing was decided")


def _judge(place: Place, key: int, policy: UncertainPolicy, claimed: int, found: Result, where: str) -> None:
    compared = comparison.compare(place.session, key, place.log)
    is_retry = policy is UncertainPolicy.RETRY
    query = select(func.count(Attempt.delivery_id.distinct())).join(Delivery, Delivery.id == Attempt.delivery_id)
    flagged = place.session.scalar(query.where(Delivery.broadcast_id == key, Attempt.state == DeliveryState.UNCERTAIN))
    beyond = compared.unknown + max(0, compared.twice - (flagged or 0) * is_retry)
    found.add(where, mails=compared.mails, lost=compared.lost, duplicates=beyond, uncertain=compared.uncertain)
    if compared.wrong:
        found.broken(f"{where}: {'; '.join(compared.wrong[:5])}")
    if (flagged or 0) > claimed or compared.uncertain > claimed:
        found.broken(f"{where}: {flagged} were in doubt, {claimed} were claimed")
    if compared.uncertain != (0 if is_retry else claimed):
        found.broken(f"{where}: {compared.uncertain} are uncertain in the end")
