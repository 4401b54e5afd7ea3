"""Drafts and templates: started, filled, told of what is newer, never changed by it."""

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.designs import library, using
from webapp.core.designs.library import DesignText
from webapp.core.errors import Conflict, Invalid
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.branding import DesignKind
from webapp.core.tables.broadcasts import Broadcast

BY = "uma@example.org"
HTML = '<h1>News</h1>\n<p>On <mark class="fill">day</mark> we <mark class="fill">what</mark>.</p>'


@pytest.fixture
def draft(session: Session) -> Broadcast:
    made = library.make(session, "Mine", DesignKind.MESSAGE, DesignText("Subject", "Before", HTML), BY, NOW)
    broadcast = broadcasts.create(session, MessageType.GENERAL, None, NOW)
    return using.start(session, broadcast.id, made.version.id, NOW)


def newer(session: Session, draft: Broadcast, html: str) -> library.DesignVersion:
    made = using.made_from(session, draft)
    return library.change(
        session, made.design.id, made.newest.number, DesignText("Another", "Before", html), "Longer", BY, NOW
    )


def test_a_draft_begins_with_what_the_template_says(session: Session, draft: Broadcast):
    content = draft.content
    assert (content.subject, content.preheader, content.html, content.text) == ("Subject", "Before", HTML, None)
    made = using.made_from(session, draft)
    assert made.design.name == "Mine" and not made.is_newer_there
    with pytest.raises(Conflict):
        using.start(session, draft.id, made.version.id, NOW)


def test_a_new_version_changes_no_draft_and_is_offered_with_what_was_filled_in(session: Session, draft: Broadcast):
    using.fill(session, draft.id, {"day": "Monday"}, draft.version, NOW)
    version = newer(
        session, draft, '<h1>News</h1>\n<p>We <mark class="fill">what</mark>, on <mark class="fill">day</mark>.</p>'
    )
    assert "On Monday we" in draft.content.html and draft.content.subject == "Subject"
    made = using.made_from(session, draft)
    assert made.is_newer_there and made.newest.id == version.id
    said, keeps_all = using.would_say(draft, made)
    assert keeps_all and "on Monday" in said.html and said.open_parts == ["what"] and said.subject == "Another"
    assert {one.field for one in using.changes(draft, said)} == {"subject", "html"}
    using.take_newest(session, draft.id, version.number, NOW)
    assert "on Monday" in draft.content.html and draft.content.subject == "Another"
    assert not using.made_from(session, draft).is_newer_there


def test_what_was_written_besides_is_said_to_be_lost_and_an_own_subject_stays(session: Session, draft: Broadcast):
    changes = {"html": draft.content.html + "<p>More</p>", "subject": "My own"}
    broadcasts.edit(session, draft.id, draft.version, changes, NOW)
    newer(session, draft, "<p>Short</p>")
    said, keeps_all = using.would_say(draft, using.made_from(session, draft))
    assert not keeps_all and said.html == "<p>Short</p>" and said.subject == "My own"
    with pytest.raises(Conflict):
        using.take_newest(session, draft.id, 7, NOW)


def test_no_mail_leaves_with_a_part_that_is_open(session: Session):
    broadcast = factories.broadcast(session, html=HTML)
    with pytest.raises(Invalid, match="not filled in: “day”, and 1 more"):
        broadcasts.schedule(session, broadcast.id, None, NOW)
    using.fill(session, broadcast.id, {"day": "Monday", "what": "rest"}, broadcast.version, NOW)
    assert broadcasts.schedule(session, broadcast.id, None, NOW).scheduled_at == NOW


def test_a_duplicate_knows_its_template(session: Session, draft: Broadcast):
    assert broadcasts.duplicate(session, draft.id, None, NOW).design_version_id == draft.design_version_id
