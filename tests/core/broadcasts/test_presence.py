"""Who has a draft open, and who saved what."""

from datetime import timedelta

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import presence, steps
from webapp.core.broadcasts.steps import Editor, Step


def test_others_are_there_for_a_minute_by_name_and_nobody_is_another_to_themselves(session):
    draft = factories.broadcast(session)
    uma, bob = factories.user(session, name="Uma"), factories.user(session, "bob@example.org", name="")
    for user in (uma, bob):
        presence.seen(session, draft.id, user.id, NOW)
    assert presence.others(session, draft.id, uma.id, NOW) == ["bob@example.org"]
    assert presence.others(session, draft.id, bob.id, NOW + timedelta(seconds=59)) == ["Uma"]
    assert presence.others(session, draft.id, bob.id, NOW + timedelta(seconds=60)) == []
    assert presence.others(session, factories.broadcast(session).id, bob.id, NOW) == []


def test_a_visit_is_written_down_now_and_then(session):
    draft, uma = factories.broadcast(session), factories.user(session)
    assert presence.is_due(session, draft.id, uma.id, NOW)
    presence.seen(session, draft.id, uma.id, NOW)
    assert not presence.is_due(session, draft.id, uma.id, NOW + timedelta(seconds=14))
    presence.seen(session, draft.id, uma.id, NOW + timedelta(seconds=15))
    assert not presence.is_due(session, draft.id, uma.id, NOW + timedelta(seconds=20))


def test_who_saved_a_step_is_known_until_somebody_else_changes_it(session):
    draft, uma = factories.broadcast(session), factories.user(session, name="Uma")
    assert steps.last_save(session, draft, Step.CONTENT) is None
    by = Editor(uma.id, uma.email, uma.name)
    known = {steps.digest(draft, Step.CONTENT)}
    steps.save(session, draft.id, Step.CONTENT, lambda _: {"subject": "New"}, NOW, known=known, by=by)
    saved = steps.last_save(session, draft, Step.CONTENT)
    assert (saved.user_name, saved.saved_at) == ("Uma", NOW)
    assert steps.last_save(session, draft, Step.SCHEDULE) is None
    assert not presence.is_due(session, draft.id, uma.id, NOW), "whoever saves is there"
    broadcasts.edit(session, draft.id, None, {"subject": "Another way"}, NOW)
    assert steps.last_save(session, draft, Step.CONTENT) is None, "nobody is blamed for it"
