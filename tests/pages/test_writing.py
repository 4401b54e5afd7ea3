"""Who sends the form of a page keeps nobody else from writing while its audience is counted, its message shown or its draft reviewed."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from tests.pages.test_review import form_of
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

HTMX = {"HX-Request": "true"}
SENDER = "Example Hosting <support@example.com>"
SCHEDULE = {"when": "now", "time_zone": "UTC", "batch_size": "25", "interval_s": "30", "uncertain_policy": "hold"}
MESSAGE = {"from_address": SENDER, "reply_to": "", "subject": "News", "html": "<p>Hello {{ first_name }}</p>"}


@pytest.fixture
def draft(sqlite_session) -> Broadcast:
    """A draft to two clients."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for _ in range(2):
        factories.client(sqlite_session)
    row = factories.broadcast(sqlite_session, subject="News", html="<p>Hello {{ first_name }}</p>")
    sqlite_session.commit()
    return row


@contextmanager
def before_statements(engine: Engine, look: Callable[[str], None]) -> Iterator[None]:
    """Call `look` with each statement just before it is executed on any connection of the engine."""

    def listener(connection, cursor, statement, parameters, context, executemany):
        look(statement)

    event.listen(engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", listener)


def others_can_write(engine: Engine) -> bool:
    """Whether another connection gets the write lock this very moment."""
    with closing(sqlite3.connect(engine.url.database or "", timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
        return True


class Watch:
    """Statements of a request, each with whether others could write when it began."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    def of(self, pattern: str) -> list[bool]:
        return [free for statement, free in self.seen if re.search(pattern, statement)]


@pytest.fixture
def watched(sqlite_session: Session) -> Callable:
    """Sends a request and gives its answer and what was watched."""

    def send(request: Callable):
        engine = sqlite_session.get_bind()
        assert isinstance(engine, Engine)
        sqlite_session.rollback()
        watch = Watch()

        def look(statement: str) -> None:
            if not statement.startswith("BEGIN"):
                watch.seen.append((statement, others_can_write(engine)))

        with before_statements(engine, look):
            return request(), watch

    return send


@pytest.fixture
def may_write(sqlite_session) -> Iterator[list[bool]]:
    """Each time the console looks at the recipients: whether another connection can begin to write at that very moment."""
    found: list[bool] = []
    engine = sqlite_session.get_bind()

    def look(statement: str) -> None:
        if statement.startswith("SELECT") and ("FROM audience_stamp" in statement or "FROM client" in statement):
            found.append(others_can_write(engine))

    with before_statements(engine, look):
        yield found


COUNTING = r"FROM audience_stamp"
REVIEWING = r"FROM from_address"


@pytest.fixture
def form(browser_client, draft) -> dict[str, object]:
    return {"version": draft.version, "count": 2}


def test_others_write_while_a_draft_is_reviewed_that_cannot_be_sent(
    browser_client, sqlite_session, draft, watched, form
):
    draft.content.subject = ""
    sqlite_session.commit()
    answer, watch = watched(lambda: browser_client.post(f"/mass-mail/{draft.id}/review/", data=form))
    assert answer.status_code == 422
    assert watch.of(COUNTING) and all(watch.of(COUNTING)) and all(watch.of(REVIEWING)) and watch.of(REVIEWING)


def test_others_write_while_another_number_is_counted_and_shown(browser_client, draft, watched, form):
    answer, watch = watched(lambda: browser_client.post(f"/mass-mail/{draft.id}/review/", data=form | {"count": 7}))
    assert answer.status_code == 409
    assert watch.of(COUNTING) and all(watch.of(COUNTING)) and all(watch.of(REVIEWING)) and watch.of(REVIEWING)


def test_others_write_while_a_draft_is_reviewed_and_not_between_the_last_count_and_the_change(
    browser_client, sqlite_session, draft, watched, form
):
    answer, watch = watched(lambda: browser_client.post(f"/mass-mail/{draft.id}/review/", data=form))
    assert answer.status_code == 303
    assert watch.of(REVIEWING) and all(watch.of(REVIEWING))
    assert watch.of(COUNTING)[0] and not watch.of(COUNTING)[-1]
    assert watch.of(r"UPDATE broadcast") == [False]
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id, populate_existing=True).state is BroadcastState.SCHEDULED


@pytest.mark.parametrize("what", ["client", "draft"])
def test_what_changes_after_the_review_and_before_the_button_takes_effect_is_not_sent(
    browser_client, sqlite_session, draft, form, what
):
    waiting = [what]

    def change_meanwhile(statement: str) -> None:
        if re.search(REVIEWING, statement) and waiting:
            if waiting.pop() == "client":
                factories.client(sqlite_session)
            else:
                draft.name, draft.version = "Changed", draft.version + 1
            sqlite_session.commit()

    with before_statements(sqlite_session.get_bind(), change_meanwhile):  # type: ignore[arg-type]
        answer = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    assert not waiting and answer.status_code == 409
    words = {"client": "The number has changed: 3 mails, not 2.", "draft": "changed meanwhile"}
    assert words[what] in answer.text
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id, populate_existing=True).state is BroadcastState.DRAFT


@pytest.mark.parametrize("subject", ["News", "Changed"])
@pytest.mark.parametrize("more", [{}, {"mend": ""}])
def test_others_write_while_a_message_that_was_sent_in_is_shown(browser_client, draft, watched, subject, more):
    url = f"/mass-mail/{draft.id}/content/"
    fields = {
        "base": _base(browser_client.get(url).text),
        "from_address": draft.from_address,
        "subject": subject,
        "html": draft.content.html,
    }
    answer, watch = watched(lambda: browser_client.post(url, data=fields | more, headers={} if more else HTMX))
    assert answer.status_code == 200
    assert watch.of(COUNTING) and all(watch.of(COUNTING))
    assert watch.of(r"UPDATE content|UPDATE broadcast") == ([False, False] if subject == "Changed" else [])


def test_a_page_never_takes_for_its_own_what_somebody_saves_while_it_is_shown(browser_client, sqlite_session, draft):
    url = f"/mass-mail/{draft.id}/content/"
    fields = {
        "base": _base(browser_client.get(url).text),
        "from_address": draft.from_address,
        "subject": "News",
        "html": draft.content.html,
    }
    engine = sqlite_session.get_bind()
    assert isinstance(engine, Engine)
    sqlite_session.rollback()
    was_held, has_saved = [], []

    def save_as_soon_as_possible(_statement: str) -> None:
        if has_saved:
            return
        if not others_can_write(engine):
            was_held.append(True)
        elif was_held:
            has_saved.append(True)
            draft.content.html = "<p>Somebody else's</p>"
            sqlite_session.commit()

    with before_statements(engine, save_as_soon_as_possible):
        answer = browser_client.post(url, data=fields, headers=HTMX)
    assert has_saved and answer.status_code == 200
    answer = browser_client.post(url, data=fields | {"base": _base(answer.text), "subject": "Mine"}, headers=HTMX)
    assert answer.status_code == 409


def test_a_test_send_never_keeps_others_from_writing(browser_client, draft, watched):
    answer, watch = watched(
        lambda: browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": "nonsense"}, headers=HTMX)
    )
    assert answer.status_code == 422
    answer, watch = watched(
        lambda: browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": "a@example.org"}, headers=HTMX)
    )
    assert watch.of(COUNTING) and all(watch.of(COUNTING)), "only what is written down before and after is a write"


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
    answer = browser_client.post(f"/mass-mail/{draft.id}/{step}", data=fields, headers=headers)
    assert answer.status_code in (200, 303, 422)
    assert all(may_write) and (may_write or answer.status_code == 303)


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("content/", MESSAGE | {"subject": "More news"}),
        ("schedule/", SCHEDULE | {"batch_size": "26"}),
        ("audience/", {"message_type": "general", "countries": "DE"}),
    ],
    ids=["message", "schedule", "audience"],
)
def test_a_save_lets_others_write_while_it_counts_what_follows(
    browser_client, sqlite_session, draft, may_write, step, fields
):
    address = f"/mass-mail/{draft.id}/{step}"
    page = browser_client.get(address).text
    may_write.clear()
    version = draft.version
    answer = browser_client.post(address, data=fields | {"base": _base(page)}, headers=HTMX)
    sqlite_session.rollback()
    assert answer.status_code == 200 and draft.version == version + 1
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
    return read(page).value("base")
