"""Test sends: what becomes of each mail, in our words and the relay's."""

from webapp.core.content import trial_sends
from webapp.core.ports import Cause, Mail, Reply, Stage

MAILS = [Mail(0, "from@example.com", f"{name}@example.com", b"x") for name in ("a", "b")]


def test_each_mail_has_the_relays_own_words():
    replies = iter([Reply(Stage.DOT, 250, "2.0.0 queued"), Reply(Stage.RCPT, 550, "5.1.1 unknown")])
    first, second = trial_sends.send(MAILS, lambda _mail: next(replies))
    assert (first.address, first.accepted, first.relay) == ("a@example.com", True, "250 2.0.0 queued")
    assert (second.accepted, second.words, second.relay) == (False, "no such mailbox", "550 5.1.1 unknown")


def test_a_relay_that_cannot_be_reached_is_tried_once():
    tried = []

    def hand_over(mail: Mail) -> Reply:
        tried.append(mail.rcpt_to)
        return Reply(Stage.CONNECT, None, "", "cannot connect: refused", Cause.UNREACHABLE)

    results = list(trial_sends.send(MAILS, hand_over))
    assert tried == ["a@example.com"]
    assert [(result.address, result.relay) for result in results] == [
        ("a@example.com", "cannot connect: refused"),
        ("b@example.com", "cannot connect: refused"),
    ]
