"""Links from a pattern as they are kept: what has started keeps what it had."""

from datetime import timedelta

import pytest

from tests import factories
from tests.engine import URL
from tests.factories import NOW
from webapp.core.content.compiling import compiled, text_of_body
from webapp.core.content.problems import of_tags
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message import decoded
from webapp.core.settings import tag_links

OLD, NEW = "https://old.example/{{ client_id }}", "https://new.example/{{ client_id }}"
LATER = NOW + timedelta(hours=1)
HTML = "<p>{{ portal_url }}</p>"


def html_of(session, broadcast) -> str:
    content = compiled(session, broadcast, URL)
    return decoded(content.mail(1, "ada@example.com", NOW, ["77"] * len(content.tags)).data).html


def test_a_mass_mail_that_has_started_keeps_the_address_of_its_start(session):
    link = tag_links.add(session, "portal_url", "Your account", OLD, NOW)
    started = factories.broadcast(
        session, html=HTML, state=BroadcastState.SENDING, started_at=NOW + timedelta(minutes=1)
    )
    draft = factories.broadcast(session, html=HTML)
    before = html_of(session, started)
    changed = tag_links.change(session, link.id, "Portal", NEW, LATER)
    assert html_of(session, started) == before and "old.example/77" in before
    assert "new.example/77" in html_of(session, draft)
    tag_links.remove(session, changed.id, LATER + timedelta(hours=1))
    assert html_of(session, started) == before
    assert [one.message for one in of_tags(started)] == []
    assert of_tags(draft)[0].message.startswith("There is no tag portal_url.")


def test_it_says_which_messages_use_a_link(session):
    link = tag_links.add(session, "portal_url", "Your account", OLD, NOW)
    tag_links.add(session, "invoice_url", "Your invoices", NEW, NOW)
    draft = factories.broadcast(session, html=HTML)
    factories.broadcast(session, html="<p>no portal_url</p>")
    factories.broadcast(session, html=HTML, state=BroadcastState.SENDING, started_at=NOW)
    scheduled = factories.broadcast(session, text="{{ portal_url }}", state=BroadcastState.SCHEDULED)
    found = {one.link.name: one.used_by for one in tag_links.listing(session)}
    assert found == {"invoice_url": (), "portal_url": (scheduled, draft)}
    with pytest.raises(Conflict, match="is scheduled and uses portal_url"):
        tag_links.remove(session, link.id, LATER)


def test_a_name_is_taken_once_and_free_again_when_its_link_is_gone(session):
    link = tag_links.add(session, "portal_url", "Your account", OLD, NOW)
    with pytest.raises(Invalid, match="already"):
        tag_links.add(session, "portal_url", "Other", NEW, NOW)
    tag_links.remove(session, link.id, LATER)
    with pytest.raises(NotFound):
        tag_links.change(session, link.id, "x", NEW, LATER)
    tag_links.add(session, "portal_url", "Other", NEW, LATER)
    assert tag_links.known(session)["portal_url"].pattern == NEW
    assert tag_links.known(session, NOW)["portal_url"].pattern == OLD


def test_a_change_that_changes_nothing_is_none(session):
    link = tag_links.add(session, "portal_url", "Your account", OLD, NOW)
    assert tag_links.change(session, link.id, "Your account", OLD, LATER) is link


def test_the_text_made_from_the_body_has_the_address(session):
    tag_links.add(session, "portal_url", "Your account", OLD, NOW)
    for text in (None, "By hand"):
        broadcast = factories.broadcast(session, html=HTML, text=text)
        assert text_of_body(broadcast, compiled(session, broadcast, URL)).strip() == f"Your account <{OLD}>"
