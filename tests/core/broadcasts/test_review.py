"""What blocks a draft, what is only odd, and which steps are still to do."""

from datetime import timedelta

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import concerns
from webapp.core.broadcasts.concerns import of_domain
from webapp.core.broadcasts.review import review, unfinished_steps
from webapp.core.broadcasts.text_concerns import SeenMails
from webapp.core.content import preflight, previews
from webapp.core.content.languages import languages_of
from webapp.core.domains import checks
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
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


def test_a_domain_without_dmarc_is_a_hint_for_few_and_a_warning_for_many(session, sender):
    broadcast = factories.broadcast(session)
    checks.record(session, "example.com", [DomainFinding(DomainTopic.DMARC, DomainStanding.MISSING, "None.")], NOW)
    (few,) = of_domain(session, broadcast, 500) or [None]
    assert few.severity == "hint" and few.message == "example.com has no DMARC record."
    assert [one.severity for one in of_domain(session, broadcast, 501)] == ["warning"]


def seen(session, broadcast):
    url = "https://console.example.net"
    texts = languages_of(broadcast)
    return SeenMails({text: previews.preview(session, broadcast, None, NOW, url, text=text) for text in texts}, url)


def test_a_tick_holds_until_what_it_was_given_for_changes(session, sender):
    factories.client(session)
    factories.client(session, first_name="")
    broadcast = factories.broadcast(session)
    found = review(session, broadcast, NOW)
    assert len(found.unticked) == 1
    preflight.keep(session, broadcast.id, found.unticked, "uma@example.org", NOW)
    preflight.keep(session, broadcast.id, found.unticked, "bob@example.org", NOW)
    ticked = review(session, broadcast, NOW)
    assert ticked.unticked == frozenset()
    assert [tick.user_email for tick in ticked.ticks.values()] == ["uma@example.org"]
    factories.client(session, first_name="")
    assert len(review(session, broadcast, NOW).unticked) == 1, "now it is empty for two"
    preflight.take_back(session, broadcast.id, next(iter(found.unticked)))
    assert preflight.kept(session, broadcast.id) == {}


def test_everybody_is_asked_about_where_they_are_many(session, sender, monkeypatch):
    monkeypatch.setattr(concerns, "CROWD", 2)
    for country in ("DE", "FR"):
        factories.client(session, country=country)
    found = review(session, factories.broadcast(session), NOW)
    assert [one.rule for one in found.warnings] == ["audience.everybody"]
    chosen = factories.broadcast(session, audience_filter={"countries": ["DE", "FR"]})
    assert review(session, chosen, NOW).warnings == ()


def test_a_text_part_is_older_once_the_body_says_something_else(session, sender):
    factories.client(session)
    broadcast = factories.broadcast(session)
    broadcasts.edit(session, broadcast.id, None, {"text": "Hello"}, NOW)
    broadcasts.edit(session, broadcast.id, None, {"html": "<p><b>Hello</b> {{ first_name }}</p>"}, NOW)
    assert review(session, broadcast, NOW).warnings == (), "it only looks otherwise"
    broadcasts.edit(session, broadcast.id, None, {"html": "<p>Good bye {{ first_name }}</p>"}, NOW)
    (finding,) = review(session, broadcast, NOW).warnings
    assert (finding.rule, finding.place) == ("text.older", "text")
    copy = broadcasts.duplicate(session, broadcast.id, None, NOW)
    assert [one.rule for one in review(session, copy, NOW).warnings] == ["text.older"]
    broadcasts.edit(session, broadcast.id, None, {"text": "Good bye"}, NOW)
    assert review(session, broadcast, NOW).warnings == ()


def test_the_same_text_within_a_week_wants_a_tick_and_is_a_hint_later(session, sender):
    client = factories.client(session)
    earlier = factories.broadcast(session)
    broadcasts.schedule(session, earlier.id, None, NOW)
    earlier.state = BroadcastState.SENDING
    earlier.started_at = NOW
    session.flush()
    factories.delivery(session, earlier, client, state=DeliveryState.ACCEPTED)
    again = factories.broadcast(session)
    for later, severity in ((timedelta(days=1), "warning"), (timedelta(days=8), "hint")):
        found = review(session, again, NOW + later)
        ((fingerprint, overlap),) = found.already.items()
        (finding,) = [one for one in (*found.warnings, *found.hints) if one.rule == "already_sent"]
        assert (finding.fingerprint, finding.severity, overlap.broadcast_id) == (fingerprint, severity, earlier.id)


def test_marketing_at_night_wants_a_tick_and_what_must_be_told_does_not(session, sender):
    session.get_one(ConsentSettings, 1).postal_address = "1 Long Street, Town"
    for country in ("JP", "JP", "DE"):
        factories.client(session, country=country, marketing_opt_in=True)
    at = NOW.replace(hour=18)
    (hint,) = review(session, factories.broadcast(session), at).hints
    assert hint.message == "For 2 in Asia it is 03:00 when it starts."
    marketing = factories.broadcast(session, purpose=Purpose.MARKETING, topic_id=1)
    assert [one.rule for one in review(session, marketing, at).warnings] == ["night"]
    found = review(session, factories.broadcast(session, starts_at=NOW.replace(day=24, hour=9)), at)
    assert found.hints == (), "then it is 18:00 there"


def test_the_finished_mail_is_looked_at_too_and_what_is_well_is_said_in_one_sentence(session, sender):
    factories.client(session)
    html = '<p style="color:#aaa">The bill is attached, see <a href="https://example.com/">here</a>. <img src="https://a.net/b.png"></p>'
    broadcast = factories.broadcast(session, html=html)
    found = review(session, broadcast, NOW, seen(session, broadcast))
    rules = {one.rule for one in (*found.warnings, *found.hints)}
    assert rules == {"links.example", "pictures.alt", "contrast", "attachment.missing", "inbox.preheader"}
    assert "Nothing to say about words that filters dislike, the text part, size." in found.checked


def test_a_mail_too_large_is_counted_for_whoever_gets_the_largest(session, sender):
    factories.client(session, first_name="Al")
    factories.client(session, first_name="Maximiliane-" + "x" * 100, last_name="Long")
    text = "<p>" + "word " * 19_500 + "{{ first_name }}" * 90 + "</p>"
    broadcast = factories.broadcast(session, html=text)
    found = review(session, broadcast, NOW, seen(session, broadcast))
    (finding,) = [one for one in found.warnings if one.rule == "size.gmail"]
    assert "Maximiliane" in finding.message and "Gmail cuts it at 102 KB" in finding.message


def test_whoever_has_the_most_services_gets_the_largest_mail_of_a_list(session, sender):
    product = factories.product(session)
    for name, number in (("Ada", 1), ("Bea", 40), ("Cleo", 2)):
        client = factories.client(session, first_name=name)
        for _ in range(number):
            factories.service(session, client, product, domain="a-rather-long-name.example.net")
    rows = "{% for service in services %}<p>{{ service.domain }}</p>{% endfor %}"
    broadcast = factories.broadcast(session, html="<p>" + "word " * 20_600 + f"</p>{rows}")
    found = review(session, broadcast, NOW, seen(session, broadcast))
    (finding,) = [one for one in found.warnings if one.rule == "size.gmail"]
    assert "Bea" in finding.message
