"""Whoever saves a step of a draft holds up nobody who writes to a SQLite database while the recipients are looked at for the answer."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import event

from tests import factories
from tests.pages.test_review import form_of
from webapp.core import from_addresses
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

HTMX = {"HX-Request": "true"}
SENDER = "Example Hosting <support@example.com>"
SCHEDULE = {"when": "now", "time_zone": "UTC", "batch_size": "25", "interval_s": "30", "uncertain_policy": "hold"}
MESSAGE = {"from_address": SENDER, "reply_to": "", "subject": "News", "html": "<p>Hello {{ first_name }}</p>"}


@pytest.fixture
def draft(sqlite_session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for _ in range(3):
        factories.client(sqlite_session)
    broadcast = factories.broadcast(sqlite_session, subject=MESSAGE["subject"], html=MESSAGE["html"])
    sqlite_session.commit()
    return broadcast


@pytest.fixture
def may_write(sqlite_app, sqlite_session) -> Iterator[list[bool]]:
    """Each time the console looks at the recipients: whether another connection can begin to write at that very moment."""
    found: list[bool] = []
    engine = sqlite_session.get_bind()

    def look(_connection, _cursor, statement, *_rest):
        if statement.startswith("SELECT") and any(
            table in statement for table in ("FROM audience_stamp", "FROM client")
        ):
            with closing(sqlite3.connect(engine.url.database, timeout=0, isolation_level=None)) as other:
                try:
                    other.execute("BEGIN IMMEDIATE")
                    found.append(True)
                except sqlite3.OperationalError:
                    found.append(False)

    event.listen(engine, "before_cursor_execute", look)
    yield found
    event.remove(engine, "before_cursor_execute", look)


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("content/", MESSAGE),
        ("content/", MESSAGE | {"reply_to": "nonsense"}),
        ("schedule/", SCHEDULE),
        ("schedule/", SCHEDULE | {"batch_size": "x"}),
        ("audience/", {"message_type": "general"}),
    ],
    ids=["message", "message with a wrong address", "schedule", "schedule with a wrong pace", "audience"],
)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_a_save_that_changes_nothing_lets_others_write_while_it_counts(
    browser_client, draft, may_write, step, fields, headers
):
    data = fields | {"version": draft.version}
    answer = browser_client.post(f"/mass-mail/{draft.id}/{step}", data=data, headers=headers)
    assert answer.status_code in (200, 303, 422)
    assert all(may_write) and (may_write or answer.status_code == 303)


@pytest.mark.parametrize(
    ("step", "fields", "known"),
    [
        ("content/", MESSAGE | {"subject": "More news"}, "base"),
        ("schedule/", SCHEDULE | {"batch_size": "26"}, "version"),
        ("audience/", {"message_type": "general", "countries": "DE"}, "base"),
    ],
    ids=["message", "schedule", "audience"],
)
def test_a_save_lets_others_write_while_it_counts_what_follows(
    browser_client, sqlite_session, draft, may_write, step, fields, known
):
    address = f"/mass-mail/{draft.id}/{step}"
    page = browser_client.get(address).text
    may_write.clear()
    data = fields | {"version": draft.version, "base": _base(page) if known == "base" else ""}
    version = draft.version
    answer = browser_client.post(address, data=data, headers=HTMX)
    sqlite_session.rollback()
    assert answer.status_code == 200 and draft.version == version + 1
    assert may_write and all(may_write)


def test_a_draft_is_reviewed_before_it_is_created_while_others_write(browser_client, sqlite_session, draft, may_write):
    form = form_of(browser_client.get(f"/mass-mail/{draft.id}/review/").text)
    may_write.clear()
    for sent, status in ((form | {"count": "2"}, 409), (form, 303)):
        assert browser_client.post(f"/mass-mail/{draft.id}/review/", data=sent).status_code == status
        assert may_write and (all(may_write) if status == 409 else may_write[0])
    sqlite_session.rollback()
    assert draft.state is BroadcastState.SCHEDULED


def test_a_test_mail_is_filled_in_while_others_write(browser_client, draft, may_write):
    data = {"to": "me@example.org"}
    assert browser_client.post(f"/mass-mail/{draft.id}/content/test", data=data, headers=HTMX).status_code == 200
    assert may_write and all(may_write)


@pytest.mark.parametrize("names_its_version", [True, False])
def test_a_change_between_review_and_creation_is_not_sent(
    browser_client, sqlite_session, draft, may_write, names_its_version
):
    form = form_of(browser_client.get(f"/mass-mail/{draft.id}/review/").text)
    if not names_its_version:
        del form["version"]
    engine = sqlite_session.get_bind()
    may_write.clear()

    def save_once(_connection, _record):
        if may_write:  # the draft was looked at, and the transaction in which it was is over
            with closing(sqlite3.connect(engine.url.database)) as other, other:
                other.execute("UPDATE broadcast SET version = version + 1")
            may_write.clear()

    event.listen(engine, "checkin", save_once)
    answer = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    event.remove(engine, "checkin", save_once)
    sqlite_session.rollback()
    assert answer.status_code == 409 and draft.state is BroadcastState.DRAFT


def _base(page: str) -> str:
    found = re.search(r'name="base"[^>]*? value="([^"]*)"', page)
    assert found
    return found[1]
