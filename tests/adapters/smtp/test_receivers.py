"""No more connections than allowed carry mails to one receiver at a time; all others are busy with the rest."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import oracle_log
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.smtp.receivers import first_with_room, rooms_beside
from webapp.config import RelaySettings
from webapp.core.ports import NO_ROOMS, Mail, ReceiverConnections

TWO = {domain: ReceiverConnections(1, 2) for domain in ("gmail.com", "googlemail.com")}


def to_google(number: int) -> Mail:
    return mail(number, recipient=f"ada{number}@{('gmail.com', 'GoogleMail.com')[number % 2]}")


def most_at_once(log: Path) -> int:
    """Over how many connections mails to Google came at the same time, from the relay's go-ahead to the dot."""
    spans = [
        (moment, step, taken.connection)
        for taken in oracle_log.received(log)
        if taken.recipient.lower().endswith(("gmail.com", "googlemail.com"))
        for moment, step in ((taken.asked_at, 1), (taken.at, 0))
    ]
    carrying: set[int] = set()
    most = 0
    for _, begins, connection in sorted(spans):
        (carrying.add if begins else carrying.discard)(connection)
        most = max(most, len(carrying))
    return most


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "stepwise"])
@pytest.mark.parametrize("faults", [(), (Fault("dot", "drop", probability=0.05),)], ids=["well", "ill"])
def test_only_so_many_connections_carry_mails_to_a_receiver(
    oracle_file: Path, pipelining: bool, faults: tuple[Fault, ...]
):
    mails = [to_google(number) if number % 3 else mail(number) for number in range(240)]
    with Oracle(oracle_file, Script(pipelining=pipelining, faults=faults)) as oracle, RecordingExchange(mails) as ours:
        ours.limited = TWO
        mailer = SmtpMailer(RelaySettings(host=oracle.host, port=oracle.port, connections=8), first_pause=0.001)
        mailer.run(ours)
        mailer.close()
    assert len(ours.replies) == 240
    assert most_at_once(oracle_file) <= 2


def test_a_limit_that_changes_holds_from_the_next_mail_on(oracle_file: Path):
    with Oracle(oracle_file) as oracle, RecordingExchange([to_google(number) for number in range(120)]) as ours:
        ours.limited = {domain: ReceiverConnections(1, 0) for domain in TWO}
        mailer = SmtpMailer(RelaySettings(host=oracle.host, port=oracle.port, connections=4))

        def lift(number: int, held: list[int] = ours.held) -> None:
            ours.limited = TWO

        ours.add(mail(500))
        ours.on_settled = lambda settled, reply: lift(settled.delivery_id)
        mailer.run(ours)
        mailer.close()
    assert ours.moments[0] == ("taken", 500), "the only one that was not held back"
    assert len(ours.replies) == 121 and most_at_once(oracle_file) <= 2


@dataclass(eq=False)
class Carrying:
    mail: Mail | None = None
    following: Mail | None = None


def test_a_connection_counts_once_and_not_for_itself():
    both, behind, other, idle = (
        Carrying(to_google(2), to_google(4)),
        Carrying(mail(1), to_google(3)),
        Carrying(mail(5)),
        Carrying(),
    )
    everybody = [both, behind, other, idle]
    assert rooms_beside(idle, everybody, TWO) == rooms_beside(None, everybody, TWO) == {1: 0}
    assert rooms_beside(both, everybody, TWO) == {1: 1}


def test_of_mails_that_were_put_back_the_first_leaves_for_which_there_is_room():
    waiting = deque([to_google(1), mail(2), to_google(3)])
    assert first_with_room(waiting, {1: 0}, TWO) == mail(2)
    assert first_with_room(waiting, {1: 0}, TWO) is None and len(waiting) == 2
    assert first_with_room(waiting, {1: 1}, TWO) == to_google(1)
    assert first_with_room(waiting, NO_ROOMS, {}) == to_google(3)
