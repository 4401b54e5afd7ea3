"""The samples of an empty house are whole mails, each of a purpose."""

from tests import factories
from tests.factories import NOW
from webapp.core.consent.topics import topics
from webapp.core.content.completeness import missing
from webapp.core.designs import samples
from webapp.core.rules import fills
from webapp.core.rules.consent import Purpose
from webapp.core.tables.broadcasts import Broadcast


def made(session):
    return samples.make(session, factories.user(session).id, NOW, {"time_zone": "Europe/Berlin"})


def test_each_is_a_whole_mail_with_its_purpose_and_no_part_open(session):
    found = made(session)
    assert [one.name for one in found] == [one.name for one in samples.SAMPLES]
    for one in found:
        assert fills.prompts(one.content.html) == [], one.name
        assert {gap.field for gap in missing(one)} <= {"from_address"}, "which the settings give"
    has_topics = bool(topics(session))
    assert [one.purpose for one in found] == [Purpose.MARKETING if has_topics else None, *[Purpose.IMPORTANT] * 2]


def test_where_a_mass_mail_is_there_is_nothing_to_be_made(session):
    factories.broadcast(session)
    assert made(session) == [] and session.query(Broadcast).count() == 1
