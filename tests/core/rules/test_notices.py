"""The words of notices."""

import pytest

from tests.factories import NOW
from webapp.core.rules.notices import (
    NoticeKind,
    paused_itself,
    payload,
    same_reason,
    sentence,
    title,
    without_addresses,
)

COUNTS = {"accepted": 1200, "failed": 3, "uncertain": 2, "skipped": 0, "waiting": 0, "cancelled": 0}
OF_ONE = {"id": 7, "name": "Autumn news", "state": "paused", "reason": "535 no", "counts": COUNTS}
OF_THE_SITE = {"number": 1200, "broadcasts": [{"id": 7, "name": "Autumn news", "state": "sending"}], "reason": None}


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_a_title_a_sentence_and_a_payload(kind: NoticeKind):
    about = OF_THE_SITE if kind.is_of_the_site else OF_ONE
    assert title(kind, about) == f"{kind.label}: {'1,200 mass mails' if kind.is_of_the_site else 'Autumn news'}"
    assert sentence(kind, about)
    told = payload(kind, about, NOW, "https://mail.example.com")
    assert told["type"] == kind.event and told["timestamp"] == "2026-11-23T09:00:00+00:00"
    assert told["data"]["url"].startswith("https://mail.example.com/mass-mail/")


def test_the_counts_are_in_the_words_of_a_finished_one():
    assert (
        sentence(NoticeKind.FINISHED, OF_ONE) == "All mails are accounted for: 1,200 accepted, 3 failed, 2 uncertain."
    )


@pytest.mark.parametrize(
    ("reason", "itself"),
    [(None, False), ("by Uma Example", False), ("The relay says: 535", True), ("Sending stopped because of x", True)],
)
def test_a_pause_is_the_programs_own_unless_a_person_is_named(reason: str | None, itself: bool):
    assert paused_itself(reason) is itself


@pytest.mark.parametrize(
    ("words", "without"),
    [
        ("550 <bob@client.example>: no such user", "550 (an address): no such user"),
        ("user bob.o'hara+x@mail.client.example, unknown", "user (an address), unknown"),
        ("no @ here", "no @ here"),
    ],
)
def test_addresses_are_taken_out_of_a_relays_words(words: str, without: str):
    assert without_addresses(words) == without


def test_reasons_are_the_same_but_for_numbers_and_ids():
    assert same_reason("21 mails failed: 451 4.3.0 queue A1F", "50 mails failed: 451 4.3.0 queue 9BC")
    assert not same_reason("The relay says: 535 no", "The relay says: 451 busy")
