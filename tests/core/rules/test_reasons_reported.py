"""What was reported of a mail, in words."""

from datetime import timedelta

import pytest

from webapp.core.rules.reasons import reported
from webapp.core.rules.relay_event import EventKind


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (timedelta(milliseconds=300), "bounced at once: the mailbox is full"),
        (timedelta(seconds=12), "bounced after 12 s: the mailbox is full"),
        (timedelta(minutes=59), "bounced after 59 min: the mailbox is full"),
        (timedelta(hours=47), "bounced after 47 h: the mailbox is full"),
        (timedelta(days=5, hours=3), "bounced after 5 days: the mailbox is full"),
        (None, "bounced: the mailbox is full"),
    ],
)
def test_how_long_after_is_said_in_one_unit(after, words):
    assert reported(EventKind.SOFT_BOUNCED, "5.2.2", "552 full", after) == words


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        ("5.4.310", "", "bounced: no such domain"),
        ("5.1.99", "", "bounced: the address was refused"),
        ("5.7.26", "", "bounced: refused by the recipient's rules"),
        ("", "gone  fishing", "bounced: gone fishing"),
        ("5.0.0", "", "bounced"),
    ],
)
def test_a_code_is_put_into_words_and_else_the_reporters_own_stand(status, said, words):
    assert reported(EventKind.BOUNCED, status, said, None) == words


def test_every_kind_has_words():
    assert all(reported(kind, "", "", None) for kind in EventKind)
