"""What is wrong with a message, where it stands, and what is written instead."""

import pytest

from tests import factories
from webapp.core.content import problems
from webapp.core.content.fields import is_blank, sources
from webapp.core.rules.statuses import MessageType


def test_tags_come_first_and_then_what_cannot_work_in_a_mail(sqlite_session):
    broadcast = factories.broadcast(
        sqlite_session,
        subject="{{ frist_name }}",
        html="<p>{{ nonsense }}</p><script>1</script>",
        text="{{ companny }}",
    )
    assert [one.field for one in problems.of_tags(broadcast)] == ["subject", "html", "text"]
    whole = problems.of_message(broadcast)
    assert whole[:3] == problems.of_tags(broadcast)
    assert [one.message for one in whole[3:]] == ["A script is left out: no mail program runs one."]


def test_a_place_has_the_name_of_its_field_and_a_line_where_there_are_several(sqlite_session):
    broadcast = factories.broadcast(sqlite_session, subject="{{ a }}", html="<p>\n{{ b }}</p>", text="{{ c }}")
    written = sources(broadcast.content)
    places = [problems.place(one, written[one.field]) for one in problems.of_tags(broadcast)]
    assert places == ["Subject", "Body, line 2", "Plain text part"]


@pytest.mark.parametrize(
    ("field", "source", "start", "mended"),
    [
        ("subject", "Hi {{ frist_name }}!", 3, "Hi {{ first_name }}!"),
        ("html", "<p>{{ frist_name }}</p>", 3, "<p>{{ first_name }}</p>"),
        ("text", "Hi *|FNAME|*!", 3, "Hi {{ first_name }}!"),
        ("text", "Hi {{ frist_name }}!", 4, "Hi {{ frist_name }}!"),
        ("text", "Hi {{ xyzzyplugh }}!", 3, "Hi {{ xyzzyplugh }}!"),
        ("text", "", 0, ""),
    ],
)
def test_a_problem_is_mended_at_its_place_with_the_name_that_was_meant(field, source, start, mended):
    assert problems.mended(field, source, start, MessageType.GENERAL) == mended


def test_a_message_is_blank_until_something_is_written(sqlite_session):
    assert is_blank(factories.broadcast(sqlite_session, subject=" ", html="\n").content)
    assert not is_blank(factories.broadcast(sqlite_session, subject="", html="", text="Hello").content)
