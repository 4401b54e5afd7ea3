"""What blocks a draft, what is only odd, and which steps are still to do."""

from datetime import timedelta

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core.broadcasts.review import of_domain, review, unfinished_steps
from webapp.core.domains import checks
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.sender_domains.findings import DomainFinding, DomainStanding, DomainTopic
from webapp.core.tables.broadcasts import FromAddress, Pick, PickKind
from webapp.core.tables.consent import ConsentSettings


@pytest.fixture
def sender(session):
    session.add(FromAddress(name="Example Hosting", address="support@example.com"))
    session.flush()


def said(findings):
    return [(finding.room, finding.message) for finding in findings]


def test_a_whole_draft_has_nothing_missing_and_nothing_odd(session, sender):
    factories.client(session)
    found = review(session, factories.broadcast(session), NOW)
    assert (said(found.blocking), said(found.warnings), found.count.will_receive) == ([], [], 1)


@pytest.mark.parametrize(
    ("columns", "room", "words"),
    [
        ({"subject": " "}, "content", "The subject is empty."),
        ({"html": "", "text": None}, "content", "The mail has no text."),
        ({"from_address": ""}, "content", "No sender is chosen."),
        ({"starts_at": NOW - timedelta(minutes=2)}, "schedule", "The chosen start has passed."),
        ({"audience_filter": {"countries": ["FR"]}}, "audience", "No client matches the filter."),
    ],
)
def test_each_thing_that_is_missing_blocks_and_names_its_step(session, sender, columns, room, words):
    factories.client(session)
    broadcast = factories.broadcast(session, **columns)
    assert said(review(session, broadcast, NOW).blocking) == [(room, words)]


def test_a_text_written_by_hand_is_a_text(session, sender):
    factories.client(session)
    broadcast = factories.broadcast(session, html="", text="Hello")
    assert said(review(session, broadcast, NOW).blocking) == []


def test_when_everybody_who_matches_drops_out_it_says_so(session, sender):
    client = factories.client(session)
    broadcast = factories.broadcast(session)
    session.add(Pick(broadcast_id=broadcast.id, client_id=client.id, kind=PickKind.LEFT_OUT))
    session.flush()
    ((room, words),) = said(review(session, broadcast, NOW).blocking)
    assert room == "audience" and words.startswith("Nobody would get it: everybody who matches")


def test_an_unknown_tag_blocks_with_field_line_and_the_nearest_name(session, sender):
    factories.client(session)
    broadcast = factories.broadcast(session, html="<p>Hi</p>\n<p>{{ frist_name }}</p>")
    (finding,) = review(session, broadcast, NOW).blocking
    assert finding.room == "content" and finding.place == "html"
    assert finding.message.startswith("Body, line 2: ") and "first_name" in finding.message


def test_a_tag_that_is_empty_for_some_is_said_but_does_not_block(session, sender):
    factories.client(session)
    factories.client(session, first_name="")
    found = review(session, factories.broadcast(session), NOW)
    assert said(found.blocking) == []
    assert said(found.warnings) == [("content", "first_name is empty for 1 recipient, and nothing stands in for it.")]
    filled = factories.broadcast(session, html="Hi {{ first_name | default: 'there' }}")
    assert said(review(session, filled, NOW).warnings) == []


def test_a_sender_outside_the_list_blocks_and_a_very_long_run_is_odd(session):
    for _ in range(3):
        factories.client(session)
    broadcast = factories.broadcast(session, batch_size=1, interval_s=86_400)
    found = review(session, broadcast, NOW)
    assert said(found.blocking) == [
        ("content", "Example Hosting <support@example.com> is not in the list of senders. Choose one that is.")
    ]
    assert said(found.warnings) == [("schedule", "At this pace it takes 2 days.")]


@pytest.mark.parametrize(
    ("columns", "steps"),
    [
        ({"subject": "", "html": ""}, {"audience", "content", "schedule", "review"}),
        ({"subject": "", "html": "", "audience_filter": {"countries": ["DE"]}}, {"content", "review"}),
        ({"html": "{{ nothing }}"}, {"content", "review"}),
        ({"starts_at": NOW - timedelta(hours=1)}, {"schedule", "review"}),
        ({}, {"review"}),
        ({"state": BroadcastState.SCHEDULED}, set()),
    ],
)
def test_the_steps_with_something_to_do_are_known_without_counting(sqlite_session, columns, steps):
    assert unfinished_steps(factories.broadcast(sqlite_session, schedule_seen=True, **columns), NOW) == steps


def test_the_schedule_is_to_be_looked_at_before_it_is_complete(sqlite_session):
    assert unfinished_steps(factories.broadcast(sqlite_session), NOW) == {"schedule", "review"}


def test_many_mails_from_a_domain_that_receivers_do_not_believe_are_worth_a_word(session, sender):
    broadcast = factories.broadcast(session)
    assert of_domain(session, broadcast, 501) == [], "nobody has looked"
    checks.record(session, "example.com", [DomainFinding(DomainTopic.DMARC, DomainStanding.MISSING, "None.")], NOW)
    assert of_domain(session, broadcast, 500) == []
    ((room, words),) = said(of_domain(session, broadcast, 501))
    assert room == "domains" and words.startswith("DMARC of example.com is not as large receivers want it")


def test_marketing_without_the_postal_address_of_its_sender_is_told(session, sender):
    factories.client(session, marketing_opt_in=True)
    draft = factories.broadcast(session, purpose=Purpose.MARKETING, topic_id=1)
    found = review(session, draft, NOW)
    assert [one.room for one in found.warnings] == ["consent"] and "postal address" in found.warnings[0].message
    session.get_one(ConsentSettings, 1).postal_address = "1 Long Street, Town"
    session.flush()
    assert review(session, draft, NOW).warnings == ()
    draft.purpose, draft.important_reason = Purpose.IMPORTANT, "A new law"
    session.get_one(ConsentSettings, 1).postal_address = ""
    session.flush()
    assert review(session, draft, NOW).warnings == ()
